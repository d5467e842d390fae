// One epoch on its way into the log: its batches to their partitions, on their shards, and then,
// when all have their offsets, its record, which says where they are. What waits on several shards
// goes into one commit of the journal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "broker/epoch_envelope.h"
#include "broker/epochs.h"

namespace leat::broker {

class Broker;
class Partition;

/// Lives at home.
class EpochCommit : public std::enable_shared_from_this<EpochCommit> {
 public:
  struct Epoch {
    ProducerId producer{-1};
    std::int32_t number = 0;
    std::int32_t record_sequence = 0;
    Bytes record{};
    /// Batches of the producer, with their sequences.
    std::vector<EpochWriter::Output> output{};
    /// Of earlier epochs, whose markers are not durable yet.
    std::vector<EpochPlace> ended{};
  };
  /// When everything that was appended is durable or has failed.
  struct Outcome {
    /// Of the first that failed: the epoch is to be aborted where it is.
    std::optional<Error> error;
    /// Where something of it is, durably.
    std::vector<EpochPlace> places;
    std::optional<EpochPlace> record;
  };
  using Done = UniqueFunction<void(Outcome)>;

  /// `topic` is the owner's. Partitions in `loaded` know their producers; those that come to it are
  /// added. The broker outlives all calls.
  EpochCommit(Broker& broker, std::shared_ptr<Partition> topic, Epoch epoch,
              std::shared_ptr<std::set<TopicPartition>> loaded);
  /// Once. `done` is called later.
  void start(Done done);

 private:
  struct Target;
  struct Group;

  Result<void> find_targets();
  void load();
  void loaded(const std::optional<Error>& error);
  void place();
  void placed(const std::vector<EpochPlace>& places, const std::optional<Error>& error);
  void append_record();
  void settled(const std::vector<EpochPlace>& places, const std::optional<Error>& error);
  void note(const std::optional<Error>& error);
  void finish();

  Broker& broker_;
  const std::shared_ptr<Partition> topic_;
  Epoch epoch_;
  const std::shared_ptr<std::set<TopicPartition>> loaded_;
  Done done_;
  std::vector<std::shared_ptr<Group>> groups_;  // one a shard
  std::size_t output_bytes_ = 0;
  std::size_t unloaded_ = 0;
  std::size_t unplaced_ = 0;
  std::size_t unsettled_ = 0;
  std::vector<EpochPlace> places_;
  Outcome outcome_{};
  std::shared_ptr<void> hold_;
};

}  // namespace leat::broker
