// Topics, offsets and groups of a cluster: making, looking, changing. Begin with client.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leat/cluster.h"
#include "leat/completion.h"
#include "leat/options.h"

namespace leat {

namespace client {
class AdminHandle;
}

/// Asks a cluster. Connects when first asked something, and keeps the connections. What a broker
/// says may pass is tried again within ClientOptions::operation_timeout. Errors name topic or group
/// and broker.
///
/// Thread-safe, but for moving and destroying. Any number of operations may be under way. While it
/// is connected, io_context::run() does not return by itself: destroy it, or close() it.
///
/// completion.h says what all operations have in common.
class Admin {
 public:
  Admin(boost::asio::any_io_executor executor, ClientOptions options);
  /// Never blocks: what is under way ends soon, with ClientError::cancelled.
  ~Admin();
  Admin(Admin&&) noexcept;
  Admin& operator=(Admin&&) noexcept;

  /// What is under way, and all that is begun from now on, ends with ClientError::cancelled.
  void close();

  // ---- Topics.

  /// KafkaError::topic_already_exists if it is there.
  template <class Token = DefaultToken>
  auto async_create_topic(NewTopic topic, Token&& token = {}) {
    return detail::initiate(handle_, &create_topic, std::forward<Token>(token), std::move(topic));
  }

  /// KafkaError::unknown_topic_or_partition if it is not there.
  template <class Token = DefaultToken>
  auto async_delete_topic(std::string topic, Token&& token = {}) {
    return detail::initiate(handle_, &delete_topic, std::forward<Token>(token), std::move(topic));
  }

  /// Gives a topic more partitions, `count` in all. There is no way back.
  template <class Token = DefaultToken>
  auto async_create_partitions(std::string topic, std::int32_t count, Token&& token = {}) {
    return detail::initiate(handle_, &create_partitions, std::forward<Token>(token),
                            std::move(topic), count);
  }

  /// All topics, by name; vector<TopicDescription>.
  template <class Token = DefaultToken>
  auto async_list_topics(Token&& token = {}) {
    return detail::initiate(handle_, &list_topics, std::forward<Token>(token));
  }

  /// KafkaError::unknown_topic_or_partition if it is not there; TopicDescription.
  template <class Token = DefaultToken>
  auto async_describe_topic(std::string topic, Token&& token = {}) {
    return detail::initiate(handle_, &describe_topic, std::forward<Token>(token), std::move(topic));
  }

  /// All settings of a topic; vector<ConfigEntry>.
  template <class Token = DefaultToken>
  auto async_topic_configs(std::string topic, Token&& token = {}) {
    return detail::initiate(handle_, &topic_configs, std::forward<Token>(token), std::move(topic));
  }

  /// Changes those settings and leaves the others, all or none. ClientError::unsupported_version
  /// where a broker from before Kafka 2.3 cannot.
  template <class Token = DefaultToken>
  auto async_alter_topic_configs(std::string topic, std::vector<ConfigChange> changes,
                                 Token&& token = {}) {
    return detail::initiate(handle_, &alter_topic_configs, std::forward<Token>(token),
                            std::move(topic), std::move(changes));
  }

  // ---- Offsets.

  /// An offset for each query, in their order; null where no record is that late;
  /// vector<optional<int64_t>>.
  template <class Token = DefaultToken>
  auto async_list_offsets(std::vector<OffsetQuery> queries, Token&& token = {}) {
    return detail::initiate(handle_, &list_offsets, std::forward<Token>(token), std::move(queries));
  }

  /// Deletes all records before those offsets; -1 stands for the end. Gives the first offset that
  /// each partition has then, in the same order; vector<int64_t>.
  template <class Token = DefaultToken>
  auto async_delete_records(std::vector<PartitionOffset> before, Token&& token = {}) {
    return detail::initiate(handle_, &delete_records, std::forward<Token>(token),
                            std::move(before));
  }

  // ---- Brokers and groups.

  /// One attempt: not tried again; ClusterDescription.
  template <class Token = DefaultToken>
  auto async_describe_cluster(Token&& token = {}) {
    return detail::initiate(handle_, &describe_cluster, std::forward<Token>(token));
  }

  /// The groups of all brokers, by id; vector<GroupListing>.
  template <class Token = DefaultToken>
  auto async_list_groups(Token&& token = {}) {
    return detail::initiate(handle_, &list_groups, std::forward<Token>(token));
  }

  /// KafkaError::group_id_not_found if there is none; GroupDescription.
  template <class Token = DefaultToken>
  auto async_describe_group(std::string group, Token&& token = {}) {
    return detail::initiate(handle_, &describe_group, std::forward<Token>(token), std::move(group));
  }

  /// All that the group has committed, by partition; vector<CommittedOffset>.
  template <class Token = DefaultToken>
  auto async_group_offsets(std::string group, Token&& token = {}) {
    return detail::initiate(handle_, &group_offsets, std::forward<Token>(token), std::move(group));
  }

  /// Sets a group to those offsets; others that it has committed stay. Refused with
  /// KafkaError::unknown_member_id while it has members: only they commit.
  template <class Token = DefaultToken>
  auto async_alter_group_offsets(std::string group, std::vector<CommittedOffset> offsets,
                                 Token&& token = {}) {
    return detail::initiate(handle_, &alter_group_offsets, std::forward<Token>(token),
                            std::move(group), std::move(offsets));
  }

  /// With all that it has committed. KafkaError::non_empty_group while it has members.
  template <class Token = DefaultToken>
  auto async_delete_group(std::string group, Token&& token = {}) {
    return detail::initiate(handle_, &delete_group, std::forward<Token>(token), std::move(group));
  }

 private:
  using Handle = client::AdminHandle;
  template <class... T>
  using Completion = detail::Completion<T...>;

  static void create_topic(Handle& handle, Completion<> done, NewTopic topic);
  static void delete_topic(Handle& handle, Completion<> done, std::string topic);
  static void create_partitions(Handle& handle, Completion<> done, std::string topic,
                                std::int32_t count);
  static void list_topics(Handle& handle, Completion<std::vector<TopicDescription>> done);
  static void describe_topic(Handle& handle, Completion<TopicDescription> done, std::string topic);
  static void topic_configs(Handle& handle, Completion<std::vector<ConfigEntry>> done,
                            std::string topic);
  static void alter_topic_configs(Handle& handle, Completion<> done, std::string topic,
                                  std::vector<ConfigChange> changes);
  static void list_offsets(Handle& handle,
                           Completion<std::vector<std::optional<std::int64_t>>> done,
                           std::vector<OffsetQuery> queries);
  static void delete_records(Handle& handle, Completion<std::vector<std::int64_t>> done,
                             std::vector<PartitionOffset> before);
  static void describe_cluster(Handle& handle, Completion<ClusterDescription> done);
  static void list_groups(Handle& handle, Completion<std::vector<GroupListing>> done);
  static void describe_group(Handle& handle, Completion<GroupDescription> done, std::string group);
  static void group_offsets(Handle& handle, Completion<std::vector<CommittedOffset>> done,
                            std::string group);
  static void alter_group_offsets(Handle& handle, Completion<> done, std::string group,
                                  std::vector<CommittedOffset> offsets);
  static void delete_group(Handle& handle, Completion<> done, std::string group);

  std::shared_ptr<Handle> handle_;
};

}  // namespace leat
