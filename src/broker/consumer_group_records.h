// What __consumer_offsets remembers of a group of the new protocol (KIP-848), in Kafka's own
// formats. Several records a group, so that a change writes no more than what has changed. The last
// record of a key is the truth; one without a value says that there is nothing any more.
//
//   key           = i16 kind  group [member]
//   kind 3, group = i16 0  epoch:i32 tags { 0: topics_hash:i64 }
//   kind 5, member's wishes
//                 = i16 0  instance? rack? client_id client_host topics regex?
//                   rebalance_timeout_ms:i32 assignor? tags
//   kind 6, epoch of the target
//                 = i16 0  epoch:i32 tags
//   kind 7, member's target
//                 = i16 0  partitions tags
//   kind 8, what the member has
//                 = i16 0  epoch:i32 previous_epoch:i32 state:i8 partitions partitions(to give up)
//                   tags
//   partitions    = count of { topic_id:16 bytes, count of i32, tags }
//
// Texts of keys have an i16 length. In values lengths and counts are compact (a uvarint, one more
// than the number; 0 for null, which '?' may be), and tagged fields stand behind each struct: those
// we do not know are passed over. Kafka's kinds 4 and 16 only repeat what the topics say; we write
// none, and pass over them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "broker/assignment.h"

namespace leat::broker {

struct ConsumerGroupKey {
  /// In the order in which a change writes them: what is cut short is seen to be unfinished, since
  /// a target's epoch comes behind the target, and is below the group's until then.
  enum class Kind { group, member, target, target_epoch, current };
  Kind kind{};
  std::string group;
  /// Empty where the record is about the group.
  std::string member = {};
  friend bool operator==(const ConsumerGroupKey&, const ConsumerGroupKey&) = default;
};

struct ConsumerGroupRecord {
  std::int32_t epoch = 0;
  /// Of the topics that its members want, as they were last seen.
  std::int64_t topics_hash = 0;
  friend bool operator==(const ConsumerGroupRecord&, const ConsumerGroupRecord&) = default;
};

/// What a member says of itself.
struct ConsumerMemberRecord {
  std::optional<std::string> instance_id = {};
  std::optional<std::string> rack_id = {};
  std::string client_id = {};
  std::string client_host = {};
  std::set<std::string> topics = {};
  std::optional<std::string> topic_regex = {};
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::string> assignor = {};
  friend bool operator==(const ConsumerMemberRecord&, const ConsumerMemberRecord&) = default;
};

/// How far a member is on the way to its target.
enum class ReconcileState : std::int8_t {
  /// It has all of it.
  stable = 0,
  /// It still has to give up partitions.
  unrevoked_partitions = 1,
  /// It waits for partitions that others have to give up.
  unreleased_partitions = 2,
};

struct CurrentAssignment {
  std::int32_t epoch = 0;
  /// The one before: its member may not have heard of the present one.
  std::int32_t previous_epoch = 0;
  ReconcileState state = ReconcileState::stable;
  Assignment assigned = {};
  /// What it has to give up, and may still have.
  Assignment revoking = {};
  friend bool operator==(const CurrentAssignment&, const CurrentAssignment&) = default;
};

Bytes encode(const ConsumerGroupKey& key);
Bytes encode(const ConsumerGroupRecord& value);
Bytes encode(const ConsumerMemberRecord& value);
Bytes encode_target_epoch(std::int32_t epoch);
Bytes encode(const Assignment& target);
Bytes encode(const CurrentAssignment& value);

/// nullopt for a key of another kind. Errors: corrupt_message.
Result<std::optional<ConsumerGroupKey>> decode_consumer_group_key(BytesView bytes);
/// Errors: corrupt_message, unsupported_format for a version that is newer.
Result<ConsumerGroupRecord> decode_consumer_group_record(BytesView bytes);
Result<ConsumerMemberRecord> decode_consumer_member_record(BytesView bytes);
Result<std::int32_t> decode_target_epoch(BytesView bytes);
Result<Assignment> decode_target(BytesView bytes);
Result<CurrentAssignment> decode_current_assignment(BytesView bytes);

/// A group as its records describe it.
struct StoredConsumerGroup {
  struct Member {
    std::optional<ConsumerMemberRecord> about = {};
    Assignment target = {};
    CurrentAssignment current = {};
  };
  std::optional<ConsumerGroupRecord> group = {};
  std::int32_t target_epoch = 0;
  std::map<std::string, Member> members = {};

  /// Takes in a record; `value` is nullopt where it has none.
  Result<void> apply(const ConsumerGroupKey& key, std::optional<BytesView> value);
};

}  // namespace leat::broker
