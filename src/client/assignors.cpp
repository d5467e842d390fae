#include "client/assignors.h"

#include <algorithm>
#include <array>
#include <utility>

#include "client/sticky_assignment.h"

namespace leat::client {
namespace {

using Members = std::vector<AssignorMember>;

constexpr std::array assignors{Assignor::range, Assignor::round_robin, Assignor::sticky,
                               Assignor::cooperative_sticky};

/// Static members come first, by their instances, so that they keep their places.
bool comes_before(const AssignorMember& a, const AssignorMember& b) {
  if (a.instance_id.has_value() != b.instance_id.has_value()) return a.instance_id.has_value();
  if (a.instance_id && *a.instance_id != *b.instance_id) return *a.instance_id < *b.instance_id;
  return a.id < b.id;
}

bool wants(const AssignorMember& member, const std::string& topic) {
  const std::vector<std::string>& topics = member.subscription.topics;
  return std::find(topics.begin(), topics.end(), topic) != topics.end();
}

void assign_ranges(const Members& members, const PartitionCounts& counts, Assignments& assigned) {
  for (const auto& [topic, partitions] : counts) {
    std::vector<const std::string*> takers;
    for (const AssignorMember& member : members) {
      if (wants(member, topic)) takers.push_back(&member.id);
    }
    auto count = static_cast<std::int32_t>(takers.size());
    std::int32_t next = 0;
    for (std::int32_t i = 0; i < count; ++i) {
      std::int32_t end = next + partitions / count + (i < partitions % count ? 1 : 0);
      while (next < end) {
        assigned[*takers[static_cast<std::size_t>(i)]][topic].push_back(next++);
      }
    }
  }
}

void assign_round_robin(const Members& members, const PartitionCounts& counts,
                        Assignments& assigned) {
  std::size_t turn = 0;
  for (const auto& [topic, partitions] : counts) {
    bool is_wanted = std::any_of(members.begin(), members.end(),
                                 [&](const AssignorMember& m) { return wants(m, topic); });
    if (!is_wanted) continue;
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
      while (!wants(members[turn], topic)) turn = (turn + 1) % members.size();
      assigned[members[turn].id][topic].push_back(partition);
      turn = (turn + 1) % members.size();
    }
  }
}

/// Members revoke all before they join with sticky, so what they had is in the user data alone.
/// With cooperative_sticky it is in the subscription; versions that have no place there for the
/// generation have it in the user data: Kafka's alone, librdkafka's as with sticky.
std::vector<Possession> possessions(Assignor assignor, const Members& members) {
  std::vector<Possession> all;
  for (const AssignorMember& member : members) {
    const Subscription& subscription = member.subscription;
    BytesView data;
    if (subscription.user_data) data = *subscription.user_data;
    // Who tells nonsense has nothing.
    Possession told = decode_possession(data).value_or(Possession());
    if (assignor == Assignor::sticky) {
      all.push_back(std::move(told));
      continue;
    }
    std::int32_t generation = subscription.generation;
    if (generation == no_generation) {
      bool is_number = data.size() == sizeof generation;
      generation = is_number ? load_big_endian<std::int32_t>(data.data()) : told.generation;
    }
    all.push_back({subscription.owned, generation});
  }
  return all;
}

}  // namespace

std::string_view name(Assignor assignor) {
  switch (assignor) {
    case Assignor::range: return "range";
    case Assignor::round_robin: return "roundrobin";
    case Assignor::sticky: return "sticky";
    case Assignor::cooperative_sticky: return "cooperative-sticky";
  }
  return "";
}

std::optional<Assignor> find_assignor(std::string_view text) {
  for (Assignor assignor : assignors) {
    if (name(assignor) == text) return assignor;
  }
  return std::nullopt;
}

std::string_view assignor_names() {
  return "range, roundrobin, sticky, cooperative-sticky";
}

std::optional<Bytes> user_data(Assignor assignor, const Possession& last) {
  if (last.generation == no_generation) return std::nullopt;
  if (assignor == Assignor::sticky) return encode_possession(last);
  if (assignor != Assignor::cooperative_sticky) return std::nullopt;
  Bytes out;
  ByteWriter(out).write(last.generation);
  return out;
}

Assignments assign(Assignor assignor, Members members, const PartitionCounts& counts) {
  std::sort(members.begin(), members.end(), comes_before);
  Assignments assigned;
  for (const AssignorMember& member : members) assigned[member.id];
  switch (assignor) {
    case Assignor::range: assign_ranges(members, counts, assigned); break;
    case Assignor::round_robin: assign_round_robin(members, counts, assigned); break;
    case Assignor::sticky:
    case Assignor::cooperative_sticky:
      std::vector<Possession> before = possessions(assignor, members);
      StickyAssignment sticky(members, before, counts);
      if (is_cooperative(assignor)) sticky.hold_back();
      std::vector<TopicPartitions> all = sticky.result();
      for (std::size_t i = 0; i < members.size(); ++i) assigned[members[i].id] = std::move(all[i]);
  }
  return assigned;
}

}  // namespace leat::client
