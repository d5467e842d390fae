// A record of __consumer_offsets, as recovery reads it, and what members tell each other.
#include <variant>

#include "base/assert.h"
#include "broker/group_records.h"
#include "fuzz/targets.h"

namespace leat::fuzz {
namespace {

using namespace broker;

/// Whatever is understood is written in a form that means the same.
void check_key(BytesView input) {
  auto key = decode_group_key(input);
  if (!key) return;
  if (const auto* offset = std::get_if<OffsetKey>(&*key)) {
    auto again = decode_group_key(encode(*offset));
    ASSERT(again && std::get<OffsetKey>(*again).topic == offset->topic);
  } else if (const auto* group = std::get_if<GroupKey>(&*key)) {
    auto again = decode_group_key(encode(*group));
    ASSERT(again && std::get<GroupKey>(*again).group == group->group);
  } else if (const auto* of_consumers = std::get_if<ConsumerGroupKey>(&*key)) {
    auto again = decode_group_key(encode(*of_consumers));
    ASSERT(again && std::get<ConsumerGroupKey>(*again) == *of_consumers);
  }
}

template <class T>
void check_again(const Result<T>& value, Result<T> (*decode)(BytesView)) {
  if (value) ASSERT(decode(encode(*value)) == *value);
}

void check_consumer_group(BytesView input) {
  check_again(decode_consumer_group_record(input), decode_consumer_group_record);
  check_again(decode_consumer_member_record(input), decode_consumer_member_record);
  check_again(decode_target(input), decode_target);
  check_again(decode_current_assignment(input), decode_current_assignment);
  if (auto epoch = decode_target_epoch(input)) {
    ASSERT(decode_target_epoch(encode_target_epoch(*epoch)) == *epoch);
  }
}

}  // namespace

void group_record(BytesView input) {
  check_key(input);
  if (auto offset = decode_offset_record(input)) {
    // An expiry takes the place of the leader epoch.
    if (offset->expire_ms >= 0) offset->leader_epoch = -1;
    if (offset->expire_ms < 0) offset->expire_ms = -1;
    ASSERT(decode_offset_record(encode(*offset)) == *offset);
  }
  if (auto group = decode_group_record(input))
    ASSERT(decode_group_record(encode(*group)) == *group);
  decode_subscribed_topics(input);
  check_consumer_group(input);
}

std::vector<Bytes> group_record_seeds() {
  GroupRecord group{"consumer", 3, "range", "a", 1, {}};
  group.members.push_back({"a", "one", "client", "/host", 10, 20, Bytes(3), Bytes(4)});
  Assignment assignment{{Uuid{{1}}, {0, 1}}};
  ConsumerMemberRecord member{"one", "rack", "client", "/host", {"t"}, ".*", 10, "range"};
  return {encode(ConsumerGroupKey{ConsumerGroupKey::Kind::member, "g", "m"}),
          encode(ConsumerGroupRecord{1, 2}),
          encode(member),
          encode(assignment),
          encode(CurrentAssignment{1, 1, ReconcileState::stable, assignment, assignment}),
          encode(OffsetKey{"g", "t", 1}),
          encode(GroupKey{"g"}),
          encode(group),
          encode(OffsetRecord{1, 2, "m", 3, -1}),
          encode(OffsetRecord{1, -1, "m", 3, 4})};
}

}  // namespace leat::fuzz
