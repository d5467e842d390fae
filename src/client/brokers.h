// The addresses that ClientOptions::brokers names.
#pragma once

#include <string_view>
#include <vector>

#include "client/error.h"
#include "net/address.h"

namespace leat::client {

/// Errc::invalid_argument unless it is "HOST:PORT,HOST:PORT"; a port may be left out.
Result<std::vector<net::Address>> parse_brokers(std::string_view brokers);

}  // namespace leat::client
