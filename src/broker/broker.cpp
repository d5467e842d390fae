#include "broker/broker.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "broker/epochs.h"
#include "broker/own_topics.h"
#include "broker/producer_ids.h"
#include "broker/topic_name.h"
#include "broker/transactions.h"

namespace leat::broker {
namespace {

using Partitions = std::vector<std::shared_ptr<Partition>>;

/// Changes the settings of all, each on its shard, and calls `done` at home when all have them.
void change_all(const Partitions& partitions, const TopicSettings& settings, Executor& home,
                Broker::Done done) {
  struct Pending {
    std::size_t left;
    Broker::Done done;
  };
  auto pending = std::make_shared<Pending>(Pending{partitions.size(), std::move(done)});
  auto changed = [pending] {
    if (--pending->left == 0) pending->done({});
  };
  for (const auto& partition : partitions) {
    partition->executor().post([partition, settings, &home, changed] {
      partition->set_settings(settings);
      home.post(changed);
    });
  }
}

/// What is appended to them waits from here on until end_making(). They live at home, or nobody
/// knows of them yet.
Partitions begin_making(const Partitions& all, std::size_t first) {
  Partitions made(all.begin() + static_cast<std::ptrdiff_t>(first), all.end());
  for (const auto& partition : made) partition->begin_making();
  return made;
}

void end_making(const Partitions& partitions, Executor& home, const Result<void>& made) {
  for (const auto& partition : partitions) {
    if (&partition->executor() == &home) {
      partition->end_making(made);
    } else {
      partition->executor().post([partition, made] { partition->end_making(made); });
    }
  }
}

Error unknown_id() {
  return {Errc::unknown_topic_id, "there is no topic with this id"};
}

}  // namespace

Broker::Broker(const log::Store::Environment& environment, BrokerOptions options, Random random)
    : environment_(environment), options_(std::move(options)), random_(random) {}

Broker::~Broker() {
  if (retention_timer_ != 0) environment_.executor.cancel(retention_timer_);
  for (const auto& [id, partitions] : partitions_) {
    for (const auto& partition : partitions) {
      partition->set_gone();
      partition->abandon();
    }
  }
}

Result<std::unique_ptr<Broker>> Broker::open(const log::Store::Environment& environment,
                                             const BrokerOptions& options, Random random) {
  std::unique_ptr<Broker> broker(new Broker(environment, options, random));
  broker->options_.store.lives_at_home = is_own_topic_id;
  auto store = log::Store::open(environment, broker->options_.store);
  if (!store) return fail(store);
  broker->store_ = std::move(*store);

  log::LogOptions keep_all;
  keep_all.retention_ms = -1;
  keep_all.is_essential = true;
  auto catalog_log = broker->store_->log(catalog_partition(), keep_all);
  if (!catalog_log) return fail(catalog_log);
  auto catalog = Catalog::open(**catalog_log, environment.clock, environment.executor);
  if (!catalog) return fail(catalog);
  broker->catalog_ = std::move(*catalog);
  broker->producer_ids_ = std::make_unique<ProducerIds>(*broker->catalog_, environment.executor);
  broker->transactions_ = std::make_unique<Transactions>(*broker, *broker->producer_ids_);
  broker->epochs_ = std::make_unique<Epochs>(*broker);
  if (auto opened = broker->open_topics(); !opened) return fail(opened);
  broker->transactions_->open();
  broker->epochs_->recover();

  broker->ensure_cluster_id();
  broker->schedule_retention();
  broker->groups_ =
      std::make_unique<Groups>(*broker, broker->options_.groups, Random(broker->random_.next()));
  broker->groups_->load();
  return broker;
}

Result<void> Broker::open_topics() {
  for (const auto& [name, topic] : catalog_->topics()) {
    if (auto opened = open_partitions(topic); !opened) return opened;
  }
  // What the catalog does not know was being deleted when the last process ended, or was not made
  // whole: a partition is in the catalog, durably, before its first append is answered.
  for (const TopicPartition& id : store_->partitions()) {
    const TopicInfo* topic = catalog_->find(id.topic_id);
    bool is_known = topic != nullptr && id.partition.value() < topic->partitions;
    if (id == catalog_partition() || is_known) continue;
    // One of ours that was not made whole will be made again: nothing in it was acknowledged.
    if (is_fixed_topic_id(id.topic_id)) continue;
    log_info("removing what is left of the deleted topic {}, partition {}", id.topic_id.to_hex(),
             id.partition.value());
    store_->remove_log(id);
  }
  publish({});
  return {};
}

Result<void> Broker::open_partitions(const TopicInfo& topic) {
  TopicSettings settings = parse_topic_settings(topic.configs);
  settings.log.is_essential = is_internal_topic(topic.name) && !is_epochs_topic(topic.name);
  auto& partitions = partitions_[topic.id];
  for (auto i = static_cast<std::int32_t>(partitions.size()); i < topic.partitions; ++i) {
    auto log = store_->log({topic.id, PartitionId{i}}, settings.log);
    if (!log) return fail(log);
    Executor& executor = (*log)->executor();
    Partition::Environment environment{executor, environment_.clock, scratch_[&executor],
                                       transactions_.get()};
    partitions.push_back(
        std::make_shared<Partition>(std::move(*log), environment, topic.name, settings));
    ++partition_count_;
  }
  return {};
}

void Broker::ensure_cluster_id() {
  if (!catalog_->cluster_id().is_zero()) return;
  catalog_->set_cluster_id(Uuid::random(random_), [](Result<void> written) {
    if (!written) log_error("cannot write the cluster id: {}", written.error().what);
  });
}

void Broker::publish(const Uuid& changed) {
  topics_.erase(changed);
  std::vector<TopicPtr> topics;
  topics.reserve(catalog_->topics().size());
  for (const auto& [name, info] : catalog_->topics()) {
    TopicPtr& topic = topics_[info.id];
    if (!topic) {
      auto partitions = partitions_.at(info.id);
      partitions.resize(static_cast<std::size_t>(info.partitions));
      topic = std::make_shared<const Topic>(Topic{info, std::move(partitions)});
    }
    topics.push_back(topic);
  }
  table_.store(std::make_shared<const TopicTable>(std::move(topics)));
}

std::shared_ptr<Partition> Broker::find_partition(std::string_view topic,
                                                  PartitionId partition) const {
  TopicPtr found = find_topic(topic);
  return found ? found->partition(partition) : nullptr;
}

std::shared_ptr<Partition> Broker::find_partition(const Uuid& topic_id,
                                                  PartitionId partition) const {
  TopicPtr found = find_topic(topic_id);
  return found ? found->partition(partition) : nullptr;
}

std::shared_ptr<Partition> Broker::find_remaining(const TopicPartition& id) const {
  auto found = partitions_.find(id.topic_id);
  auto index = static_cast<std::size_t>(id.partition.value());
  bool is_there =
      found != partitions_.end() && id.partition >= PartitionId{0} && index < found->second.size();
  return is_there ? found->second[index] : nullptr;
}

Result<TopicInfo> Broker::check_new_topic(const NewTopic& topic) const {
  if (auto checked = check_topic_name(topic.name); !checked) return fail(checked);
  bool is_own = topic.is_own || !topic.id.is_zero();
  if (is_internal_topic(topic.name) && !is_own) {
    return fail(
        Errc::invalid_topic,
        fmt::format("topic '{}' is the server's own, and made when it is needed", topic.name));
  }
  if (catalog_->find(topic.name) != nullptr) {
    return fail(Errc::topic_already_exists, fmt::format("topic '{}' already exists", topic.name));
  }
  for (const auto& [name, info] : catalog_->topics()) {
    if (!is_own && topic_names_collide(name, topic.name)) {
      return fail(Errc::invalid_topic,
                  fmt::format("topic '{}' differs from '{}' only in '.' and '_', which metrics "
                              "cannot tell apart",
                              topic.name, name));
    }
  }
  TopicInfo info;
  info.name = topic.name;
  info.partitions = topic.partitions == -1 ? options_.default_partitions : topic.partitions;
  if (info.partitions < 1) {
    return fail(Errc::invalid_partitions,
                fmt::format("topic '{}' needs at least one partition, not {}", topic.name,
                            topic.partitions));
  }
  if (auto room = check_room(info.partitions); !room) return fail(room);
  if (auto checked = check_topic_configs(topic.configs); !checked) return fail(checked);
  info.configs = topic.configs;
  return info;
}

Result<void> Broker::check_room(std::int32_t more) const {
  if (partition_count_ + more <= options_.partitions_max) return {};
  return fail(Errc::policy_violation,
              fmt::format("{} partitions more than the {} there are would exceed this server's "
                          "limit of {}",
                          more, partition_count_, options_.partitions_max));
}

Uuid Broker::draw_topic_id(bool is_own) {
  while (true) {
    Uuid id = is_own ? draw_own_topic_id(random_) : Uuid::random(random_);
    if (!partitions_.contains(id)) return id;
  }
}

void Broker::create_topic(const NewTopic& topic, CreateDone done) {
  auto checked = check_new_topic(topic);
  if (!checked) return refuse(std::move(done), checked.error());
  TopicInfo info = std::move(*checked);
  info.id = topic.id.is_zero() ? draw_topic_id(topic.is_own) : topic.id;
  info.created_ms = environment_.clock.wall_ms();
  if (auto opened = open_partitions(info); !opened) {
    forget_partitions(info.id);
    return refuse(std::move(done), opened.error());
  }
  // The topic exists for everybody from here on, so that a second request for it finds it.
  auto made = begin_making(partitions_.at(info.id), 0);
  catalog_->put(info, [this, info, made, done = std::move(done)](Result<void> written) mutable {
    end_making(made, environment_.executor, written);
    if (!written) {
      publish(info.id);
      // One of ours will be made again under the same id, perhaps before its removal were over.
      if (!is_fixed_topic_id(info.id)) forget_partitions(info.id);
      return done(fail(written));
    }
    done(info);
  });
  publish(info.id);
}

void Broker::forget_partitions(const Uuid& topic_id, std::int32_t count) {
  auto found = partitions_.find(topic_id);
  ASSERT(found != partitions_.end());
  auto& partitions = found->second;
  while (static_cast<std::int32_t>(partitions.size()) > count) {
    Executor& executor = partitions.back()->executor();
    executor.post([gone = std::move(partitions.back())] { gone->set_gone(); });
    partitions.pop_back();
    --partition_count_;
    store_->remove_log({topic_id, PartitionId{static_cast<std::int32_t>(partitions.size())}});
  }
  if (partitions.empty()) partitions_.erase(found);
}

void Broker::delete_topic(const Uuid& id, Done done) {
  const TopicInfo* known = catalog_->find(id);
  if (known == nullptr) return refuse(std::move(done), unknown_id());
  if (is_internal_topic(known->name)) {
    return refuse(std::move(done), {Errc::invalid_request,
                                    fmt::format("topic '{}' is the server's own", known->name)});
  }
  delete_own_topic(id, std::move(done));
}

void Broker::delete_own_topic(const Uuid& id, Done done) {
  const TopicInfo* known = catalog_->find(id);
  if (known == nullptr) return refuse(std::move(done), unknown_id());
  std::string name = known->name;
  // Gone for clients at once; the data goes when the removal is durable.
  catalog_->remove(id, [this, id, done = std::move(done)](Result<void> written) mutable {
    publish(id);
    if (written) forget_partitions(id);
    done(std::move(written));
  });
  publish(id);
  // In the same turn, and so behind the removal in the journal and before a new topic of that name.
  groups_->forget_topic(name);
}

Result<void> Broker::check_new_partitions(const Uuid& id, std::int32_t count) const {
  const TopicInfo* info = catalog_->find(id);
  if (info == nullptr) return tl::unexpected(unknown_id());
  if (is_internal_topic(info->name)) {
    return fail(Errc::invalid_request, fmt::format("topic '{}' is the server's own", info->name));
  }
  if (count <= info->partitions) {
    return fail(Errc::invalid_partitions,
                fmt::format("topic '{}' has {} partitions, which {} would not increase", info->name,
                            info->partitions, count));
  }
  return check_room(count - info->partitions);
}

void Broker::create_partitions(const Uuid& id, std::int32_t count, Done done) {
  if (auto checked = check_new_partitions(id, count); !checked) {
    return refuse(std::move(done), checked.error());
  }
  TopicInfo info = *catalog_->find(id);
  std::int32_t before = std::exchange(info.partitions, count);
  if (auto opened = open_partitions(info); !opened) {
    forget_partitions(id, before);
    return refuse(std::move(done), opened.error());
  }
  auto made = begin_making(partitions_.at(id), static_cast<std::size_t>(before));
  catalog_->put(std::move(info),
                [this, id, made, done = std::move(done)](Result<void> written) mutable {
                  end_making(made, environment_.executor, written);
                  // The catalog has gone back to what is durable, and so must we.
                  const TopicInfo* now = catalog_->find(id);
                  if (!written && now != nullptr) {
                    publish(id);
                    forget_partitions(id, now->partitions);
                  }
                  done(std::move(written));
                });
  publish(id);
}

void Broker::alter_topic(const Uuid& id, ConfigMap configs, Done done) {
  const TopicInfo* known = catalog_->find(id);
  if (known == nullptr) return refuse(std::move(done), unknown_id());
  if (auto checked = check_topic_configs(configs); !checked) {
    return refuse(std::move(done), checked.error());
  }
  TopicSettings settings = parse_topic_settings(configs);
  TopicInfo info = *known;
  info.configs = std::move(configs);
  catalog_->put(std::move(info),
                [this, id, settings, done = std::move(done)](Result<void> written) mutable {
                  publish(id);
                  auto found = partitions_.find(id);
                  if (!written || found == partitions_.end()) return done(std::move(written));
                  change_all(found->second, settings, environment_.executor, std::move(done));
                });
  publish(id);
}

void Broker::schedule_retention() {
  retention_timer_ = environment_.executor.after(options_.retention_check_interval, [this] {
    std::map<Executor*, std::vector<std::shared_ptr<Partition>>> by_shard;
    for (const auto& [id, partitions] : partitions_) {
      for (const auto& partition : partitions) {
        by_shard[&partition->executor()].push_back(partition);
      }
    }
    for (auto& [executor, partitions] : by_shard) {
      executor->post([partitions = std::move(partitions)] {
        for (const auto& partition : partitions) {
          // Where the log knows its producers, nobody else may ask who ends what a crash left open.
          if (partition->log().has_producers()) partition->load_producers([](auto&&) {});
          partition->log().apply_retention();
        }
      });
    }
    schedule_retention();
  });
}

void Broker::close(UniqueFunction<void(Result<void>)> done) {
  if (retention_timer_ != 0) environment_.executor.cancel(retention_timer_);
  retention_timer_ = 0;
  epochs_->leave();
  store_->close(std::move(done));
}

}  // namespace leat::broker
