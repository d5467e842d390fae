// The records of __consumer_offsets, in Kafka's own formats, so that its tools can read them. The
// last record of a key is the truth; one without a value says that there is nothing any more.
//
//   offset key    = i16 version (0, 1)  group topic partition:i32
//   offset value  = i16 version (0..4)  offset:i64 [leader_epoch:i32 from 3] metadata commit_ms:i64
//                   [expire_ms:i64 in 1]
//   group key     = i16 version (2)     group
//   group value   = i16 version (0..4)  protocol_type generation:i32 protocol? leader?
//                   [state_ms:i64 from 2] count:i32 of
//                     { member_id [instance? from 3] client_id client_host
//                       [rebalance_timeout_ms:i32 from 1] session_timeout_ms:i32
//                       subscription assignment }
//
// Groups of the new protocol have records of their own: broker/consumer_group_records.h.
//
// Texts have an i16 length, byte strings an i32 one; '?' may be null, with the length -1. Values of
// version 4 are flexible: compact lengths, and tagged fields behind each struct. We write version
// 3, or 1 for an offset with an expiry of its own. All numbers are big-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "broker/consumer_group_records.h"

namespace leat::broker {

struct OffsetKey {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;
};
struct GroupKey {
  std::string group;
};
/// What a version of Kafka that is newer than this one has written: to be passed over.
struct UnknownKey {};
using GroupRecordKey = std::variant<UnknownKey, OffsetKey, GroupKey, ConsumerGroupKey>;

struct OffsetRecord {
  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  std::int64_t commit_ms = 0;
  /// -1: as the server's retention says.
  std::int64_t expire_ms = -1;
  friend bool operator==(const OffsetRecord&, const OffsetRecord&) = default;
};

struct MemberRecord {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = 0;
  std::int32_t session_timeout_ms = 0;
  Bytes subscription;
  Bytes assignment;
  friend bool operator==(const MemberRecord&, const MemberRecord&) = default;
};

struct GroupRecord {
  std::string protocol_type;
  std::int32_t generation = 0;
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  /// When the group came into its state, by the broker's clock; -1: not known.
  std::int64_t state_ms = -1;
  std::vector<MemberRecord> members;
  friend bool operator==(const GroupRecord&, const GroupRecord&) = default;
};

Bytes encode(const OffsetKey& key);
Bytes encode(const GroupKey& key);
Bytes encode(const OffsetRecord& value);
Bytes encode(const GroupRecord& value);

/// Errors: corrupt_message.
Result<GroupRecordKey> decode_group_key(BytesView bytes);
/// Errors: corrupt_message, unsupported_format for a version that is newer than 4.
Result<OffsetRecord> decode_offset_record(BytesView bytes);
Result<GroupRecord> decode_group_record(BytesView bytes);

/// The topics that a member of a group of consumers wants, from its subscription as Kafka's clients
/// write it; nullopt where it is written otherwise.
std::optional<std::vector<std::string>> decode_subscribed_topics(BytesView subscription);

}  // namespace leat::broker
