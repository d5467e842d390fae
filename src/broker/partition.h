// One partition as clients see it: what may be appended, where a fetch may read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "broker/topic_config.h"
#include "log/log.h"
#include "record/scratch.h"
#include "record/validate.h"

namespace leat::broker {

/// A produce that was taken.
struct Appended {
  Offset base_offset;
  /// The broker's time for topics with LogAppendTime, else -1.
  std::int64_t append_time_ms = -1;
  Offset start_offset;
};

/// The answer to ListOffsets.
struct ListedOffset {
  Offset offset;
  std::int64_t timestamp_ms = -1;
  LeaderEpoch leader_epoch;
};

/// ListOffsets' special timestamps.
inline constexpr std::int64_t latest_timestamp = -1;
inline constexpr std::int64_t earliest_timestamp = -2;
inline constexpr std::int64_t max_timestamp = -3;
inline constexpr std::int64_t earliest_local_timestamp = -4;
inline constexpr std::int64_t latest_tiered_timestamp = -5;

/// Lives on the executor of its shard, like its log; what is const, but settings(), is thread-safe.
class Partition {
 public:
  /// What all partitions of an executor share. Outlives them.
  struct Environment {
    Executor& executor;
    const Clock& clock;
    record::Scratch& scratch;
  };
  Partition(std::shared_ptr<log::Log> log, const Environment& environment, std::string topic,
            const TopicSettings& settings);
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  /// Calls `listener` when this partition goes, because its topic is deleted or the broker ends,
  /// until the ticket dies; at once if it has gone. Whoever holds a partition should let go of it
  /// then, so that its files can be given back.
  using Ticket = std::shared_ptr<void>;
  [[nodiscard]] Ticket on_gone(UniqueFunction<void()> listener);
  /// The broker has forgotten it: tells whoever listens. The caller holds it meanwhile.
  void set_gone();

  using AppendDone = UniqueFunction<void(Result<Appended>)>;
  /// Checks a producer's bytes (record/validate.h; the codes of Kafka's LogValidator) and appends
  /// them. `done` is called exactly once, never before append() returned. `records` are changed in
  /// place and kept alive by `owner` until then. `produce_version` decides what is allowed (zstd).
  /// `rejected`, if given, gets the records to blame before append() returns.
  void append(std::shared_ptr<const void> owner, MutableBytes records, int produce_version,
              AppendDone done, std::vector<record::RecordError>* rejected = nullptr);

  /// Moves the start up to `offset`, or to the high watermark for -1, durably; gives the start that
  /// there is then. Errors: offset_out_of_range above the high watermark, policy_violation where
  /// the topic is only compacted.
  void delete_records(std::int64_t offset, UniqueFunction<void(Result<Offset>)> done);

  std::shared_ptr<const log::LogView> view() const { return log_->view(); }
  log::Log& log() { return *log_; }
  const log::Log& log() const { return *log_; }
  const std::string& topic() const { return topic_; }
  /// The one that it lives on.
  Executor& executor() const { return environment_.executor; }
  PartitionId id() const { return log_->id().partition; }

  /// -1 (client does not say) passes; Errc::fenced_leader_epoch or unknown_leader_epoch else, where
  /// the client's epoch is not ours.
  Result<void> check_leader_epoch(std::int32_t client_epoch) const;

  void set_settings(const TopicSettings& settings);
  const TopicSettings& settings() const { return settings_; }

 private:
  Result<log::Batch> check(std::shared_ptr<const void> owner, MutableBytes records,
                           int produce_version, std::int64_t now_ms,
                           std::vector<record::RecordError>* rejected) const;

  std::shared_ptr<log::Log> log_;
  Environment environment_;
  std::string topic_;
  TopicSettings settings_;
  std::vector<std::weak_ptr<UniqueFunction<void()>>> gone_listeners_;
  bool is_gone_ = false;
};

/// Finds an offset by time or by one of the special timestamps, in `view`. Blocks on the disk for
/// real timestamps and max_timestamp; any thread. nullopt: no such record (offset -1 on the wire).
Result<std::optional<ListedOffset>> list_offset(const log::LogView& view, LeaderEpoch epoch,
                                                std::int64_t timestamp);

/// The last leader epoch that is not above the one asked for, and the offset at which it ended.
struct EpochEnd {
  LeaderEpoch epoch;
  Offset offset;
};

/// Finds where `epoch` ended in `view`, of which `current` is the newest epoch. Blocks on the disk
/// for past epochs, any thread. nullopt for an epoch that has not begun.
Result<std::optional<EpochEnd>> find_epoch_end(const log::LogView& view, LeaderEpoch current,
                                               std::int32_t epoch);

}  // namespace leat::broker
