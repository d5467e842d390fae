// What tests of the public API run clients with: the options that reach a server, and a context
// until something has happened.
#pragma once

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <future>

#include "leat/options.h"
#include "server/peer.h"

namespace leat {

inline ClientOptions options_for(server::TestServer& server) {
  ClientOptions options;
  options.brokers = server.server().kafka_address().to_string();
  return options;
}

/// Fails where it takes so long that it will never happen.
inline void run_until(boost::asio::io_context& context, const std::function<bool()>& done) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  context.restart();
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    context.run_one_for(std::chrono::milliseconds(10));
  }
}

/// What the future gives, while the context runs.
template <class T>
T wait(boost::asio::io_context& context, std::future<T> future) {
  run_until(context,
            [&] { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  return future.get();
}

}  // namespace leat
