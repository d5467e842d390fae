// A client for programs without an event loop: every call waits for its result.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/admin.h"
#include "client/error.h"
#include "client/group_admin.h"
#include "leat/options.h"

namespace leat::client {

class Session;

/// Owns a thread that does all that has to do with sockets. Connects when first asked something.
/// Thread-safe. Errors name topic, partition, broker and Kafka's code; Errc::cancelled once
/// `options.stop` is requested. Destruction waits for no broker.
class BlockingClient {
 public:
  explicit BlockingClient(ClientOptions options);
  ~BlockingClient();
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;

  /// As the functions of that name in admin.h.
  Result<ClusterDescription> describe_cluster();
  Result<void> create_topic(NewTopic topic);
  Result<void> delete_topic(std::string name);
  Result<void> alter_topic(std::string name, std::vector<ConfigChange> changes);
  Result<std::vector<TopicMetadata>> list_topics();
  Result<TopicMetadata> describe_topic(std::string name, bool create = false);
  Result<std::vector<TopicConfig>> topic_configs(std::string name);
  Result<std::vector<OffsetFound>> list_offsets(std::vector<OffsetQuery> queries,
                                                bool read_committed);

  /// As the functions of that name in group_admin.h.
  Result<std::vector<ListedGroup>> list_groups();
  Result<GroupDescription> describe_group(std::string group);
  Result<std::vector<GroupOffset>> group_offsets(std::string group);
  Result<void> commit_group_offsets(std::string group, std::vector<GroupOffset> offsets);
  Result<void> delete_group(std::string group);

  const std::shared_ptr<Session>& session() const { return session_; }

 private:
  std::shared_ptr<Session> session_;
};

}  // namespace leat::client
