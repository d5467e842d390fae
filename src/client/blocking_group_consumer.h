// Reads topics as a member of a group, without an event loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/blocking_client.h"
#include "client/error.h"
#include "client/fetch_plan.h"
#include "leat/options.h"

namespace leat::client {

struct GroupConsumerOptions {
  std::vector<std::string> topics;
  /// Nothing is committed but by commit(), by giving partitions back and by close().
  ConsumerOptions consumer;
  /// Where a partition is read from of which the group has committed nothing, and where its reading
  /// ends. Called on another thread.
  std::function<Assignment(const std::string& topic, std::int32_t partition)> begin_at;
  /// Called before offsets are committed: what was read before them must have had its effect. On
  /// another thread, while poll(), commit() or close() waits.
  std::function<void()> before_commit = [] {};
};

/// The group shares out partitions, and takes them back, while poll() is called; for longer than
/// the rebalance timeout it must not be left alone. For use by one thread at a time.
class BlockingGroupConsumer {
 public:
  BlockingGroupConsumer(const BlockingClient& client, ClientOptions connect,
                        GroupConsumerOptions options);
  ~BlockingGroupConsumer();
  BlockingGroupConsumer(const BlockingGroupConsumer&) = delete;
  BlockingGroupConsumer& operator=(const BlockingGroupConsumer&) = delete;

  /// The next records of some partition, at once; nothing when none came within `timeout`. What is
  /// given out must be used, and told to done_until(), before the next call.
  Result<std::optional<Fetched>> poll(std::chrono::milliseconds timeout);
  /// Everything before `offset` of that partition is done with.
  void done_until(const std::string& topic, std::int32_t partition, std::int64_t offset);
  /// Commits what is done. Nothing to be done about it is no error where the group has gone on.
  Result<void> commit();
  /// Commits and leaves, over a connection of its own: also when `stop` of the client is requested.
  Result<void> close();

  /// Every partition that is ours was read to its end.
  bool finished() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::client
