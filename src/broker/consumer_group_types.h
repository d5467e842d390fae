// What members of a consumer group (KIP-848) ask and are answered, without Kafka's messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "broker/assignment.h"
#include "broker/group_types.h"

namespace leat::broker {

enum class ConsumerGroupState { empty, assigning, reconciling, stable };
/// Kafka's own name, such as "Reconciling".
std::string_view name(ConsumerGroupState state);

/// What a member says with a sign of life. What is not there has not changed.
struct ConsumerHeartbeat {
  static constexpr std::int32_t join = 0;
  static constexpr std::int32_t leave = -1;
  /// A static member that will be back.
  static constexpr std::int32_t leave_for_now = -2;

  std::string group_id = {};
  std::string member_id = {};
  /// Its epoch, or one of the above.
  std::int32_t epoch = 0;
  std::optional<std::string> instance_id = {};
  std::optional<std::string> rack_id = {};
  std::optional<std::chrono::milliseconds> rebalance_timeout = {};
  std::optional<std::vector<std::string>> topics = {};
  std::optional<std::string> topic_regex = {};
  std::optional<std::string> assignor = {};
  /// What it has.
  std::optional<Assignment> owned = {};
  std::string client_id = {};
  std::string client_host = {};

  /// As when it joins, or does not know what we have heard of it.
  bool is_full() const {
    return epoch == join || (rebalance_timeout && (topics || topic_regex) && owned);
  }
};

struct ConsumerHeartbeatResult {
  GroupError error = GroupError::none;
  /// For people; empty where the error says all.
  std::string message = {};
  std::string member_id = {};
  std::int32_t epoch = 0;
  std::chrono::milliseconds heartbeat_interval{0};
  /// All that it may use; nullopt: as before.
  std::optional<Assignment> assignment = {};
};

/// The topics that there are, as a group sees them.
struct GroupTopics {
  struct Topic {
    Uuid id;
    std::int32_t partitions = 0;
    /// The server's own: only by its name, by no expression.
    bool is_internal = false;
  };
  /// Another number whenever anything has changed; never 0.
  std::uint64_t version = 0;
  std::map<std::string, Topic, std::less<>> by_name;
};

/// A key and what is to stand under it; nullopt: nothing any more.
struct RecordChange {
  Bytes key;
  std::optional<Bytes> value;
};

}  // namespace leat::broker
