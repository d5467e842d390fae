// Sends records, from any thread, without an event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/blocking_client.h"
#include "client/error.h"
#include "client/produce_queue.h"
#include "leat/options.h"

namespace leat::client {

/// Records of one partition arrive in the order sent. After a lost answer a batch is sent again, so
/// a record may arrive twice, never out of order. Thread-safe. Destruction drops what is not yet
/// sent: flush() first.
class BlockingProducer {
 public:
  /// `on_delivery` is called once for every batch, on a thread of the client, and not after this
  /// object's end; it must not block.
  BlockingProducer(const BlockingClient& client, const ProducerOptions& options,
                   std::function<void(const Delivery&)> on_delivery);
  ~BlockingProducer();
  BlockingProducer(const BlockingProducer&) = delete;
  BlockingProducer& operator=(const BlockingProducer&) = delete;

  /// Queues a record, whose bytes are copied, and waits while the queue is full. An error is the
  /// record's own or the cluster's: no such topic or partition, or Errc::cancelled.
  Result<void> send(std::string_view topic, const OutRecord& record);
  /// Waits until every record sent before was delivered, one way or the other. Errc::cancelled
  /// when the client was stopped while some were not.
  Result<void> flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::client
