// A member of the group "share" of rebalances.py.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "client.h"

namespace soak {

/// Reads "work" as a member, processes, and commits, itself or automatically, until it is to stop;
/// then leaves. `strategy` is "range" or "cooperative-sticky".
asio::awaitable<void> share(Client& client, std::string strategy);

}  // namespace soak
