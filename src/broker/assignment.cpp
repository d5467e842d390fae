#include "broker/assignment.h"

#include <algorithm>

namespace leat::broker {

std::size_t count_partitions(const Assignment& assignment) {
  std::size_t count = 0;
  for (const auto& [topic, partitions] : assignment) count += partitions.size();
  return count;
}

bool contains(const Assignment& assignment, const Uuid& topic, std::int32_t partition) {
  auto found = assignment.find(topic);
  return found != assignment.end() && found->second.contains(partition);
}

bool is_part_of(const Assignment& part, const Assignment& whole) {
  return std::all_of(part.begin(), part.end(), [&](const auto& of_topic) {
    auto found = whole.find(of_topic.first);
    if (found == whole.end()) return of_topic.second.empty();
    return std::includes(found->second.begin(), found->second.end(), of_topic.second.begin(),
                         of_topic.second.end());
  });
}

bool intersects(const Assignment& a, const Assignment& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& of_topic) {
    return std::any_of(of_topic.second.begin(), of_topic.second.end(), [&](std::int32_t partition) {
      return contains(b, of_topic.first, partition);
    });
  });
}

void add(Assignment& to, const Assignment& more) {
  for (const auto& [topic, partitions] : more) {
    if (!partitions.empty()) to[topic].insert(partitions.begin(), partitions.end());
  }
}

}  // namespace leat::broker
