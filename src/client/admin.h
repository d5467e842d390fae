// What is asked of a cluster besides producing and consuming. Each is tried again, within the
// operation timeout, while brokers say that it may succeed later.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/caller.h"
#include "client/error.h"
#include "client/metadata.h"
#include "client/offset_lookup.h"
#include "leat/cluster.h"
#include "net/task.h"

namespace leat::client {

using leat::ConfigChange;
using leat::NewTopic;

struct TopicConfig {
  std::string name;
  std::optional<std::string> value;
  /// Not set for this topic itself.
  bool is_default = false;
};

/// The brokers as they tell clients to reach them.
struct ClusterDescription {
  std::string id;
  std::int32_t controller = -1;
  std::map<std::int32_t, net::Address> brokers;
};
/// One attempt.
net::Task<Result<ClusterDescription>> describe_cluster(Caller caller);
net::Task<Result<void>> create_topic(Caller caller, NewTopic topic);
net::Task<Result<void>> delete_topic(Caller caller, std::string name);
/// Errc::unsupported_version where the broker cannot change configurations.
net::Task<Result<void>> alter_topic(Caller caller, std::string name,
                                    std::vector<ConfigChange> changes);
/// `count` partitions in all.
net::Task<Result<void>> create_partitions(Caller caller, std::string name, std::int32_t count);
/// All topics, by name.
net::Task<Result<std::vector<TopicMetadata>>> list_topics(Caller caller);
/// Errc::unknown_topic_or_partition if it is not there; with `create` a broker that makes topics by
/// itself makes it.
net::Task<Result<TopicMetadata>> describe_topic(Caller caller, std::string name,
                                                bool create = false);
net::Task<Result<std::vector<TopicConfig>>> topic_configs(Caller caller, std::string name);

}  // namespace leat::client
