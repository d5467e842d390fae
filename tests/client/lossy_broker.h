// A server whose answers may get lost, and the options to reach it in a hurry.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/random.h"
#include "leat/blocking.h"
#include "lossy_proxy.h"
#include "server/peer.h"

namespace leat {

/// A server with a topic "orders", behind a way on which answers may get lost.
class LossyBroker {
 public:
  explicit LossyBroker(bool loses)
      : loses_(loses),
        server_([this](server::ServerOptions& options) { options.advertised = proxy_.address(); }) {
    proxy_.lead_to(server_.server().kafka_address());
    server_.create_topic("orders", 3);
  }

  /// As they are for a story of that seed.
  ClientOptions options(std::uint64_t seed) {
    Random random(seed);
    if (loses_) proxy_.lose(seed, static_cast<std::uint32_t>(random.between(2, 20)));
    ClientOptions options;
    options.brokers = proxy_.address().to_string();
    options.retry_backoff = std::chrono::milliseconds(1);
    options.retry_backoff_max = std::chrono::milliseconds(10);
    if (random.one_in(2))
      options.request_timeout = options.operation_timeout = std::chrono::milliseconds(30);
    return options;
  }
  client::LossyProxy& proxy() { return proxy_; }
  server::TestServer& server() { return server_; }

 private:
  bool loses_;
  client::LossyProxy proxy_;
  server::TestServer server_;
};

/// Something to read.
inline void fill(LossyBroker& broker) {
  ClientOptions options;
  options.brokers = broker.proxy().address().to_string();
  blocking::Producer producer(options);
  OutRecord record;
  record.topic = "orders";
  record.value = "x";
  for (int i = 0; i < 500; ++i) producer.enqueue(record);
  producer.flush();
}

}  // namespace leat
