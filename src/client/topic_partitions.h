// Sets of partitions, as members of a group hand them around.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace leat::client {

/// Partitions, by topic.
using TopicPartitions = std::map<std::string, std::vector<std::int32_t>>;

std::size_t count_of(const TopicPartitions& partitions);
bool contains(const TopicPartitions& partitions, std::string_view topic, std::int32_t partition);

// These give sorted partitions, each once, and no topic without any:

TopicPartitions sorted(const TopicPartitions& partitions);
TopicPartitions unite(const TopicPartitions& a, const TopicPartitions& b);
/// Those of `a` that are not in `b`.
TopicPartitions subtract(const TopicPartitions& a, const TopicPartitions& b);

}  // namespace leat::client
