// Who of a group of consumers is to have which partition, decided by the member that leads, in the
// ways that Kafka's clients know. Any library may lead any group: what is decided need not be alike
// for sticky ones, but what members are told about it must be (client/group_protocol).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/group_protocol.h"
#include "leat/options.h"

namespace leat::client {

/// Kafka's names.
std::string_view name(Assignor assignor);
std::optional<Assignor> find_assignor(std::string_view name);
/// As text for people.
std::string_view assignor_names();

/// Whether members keep their partitions while the group rebalances.
constexpr bool is_cooperative(Assignor assignor) {
  return assignor == Assignor::cooperative_sticky;
}

/// What a member tells whoever leads, once it has been given `last`.
std::optional<Bytes> user_data(Assignor assignor, const Possession& last);

/// A member as the one that leads sees it.
struct AssignorMember {
  std::string id;
  std::optional<std::string> instance_id;
  Subscription subscription;
};

/// How many partitions each topic has. One that does not exist is not in it.
using PartitionCounts = std::map<std::string, std::int32_t>;
/// By the members' ids; each has an entry.
using Assignments = std::map<std::string, TopicPartitions>;

/// All partitions of a topic go to those who have subscribed to it, each to one of them. The same
/// arguments, in whatever order, give the same. Racks are not looked at.
///
/// The sticky ones: no member has two partitions more than another one who could have one of them,
/// so where all have subscribed to the same, they differ by one at most, and then no partition
/// moves without need. cooperative_sticky gives a partition to nobody for whom another member would
/// have to give it up, or says as lately that it has it.
Assignments assign(Assignor assignor, std::vector<AssignorMember> members,
                   const PartitionCounts& counts);

}  // namespace leat::client
