// What a client knows of a cluster: its brokers, its topics, and who leads each partition.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "net/address.h"
#include "wire/error_code.h"
#include "wire/metadata.h"

namespace leat::client {

struct PartitionMetadata {
  /// -1 when there is none.
  std::int32_t leader = -1;
  std::int32_t leader_epoch = -1;
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> in_sync_replicas;
  wire::ErrorCode error = wire::ErrorCode::none;
};

struct TopicMetadata {
  std::string name;
  Uuid id;
  bool is_internal = false;
  /// Why there are no partitions, if there are none.
  wire::ErrorCode error = wire::ErrorCode::none;
  /// By number.
  std::vector<PartitionMetadata> partitions;
};

/// Not thread-safe.
class Metadata {
 public:
  /// Takes in an answer, which may be about some topics only. A broker that lags behind may still
  /// name the leader before: the higher leader epoch wins.
  void update(const wire::MetadataResponse& response);
  /// Keeps the leader from being asked until an answer names one again.
  void forget_leader(std::string_view topic, std::int32_t partition);
  /// Forgets all topics, before an answer that names every one that there is.
  void forget_topics() { topics_.clear(); }

  /// Null for a topic that no answer was about.
  const TopicMetadata* topic(std::string_view name) const;
  std::optional<std::int32_t> leader(std::string_view topic, std::int32_t partition) const;
  std::int32_t leader_epoch(std::string_view topic, std::int32_t partition) const;
  std::optional<net::Address> broker(std::int32_t id) const;

  const std::map<std::int32_t, net::Address>& brokers() const { return brokers_; }
  const std::map<std::string, TopicMetadata, std::less<>>& topics() const { return topics_; }
  std::int32_t controller() const { return controller_; }
  const std::string& cluster_id() const { return cluster_id_; }

 private:
  const PartitionMetadata* find(std::string_view topic, std::int32_t partition) const;

  std::map<std::int32_t, net::Address> brokers_;
  std::map<std::string, TopicMetadata, std::less<>> topics_;
  std::int32_t controller_ = -1;
  std::string cluster_id_;
};

}  // namespace leat::client
