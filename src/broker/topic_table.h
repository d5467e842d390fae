// The topics of a broker at one moment, for whoever asks on whatever thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/uuid.h"
#include "broker/catalog.h"
#include "broker/partition.h"

namespace leat::broker {

/// A topic and its partitions, by number.
struct Topic {
  TopicInfo info;
  std::vector<std::shared_ptr<Partition>> partitions;

  /// nullptr if there is none.
  std::shared_ptr<Partition> partition(PartitionId id) const;
};

using TopicPtr = std::shared_ptr<const Topic>;

/// Immutable, so thread-safe: a change of the topics publishes another table.
class TopicTable {
 public:
  TopicTable() = default;
  /// `topics` are sorted by name.
  explicit TopicTable(std::vector<TopicPtr> topics);

  /// nullptr if there is none.
  TopicPtr find(std::string_view name) const;
  TopicPtr find(const Uuid& id) const;
  /// By name.
  const std::vector<TopicPtr>& topics() const { return by_name_; }

 private:
  std::vector<TopicPtr> by_name_;
  std::vector<TopicPtr> by_id_;
};

}  // namespace leat::broker
