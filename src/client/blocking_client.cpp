#include "client/blocking_client.h"

#include "client/session.h"

namespace leat::client {

BlockingClient::BlockingClient(ClientOptions options)
    : session_(std::make_shared<Session>(std::move(options))) {}

BlockingClient::~BlockingClient() = default;

Result<ClusterDescription> BlockingClient::describe_cluster() {
  return session_->run(
      [](const std::shared_ptr<Cluster>& cluster) { return client::describe_cluster(cluster); });
}

Result<void> BlockingClient::create_topic(NewTopic topic) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::create_topic(cluster, std::move(topic));
  });
}

Result<void> BlockingClient::delete_topic(std::string name) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::delete_topic(cluster, std::move(name));
  });
}

Result<void> BlockingClient::alter_topic(std::string name, std::vector<ConfigChange> changes) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::alter_topic(cluster, std::move(name), std::move(changes));
  });
}

Result<std::vector<TopicMetadata>> BlockingClient::list_topics() {
  return session_->run(
      [&](const std::shared_ptr<Cluster>& cluster) { return client::list_topics(cluster); });
}

Result<TopicMetadata> BlockingClient::describe_topic(std::string name, bool create) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::describe_topic(cluster, std::move(name), create);
  });
}

Result<std::vector<TopicConfig>> BlockingClient::topic_configs(std::string name) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::topic_configs(cluster, std::move(name));
  });
}

Result<std::vector<OffsetFound>> BlockingClient::list_offsets(std::vector<OffsetQuery> queries,
                                                              bool read_committed) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::list_offsets(cluster, std::move(queries), read_committed);
  });
}

Result<std::vector<ListedGroup>> BlockingClient::list_groups() {
  return session_->run(
      [](const std::shared_ptr<Cluster>& cluster) { return client::list_groups(cluster); });
}

Result<GroupDescription> BlockingClient::describe_group(std::string group) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::describe_group(cluster, std::move(group));
  });
}

Result<std::vector<GroupOffset>> BlockingClient::group_offsets(std::string group) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::group_offsets(cluster, std::move(group));
  });
}

Result<void> BlockingClient::commit_group_offsets(std::string group,
                                                  std::vector<GroupOffset> offsets) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::commit_group_offsets(cluster, std::move(group), std::move(offsets));
  });
}

Result<void> BlockingClient::delete_group(std::string group) {
  return session_->run([&](const std::shared_ptr<Cluster>& cluster) {
    return client::delete_group(cluster, std::move(group));
  });
}

}  // namespace leat::client
