// What members of a group of consumers tell each other, as all of Kafka's clients write it. Brokers
// do not look into it. Numbers are big-endian; texts have an i16 length, bytes an i32 one, and both
// are null where that is -1.
//
//   partitions   := count:i32 { topic:text count:i32 partition:i32* }*
//   subscription := version:i16 count:i32 topic:text* user_data:bytes?
//                   owned:partitions (from version 1) generation:i32 (2) rack:text? (3)
//   assignment   := version:i16 partitions user_data:bytes?       the same in versions 0 to 3
//   user_data    := partitions generation:i32   of sticky: what the member had last; before Kafka
//                                               2.3 without the generation
//                 | generation:i32              of cooperative-sticky
//                 | "leat" version:i8(1) count:i32 { topic:text partitions:i32 }*    ours, of what
//                 a
//                                               leader is given: what it has shared out
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "client/error.h"
#include "client/topic_partitions.h"

namespace leat::client {

/// The protocol that consumers of all libraries know.
inline constexpr const char* consumer_protocol_type = "consumer";
/// Of a member that was in no generation yet, or that does not say in which.
inline constexpr std::int32_t no_generation = -1;

/// What a member says of itself when it joins.
struct Subscription {
  std::vector<std::string> topics;
  /// What its assignor wants to be told.
  std::optional<Bytes> user_data;
  /// What it has and does not give up by joining.
  TopicPartitions owned;
  /// In which it was given `owned`.
  std::int32_t generation = no_generation;
  std::optional<std::string> rack;

  bool operator==(const Subscription&) const = default;
};

Bytes encode_subscription(const Subscription& subscription);
/// How many partitions topics had, by name.
using SharedOut = std::map<std::string, std::int32_t>;
/// `shared_out` is what a leader notes for its next instance, as user data: which topics, and how
/// many partitions of each, it has shared out. Nothing is noted where it is empty.
Bytes encode_assignment(const TopicPartitions& partitions, const SharedOut& shared_out = {});
/// Of any version; of one that is not known yet, what is known of it. Errc::malformed.
Result<Subscription> decode_subscription(BytesView bytes);
/// Errc::malformed; nothing at all is an empty assignment.
Result<TopicPartitions> decode_assignment(BytesView bytes);
/// What a leader of ours has noted in an assignment; nothing if there is no such note.
std::optional<SharedOut> decode_shared_out(BytesView assignment);

/// What a member had when it was last given something.
struct Possession {
  TopicPartitions partitions;
  std::int32_t generation = no_generation;

  bool operator==(const Possession&) const = default;
};

/// The user data of sticky.
Bytes encode_possession(const Possession& possession);
/// Errc::malformed.
Result<Possession> decode_possession(BytesView bytes);

}  // namespace leat::client
