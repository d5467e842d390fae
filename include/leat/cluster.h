// What a cluster is asked for besides records, and what it tells: topics, offsets, groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/record.h"

namespace leat {

struct NewTopic {
  NewTopic() = default;
  NewTopic(std::string with_name, std::optional<std::int32_t> with_partitions = {},
           std::optional<std::int16_t> with_replication_factor = {})
      : name(std::move(with_name)),
        partitions(with_partitions),
        replication_factor(with_replication_factor) {}

  std::string name;
  /// The broker's defaults where they are not given.
  std::optional<std::int32_t> partitions;
  std::optional<std::int16_t> replication_factor;
  /// Settings of its own, such as {"cleanup.policy", "compact"}.
  std::vector<std::pair<std::string, std::string>> configs;
};

struct PartitionDescription {
  /// The broker that is asked for its records; -1 while there is none.
  std::int32_t leader = -1;
  /// Rises whenever the leader changes.
  std::int32_t leader_epoch = -1;
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> in_sync_replicas;
};

struct TopicDescription {
  std::string name;
  /// 32 hexadecimal digits, others for a topic that is made anew under its name; empty where
  /// brokers from before Kafka 2.8 have none.
  std::string id;
  bool is_internal = false;
  /// By number.
  std::vector<PartitionDescription> partitions;
};

/// A setting of a topic.
struct ConfigEntry {
  std::string name;
  /// Null where the broker does not show it.
  std::optional<std::string> value;
  /// Not set for this topic itself.
  bool is_default = false;
};

struct ConfigChange {
  std::string name;
  /// Null: as the broker has it for all topics.
  std::optional<std::string> value;
};

/// Asks for one offset of a partition.
struct OffsetQuery {
  enum class Kind : std::uint8_t {
    /// Of the first record that is kept.
    start,
    /// Of the record that comes next, as far as consumers may read by now.
    end,
    /// Where those who read only committed records end: before the first open transaction.
    stable_end,
    /// Of the first record with this timestamp or a later one.
    time,
  };
  Partition partition;
  Kind kind = Kind::end;
  /// With Kind::time.
  Timestamp time = {};
};

struct BrokerDescription {
  std::int32_t id = -1;
  /// As brokers tell clients to reach it.
  std::string host;
  std::uint16_t port = 0;
};

struct ClusterDescription {
  std::string id;
  /// -1 where the cluster does not say.
  std::int32_t controller = -1;
  /// By id.
  std::vector<BrokerDescription> brokers;
};

/// A group as brokers list it.
struct GroupListing {
  std::string id;
  /// "consumer", but for groups of other kinds.
  std::string protocol_type;
  /// In Kafka's words, such as "Stable" or "Empty"; empty where an old broker does not say.
  std::string state;
};

struct MemberDescription {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::vector<Partition> assignment;
};

struct GroupDescription {
  std::string id;
  std::string state;
  std::string protocol_type;
  /// How it shares out partitions, such as "range".
  std::string protocol;
  std::vector<MemberDescription> members;
};

/// Who commits: a member of a group, as its consumer knows itself. A group alone, without
/// generation and member, stands for a program that shares out partitions by itself.
struct GroupMetadata {
  std::string group;
  std::int32_t generation = -1;
  std::string member_id;
  std::optional<std::string> instance_id;
};

/// How far a group is in a partition.
struct CommittedOffset {
  Partition partition;
  /// Of the record that comes next.
  std::int64_t offset = 0;
  /// What was committed beside it.
  std::string metadata = {};
};

}  // namespace leat
