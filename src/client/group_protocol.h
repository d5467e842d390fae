// What members of a group of consumers tell each other, as all of Kafka's clients write it. Brokers
// do not look into it. Numbers are big-endian; texts have an i16 length, bytes an i32 one.
//
//   subscription := version:i16 count:i32 topic* user_data:bytes?     more in later versions
//   assignment   := version:i16 count:i32 { topic count:i32 partition:i32* }* user_data:bytes?
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "client/error.h"

namespace leat::client {

/// The protocol that consumers of all libraries know.
inline constexpr const char* consumer_protocol_type = "consumer";
inline constexpr const char* range_protocol = "range";

using Subscription = std::vector<std::string>;
/// Partitions, by topic.
using TopicPartitions = std::map<std::string, std::vector<std::int32_t>>;

Bytes encode_subscription(const Subscription& topics);
Bytes encode_assignment(const TopicPartitions& partitions);
/// Errc::malformed.
Result<Subscription> decode_subscription(BytesView bytes);
/// Errc::malformed; nothing at all is an empty assignment.
Result<TopicPartitions> decode_assignment(BytesView bytes);

/// Shares out each topic's partitions in ranges, the first members getting one more where it does
/// not come out even. Members are by id, `partition_counts` by topic.
std::map<std::string, TopicPartitions> assign_ranges(
    const std::map<std::string, Subscription>& members,
    const std::map<std::string, std::int32_t>& partition_counts);

}  // namespace leat::client
