// Reads partitions from given offsets on, without an event loop.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "client/blocking_client.h"
#include "client/error.h"
#include "client/fetch_plan.h"
#include "leat/options.h"

namespace leat::client {

/// Fetches ahead, as much as the options allow, from all brokers at once. A partition's records
/// come in order; partitions come as they arrive. For use by one thread at a time.
class BlockingConsumer {
 public:
  BlockingConsumer(const BlockingClient& client, std::vector<Assignment> assignments,
                   const ConsumerOptions& options);
  ~BlockingConsumer();
  BlockingConsumer(const BlockingConsumer&) = delete;
  BlockingConsumer& operator=(const BlockingConsumer&) = delete;

  /// The next records of some partition; nothing when none came within `timeout`, or when all was
  /// read. What is given out must not outlive this object. Errors end the reading:
  /// Errc::offset_out_of_range where a position is not in its partition (any more).
  Result<std::optional<Fetched>> poll(std::chrono::milliseconds timeout);
  /// Every partition was read to its end.
  bool finished() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::client
