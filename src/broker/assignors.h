// Who of a consumer group is to have which partition: what clients once decided, and now the
// broker.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "broker/assignment.h"

namespace leat::broker {

/// By Kafka's names.
enum class Assignor {
  /// Everybody gets as much as everybody else, and keeps what he had.
  uniform,
  /// Everybody gets a range of each topic, the same of topics of the same size.
  range,
};
std::string_view name(Assignor assignor);
std::optional<Assignor> find_assignor(std::string_view name);
/// As text for people.
std::string_view assignor_names();

/// A member as an assignor sees it. What is pointed to outlives the call.
struct AssignorMember {
  std::string_view id;
  std::optional<std::string_view> instance_id = {};
  /// Those it has subscribed to, sorted.
  std::vector<Uuid> topics = {};
  /// What it was to have before.
  const Assignment* previous = nullptr;
};

/// How many partitions each topic has that anybody has subscribed to.
using PartitionCounts = std::map<Uuid, std::int32_t>;

/// What each of the members is to have, in their order: all partitions of a topic go to those who
/// have subscribed to it, each to one of them.
///
/// uniform: no member has two partitions more than another one who could have one of them. So where
/// all have subscribed to the same, they differ by one at most. No partition moves without need.
std::vector<Assignment> assign(Assignor assignor, const std::vector<AssignorMember>& members,
                               const PartitionCounts& counts);

}  // namespace leat::broker
