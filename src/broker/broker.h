// The broker: a data directory's topics and partitions, behind every protocol. No sockets here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/published.h"
#include "base/result.h"
#include "broker/catalog.h"
#include "broker/groups.h"
#include "broker/partition.h"
#include "broker/topic_table.h"
#include "file/file.h"
#include "log/store.h"

namespace leat::broker {

class Epochs;
class ProducerIds;
class Transactions;

struct BrokerOptions {
  log::StoreOptions store;
  bool auto_create_topics = true;
  /// Partitions of a topic made without a count.
  std::int32_t default_partitions = 1;
  /// All topics together; keeps auto-creation from eating descriptors and memory.
  std::int32_t partitions_max = 20'000;
  std::chrono::milliseconds retention_check_interval{5'000};
  GroupOptions groups = {};
};

/// What CreateTopics asks for.
struct NewTopic {
  std::string name;
  /// -1: the default.
  std::int32_t partitions = -1;
  ConfigMap configs;
  /// Of a topic of the server's own that always has this id; zero: one is drawn.
  Uuid id = {};
  /// A topic of the server's own, which lives at home; so is one with an id.
  bool is_own = false;
};

/// Lives on one executor, home, where every member is called that does not say it is thread-safe.
/// Its partitions live on the executors of their shards.
class Broker {
 public:
  /// Opens the directory and everything in it. Blocks until it is recovered; call it on the
  /// executor or before that runs. The environment outlives the broker. Ids of topics are drawn
  /// from `random`: seed it from the operating system outside of simulations.
  static Result<std::unique_ptr<Broker>> open(const log::Store::Environment& environment,
                                              const BrokerOptions& options, Random random);
  /// On its executor, or where none runs; those of the other shards run no more.
  ~Broker();

  /// Thread-safe: it never changes.
  const Uuid& cluster_id() const { return catalog_->cluster_id(); }

  /// The newest table of topics. Thread-safe.
  std::shared_ptr<const TopicTable> topics() const { return table_.load(); }
  /// Look-ups in the newest table: nullptr if there is none. Thread-safe. Whoever needs more than
  /// one of them should take the table, so that they agree.
  TopicPtr find_topic(std::string_view name) const { return topics()->find(name); }
  TopicPtr find_topic(const Uuid& id) const { return topics()->find(id); }
  std::shared_ptr<Partition> find_partition(std::string_view topic, PartitionId partition) const;
  std::shared_ptr<Partition> find_partition(const Uuid& topic_id, PartitionId partition) const;

  /// The same at home, also of a topic whose removal is not durable yet, and may fail.
  std::shared_ptr<Partition> find_remaining(const TopicPartition& id) const;

  using CreateDone = UniqueFunction<void(Result<TopicInfo>)>;
  /// Makes a topic; `done` when it is durable. Errors: invalid_topic (name, or one that differs
  /// from an existing topic only in '.' and '_', or the server's own), topic_already_exists,
  /// invalid_partitions, invalid_config, policy_violation (the cap on partitions).
  void create_topic(const NewTopic& topic, CreateDone done);
  /// All checks of create_topic() and nothing else (validate_only).
  Result<TopicInfo> check_new_topic(const NewTopic& topic) const;
  using Done = UniqueFunction<void(Result<void>)>;
  /// Forgets the topic, durably, and removes its data in the background. Errors: unknown_topic_id,
  /// invalid_request for one of the server's own.
  void delete_topic(const Uuid& id, Done done);
  /// The same for any topic, at the server's own wish.
  void delete_own_topic(const Uuid& id, Done done);
  /// Gives a topic more partitions, `count` in all; `done` when it is durable. Errors:
  /// unknown_topic_id, invalid_partitions, policy_violation (the cap on partitions).
  void create_partitions(const Uuid& id, std::int32_t count, Done done);
  Result<void> check_new_partitions(const Uuid& id, std::int32_t count) const;
  /// Replaces a topic's settings; they act when they are durable, which is when `done` is called.
  /// Errors: unknown_topic_id, invalid_config.
  void alter_topic(const Uuid& id, ConfigMap configs, Done done);

  /// The coordinator of all groups.
  Groups& groups() { return *groups_; }
  ProducerIds& producer_ids() { return *producer_ids_; }
  Transactions& transactions() { return *transactions_; }
  /// What pipelines commit.
  Epochs& epochs() { return *epochs_; }

  // Thread-safe, but for what the store says:
  const BrokerOptions& options() const { return options_; }
  log::Store& store() { return *store_; }
  const Clock& clock() const { return environment_.clock; }
  /// Home.
  Executor& executor() { return environment_.executor; }
  file::FileSystem& files() { return environment_.files; }

  /// Makes everything durable, so that the next open is quick. Afterwards only destruction is
  /// allowed; appends fail.
  void close(UniqueFunction<void(Result<void>)> done);

 private:
  Broker(const log::Store::Environment& environment, BrokerOptions options, Random random);
  Result<void> open_topics();
  /// Opens those that the topic has and are not open yet.
  Result<void> open_partitions(const TopicInfo& topic);
  /// Errc::policy_violation where so many partitions more are too many.
  Result<void> check_room(std::int32_t more) const;
  template <class T>
  void refuse(UniqueFunction<void(Result<T>)> done, Error error) {
    environment_.executor.post([done = std::move(done), error = std::move(error)]() mutable {
      done(tl::unexpected(std::move(error)));
    });
  }
  /// One that no topic has; chance may repeat itself, where a generator is seeded alike.
  Uuid draw_topic_id(bool is_own);
  /// Publishes the topics that the catalog has now, of which one has changed.
  void publish(const Uuid& changed);
  void ensure_cluster_id();
  /// Forgets all partitions of the topic from `count` on.
  void forget_partitions(const Uuid& topic_id, std::int32_t count = 0);
  void schedule_retention();

  log::Store::Environment environment_;
  BrokerOptions options_;
  Random random_;
  std::map<Executor*, record::Scratch> scratch_;  // one a shard
  std::unique_ptr<log::Store> store_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<ProducerIds> producer_ids_;
  std::unique_ptr<Transactions> transactions_;
  std::unique_ptr<Epochs> epochs_;
  // By topic; also of topics whose removal is not durable yet.
  std::map<Uuid, std::vector<std::shared_ptr<Partition>>> partitions_;
  std::map<Uuid, TopicPtr> topics_;  // as they are in the table
  Published<TopicTable> table_{std::make_shared<const TopicTable>()};
  std::int64_t partition_count_ = 0;
  std::unique_ptr<Groups> groups_;
  Executor::TimerId retention_timer_ = 0;
};

}  // namespace leat::broker
