#include "client/metadata.h"

#include <utility>

namespace leat::client {

namespace {

/// Numbers of partitions come off the wire: more than that is no topic but a broken answer.
constexpr std::int32_t max_partitions = 1'000'000;

TopicMetadata to_metadata(const wire::MetadataResponse::Topic& topic) {
  TopicMetadata metadata;
  metadata.name = topic.name.value_or("");
  metadata.id = topic.topic_id;
  metadata.is_internal = topic.is_internal;
  metadata.error = topic.error_code;
  for (const auto& from : topic.partitions) {
    if (from.partition_index < 0 || from.partition_index >= max_partitions) continue;
    auto index = static_cast<std::size_t>(from.partition_index);
    if (metadata.partitions.size() <= index) metadata.partitions.resize(index + 1);
    metadata.partitions[index] = {.leader = from.leader_id,
                                  .leader_epoch = from.leader_epoch,
                                  .replicas = from.replica_nodes,
                                  .in_sync_replicas = from.isr_nodes,
                                  .error = from.error_code};
  }
  return metadata;
}

}  // namespace

void Metadata::update(const wire::MetadataResponse& response) {
  if (!response.brokers.empty()) brokers_.clear();
  for (const auto& broker : response.brokers)
    brokers_[broker.node_id] = {broker.host, static_cast<std::uint16_t>(broker.port)};
  controller_ = response.controller_id;
  if (response.cluster_id) cluster_id_ = *response.cluster_id;
  for (const auto& topic : response.topics) {
    if (!topic.name) continue;
    TopicMetadata fresh = to_metadata(topic);
    TopicMetadata& known = topics_[*topic.name];
    std::size_t both = std::min(known.partitions.size(), fresh.partitions.size());
    for (std::size_t i = 0; i < both && known.id == fresh.id; ++i)
      if (fresh.partitions[i].leader_epoch < known.partitions[i].leader_epoch)
        fresh.partitions[i] = known.partitions[i];
    known = std::move(fresh);
  }
}

void Metadata::forget_leader(std::string_view topic, std::int32_t partition) {
  if (!find(topic, partition)) return;
  topics_.find(topic)->second.partitions[static_cast<std::size_t>(partition)].leader = -1;
}

const TopicMetadata* Metadata::topic(std::string_view name) const {
  auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : &found->second;
}

const PartitionMetadata* Metadata::find(std::string_view topic_name, std::int32_t partition) const {
  const TopicMetadata* known = topic(topic_name);
  if (!known || partition < 0 || partition >= std::ssize(known->partitions)) return nullptr;
  return &known->partitions[static_cast<std::size_t>(partition)];
}

std::optional<std::int32_t> Metadata::leader(std::string_view topic, std::int32_t partition) const {
  const PartitionMetadata* known = find(topic, partition);
  if (!known || known->leader < 0 || !brokers_.contains(known->leader)) return std::nullopt;
  return known->leader;
}

std::int32_t Metadata::leader_epoch(std::string_view topic, std::int32_t partition) const {
  const PartitionMetadata* known = find(topic, partition);
  return known ? known->leader_epoch : -1;
}

std::optional<net::Address> Metadata::broker(std::int32_t id) const {
  auto found = brokers_.find(id);
  if (found == brokers_.end()) return std::nullopt;
  return found->second;
}

}  // namespace leat::client
