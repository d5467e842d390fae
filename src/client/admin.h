// What is asked of a cluster besides producing and consuming. Each is tried again, within the
// operation timeout, while brokers say that it may succeed later.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/error.h"
#include "client/metadata.h"
#include "net/task.h"

namespace leat::client {

class Cluster;

struct NewTopic {
  std::string name;
  /// The broker's default where they are not given.
  std::optional<std::int32_t> partitions;
  std::optional<std::int16_t> replication_factor;
  std::vector<std::pair<std::string, std::string>> configs;
};

struct TopicConfig {
  std::string name;
  std::optional<std::string> value;
  /// Not set for this topic itself.
  bool is_default = false;
};

/// What ListOffsets may be asked for instead of a time.
inline constexpr std::int64_t at_end = -1;
inline constexpr std::int64_t at_start = -2;

struct OffsetQuery {
  std::string topic;
  std::int32_t partition = 0;
  /// at_start, at_end, or milliseconds since 1970: then the first record at or after it.
  std::int64_t at = at_end;
};

/// The answer to one query; nothing when no record is that late.
using OffsetFound = std::optional<std::int64_t>;

/// The brokers as they tell clients to reach them.
struct ClusterDescription {
  std::string id;
  std::int32_t controller = -1;
  std::map<std::int32_t, net::Address> brokers;
};
/// One attempt.
net::Task<Result<ClusterDescription>> describe_cluster(std::shared_ptr<Cluster> cluster);
net::Task<Result<void>> create_topic(std::shared_ptr<Cluster> cluster, NewTopic topic);
net::Task<Result<void>> delete_topic(std::shared_ptr<Cluster> cluster, std::string name);
/// Errc::unsupported_version where the broker cannot change configurations.
net::Task<Result<void>> alter_topic(std::shared_ptr<Cluster> cluster, std::string name,
                                    std::vector<std::pair<std::string, std::string>> configs);
/// All topics, by name.
net::Task<Result<std::vector<TopicMetadata>>> list_topics(std::shared_ptr<Cluster> cluster);
/// Errc::unknown_topic_or_partition if it is not there; with `create` a broker that makes topics by
/// itself makes it.
net::Task<Result<TopicMetadata>> describe_topic(std::shared_ptr<Cluster> cluster, std::string name,
                                                bool create = false);
net::Task<Result<std::vector<TopicConfig>>> topic_configs(std::shared_ptr<Cluster> cluster,
                                                          std::string name);
/// In the order of the queries. With `read_committed` the end is the last stable offset.
net::Task<Result<std::vector<OffsetFound>>> list_offsets(std::shared_ptr<Cluster> cluster,
                                                         std::vector<OffsetQuery> queries,
                                                         bool read_committed);

}  // namespace leat::client
