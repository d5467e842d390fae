#include "broker/topic_table.h"

#include <algorithm>
#include <utility>

namespace leat::broker {

std::shared_ptr<Partition> Topic::partition(PartitionId id) const {
  auto index = static_cast<std::size_t>(id.value());
  return id.value() < 0 || index >= partitions.size() ? nullptr : partitions[index];
}

TopicTable::TopicTable(std::vector<TopicPtr> topics) : by_name_(std::move(topics)) {
  by_id_ = by_name_;
  std::sort(by_id_.begin(), by_id_.end(),
            [](const TopicPtr& a, const TopicPtr& b) { return a->info.id < b->info.id; });
}

TopicPtr TopicTable::find(std::string_view name) const {
  auto found = std::lower_bound(
      by_name_.begin(), by_name_.end(), name,
      [](const TopicPtr& topic, std::string_view n) { return topic->info.name < n; });
  return found == by_name_.end() || (*found)->info.name != name ? nullptr : *found;
}

TopicPtr TopicTable::find(const Uuid& id) const {
  auto found =
      std::lower_bound(by_id_.begin(), by_id_.end(), id,
                       [](const TopicPtr& topic, const Uuid& i) { return topic->info.id < i; });
  return found == by_id_.end() || (*found)->info.id != id ? nullptr : *found;
}

}  // namespace leat::broker
