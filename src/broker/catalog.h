// The topics of a data directory, kept as a log of their own: one record a change, keyed by topic
// id, in a partition with a fixed id. The last record of a key is the truth.
//
//   key    = topic id (16 bytes), or 16 zero bytes for the cluster's own record, or 15 and a 1 for
//            producer ids
//   value  = absent: the topic was deleted
//          | u8 version (1) u8 kind (1: topic)
//            i16 length + name, i32 partitions, i64 created ms,
//            i32 count of { i16 length + config name, i32 length + value }
//          | u8 version (1) u8 kind (2: cluster) 16 bytes cluster id
//          | u8 version (1) u8 kind (3: producer ids) i64: those below it may have been given out
//
// All numbers are big-endian.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "base/uuid.h"
#include "broker/topic_config.h"
#include "log/log.h"

namespace leat::broker {

/// What the catalog remembers of a topic.
struct TopicInfo {
  Uuid id;
  std::string name;
  std::int32_t partitions = 0;
  std::int64_t created_ms = 0;
  ConfigMap configs;
};

/// The partition in which the catalog itself is kept.
TopicPartition catalog_partition();

/// The catalog's records. Lives on the broker's executor.
class Catalog {
 public:
  using Done = UniqueFunction<void(Result<void>)>;

  /// Replays `log`, which outlives the catalog. Blocks. Errc::corrupt_message when a record of it
  /// cannot be read: without its catalog a server must not start.
  static Result<std::unique_ptr<Catalog>> open(log::Log& log, const Clock& clock,
                                               Executor& executor);

  /// Zero until set_cluster_id().
  const Uuid& cluster_id() const { return cluster_id_; }
  void set_cluster_id(const Uuid& id, Done done);

  /// Producer ids below it may have been given out.
  ProducerId producer_ids_end() const { return producer_ids_end_; }
  /// `done` when it is durable that those below `end` may be.
  void reserve_producer_ids(ProducerId end, Done done);

  const TopicInfo* find(std::string_view name) const;
  const TopicInfo* find(const Uuid& id) const;
  /// By name.
  const std::map<std::string, TopicInfo, std::less<>>& topics() const { return topics_; }

  /// Adds or replaces a topic, under the name it has: visible here at once, durable when `done` is
  /// called; on failure the change is undone before.
  void put(TopicInfo topic, Done done);
  void remove(Uuid id, Done done);

 private:
  Catalog(log::Log& log, const Clock& clock, Executor& executor)
      : log_(log), clock_(clock), executor_(executor) {}
  Result<void> replay();
  Result<void> apply(BytesView key, std::optional<BytesView> value);
  void change(const Uuid& id, std::optional<TopicInfo> topic, Done done);
  void settle(const Uuid& id, const std::optional<TopicInfo>& topic, bool is_written);
  void show(const Uuid& id, const std::optional<TopicInfo>& topic);
  void write(const Uuid& key, std::optional<Bytes> value, Done done);

  /// A topic with changes that are not durable yet.
  struct Unsettled {
    std::optional<TopicInfo> durable;  // nullopt: there is none
    std::int32_t writes = 0;
  };

  log::Log& log_;
  const Clock& clock_;
  Executor& executor_;
  Uuid cluster_id_;
  ProducerId producer_ids_end_{0};
  std::map<std::string, TopicInfo, std::less<>> topics_;
  std::map<Uuid, std::string> names_;
  std::map<Uuid, Unsettled> unsettled_;
};

}  // namespace leat::broker
