#include "client/topic_partitions.h"

#include <algorithm>

namespace leat::client {

std::size_t count_of(const TopicPartitions& partitions) {
  std::size_t count = 0;
  for (const auto& [topic, numbers] : partitions) count += numbers.size();
  return count;
}

bool contains(const TopicPartitions& partitions, std::string_view topic, std::int32_t partition) {
  auto known = partitions.find(std::string(topic));
  if (known == partitions.end()) return false;
  return std::find(known->second.begin(), known->second.end(), partition) != known->second.end();
}

TopicPartitions sorted(const TopicPartitions& partitions) {
  TopicPartitions all;
  for (const auto& [topic, numbers] : partitions) {
    if (numbers.empty()) continue;
    std::vector<std::int32_t>& of_topic = all[topic] = numbers;
    std::sort(of_topic.begin(), of_topic.end());
    of_topic.erase(std::unique(of_topic.begin(), of_topic.end()), of_topic.end());
  }
  return all;
}

TopicPartitions unite(const TopicPartitions& a, const TopicPartitions& b) {
  TopicPartitions all = a;
  for (const auto& [topic, numbers] : b) {
    std::vector<std::int32_t>& of_topic = all[topic];
    of_topic.insert(of_topic.end(), numbers.begin(), numbers.end());
  }
  return sorted(all);
}

TopicPartitions subtract(const TopicPartitions& a, const TopicPartitions& b) {
  TopicPartitions rest = sorted(a);
  for (const auto& [topic, numbers] : sorted(b)) {
    auto known = rest.find(topic);
    if (known == rest.end()) continue;
    std::erase_if(known->second, [&taken = numbers](std::int32_t number) {
      return std::binary_search(taken.begin(), taken.end(), number);
    });
    if (known->second.empty()) rest.erase(known);
  }
  return rest;
}

}  // namespace leat::client
