#include "broker/committed_offsets.h"

#include <utility>

namespace leat::broker {
namespace {

/// Of a node of each map, about.
constexpr std::uint64_t topic_bytes = 128;
constexpr std::uint64_t partition_bytes = 160;

}  // namespace

CommittedOffset* CommittedOffsets::find(std::string_view topic, std::int32_t partition) {
  return const_cast<CommittedOffset*>(std::as_const(*this).find(topic, partition));
}

const CommittedOffset* CommittedOffsets::find(std::string_view topic,
                                              std::int32_t partition) const {
  auto partitions = topics_.find(topic);
  if (partitions == topics_.end()) return nullptr;
  auto found = partitions->second.find(partition);
  return found == partitions->second.end() ? nullptr : &found->second;
}

CommittedOffset& CommittedOffsets::at(std::string_view topic, std::int32_t partition) {
  auto partitions = topics_.find(topic);
  if (partitions == topics_.end()) {
    partitions = topics_.emplace(topic, Partitions{}).first;
    memory_bytes_ += topic_bytes + topic.size();
  }
  auto [found, is_new] = partitions->second.try_emplace(partition);
  if (is_new) memory_bytes_ += partition_bytes;
  return found->second;
}

void CommittedOffsets::set(std::string_view topic, std::int32_t partition, OffsetRecord value,
                           Offset log_offset) {
  CommittedOffset& committed = at(topic, partition);
  if (committed.value && committed.log_offset > log_offset) return;
  if (committed.value) memory_bytes_ -= committed.value->metadata.size();
  memory_bytes_ += value.metadata.size();
  committed.value = std::move(value);
  committed.log_offset = log_offset;
}

void CommittedOffsets::reset(std::string_view topic, std::int32_t partition) {
  CommittedOffset* committed = find(topic, partition);
  if (committed == nullptr || !committed->value) return;
  memory_bytes_ -= committed->value->metadata.size();
  committed->value.reset();
}

void CommittedOffsets::drop_unneeded(std::string_view topic, std::int32_t partition) {
  auto partitions = topics_.find(topic);
  if (partitions == topics_.end()) return;
  auto found = partitions->second.find(partition);
  if (found == partitions->second.end() || found->second.is_needed()) return;
  partitions->second.erase(found);
  memory_bytes_ -= partition_bytes;
  if (!partitions->second.empty()) return;
  memory_bytes_ -= topic_bytes + partitions->first.size();
  topics_.erase(partitions);
}

}  // namespace leat::broker
