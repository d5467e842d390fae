// Whether options make sense.
#pragma once

#include <optional>

#include "client/error.h"
#include "leat/options.h"

namespace leat::client {

// Errc::invalid_argument with the name of the first one that does not. The brokers of a client are
// looked at by Cluster.

std::optional<Error> check(const ClientOptions& options);
std::optional<Error> check(const ProducerOptions& options);
std::optional<Error> check(const ConsumerOptions& options);

}  // namespace leat::client
