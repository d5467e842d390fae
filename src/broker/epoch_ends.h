// The markers that end an owner's epochs, on their way into the partitions.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "broker/epoch_envelope.h"

namespace leat::broker {

class Broker;
class Partition;

/// What is to become of an epoch, and where.
struct EpochEnding {
  ProducerId producer{-1};
  bool is_commit = false;
  /// Those that have batches of it, durably.
  std::vector<EpochPlace> places{};
  /// That of its record. An abort gets there last: until it is there, a start that finds the record
  /// looks at the others again.
  std::optional<EpochPlace> record{};
};

/// Has each marker written until it is durable, or its partition is gone, after ever longer pauses.
/// A later epoch takes the place of an earlier one in a partition: behind its batches stands the
/// marker of the one before. Lives at home.
class EpochEnds : public std::enable_shared_from_this<EpochEnds> {
 public:
  /// The broker outlives all calls.
  EpochEnds(Broker& broker, std::string owner);

  /// Ends the epoch; `passed`, perhaps at once, when the last stable offsets of all partitions that
  /// know their producers have passed it, if it is a commit.
  void end(const EpochEnding& what, Work passed);
  /// Where markers of committed epochs are not durable yet, but for the records' own.
  std::vector<EpochPlace> undone() const;
  /// The broker closes: what cannot be written any more is left to the next start.
  void leave() { is_leaving_ = true; }
  using Done = UniqueFunction<void(Result<void>)>;
  /// `done`, perhaps at once, when all markers are durable, or with the error of the first that
  /// cannot be written now.
  void when_done(Done done);

 private:
  struct Marker {
    ProducerId producer{-1};
    bool is_commit = false;
    bool is_of_record = false;
    EpochPlace place{};
    std::chrono::milliseconds pause{0};  // before the next try
    std::shared_ptr<Partition> partition{};
    std::optional<Error> error{};
  };
  struct Group;
  void send(std::vector<Marker> markers, Work passed);
  void settled(const std::vector<Marker>& markers);
  void retry(const Marker& marker, const Error& error);
  void settle();
  void tell(const Result<void>& result);

  Broker& broker_;
  const std::string owner_;
  std::map<TopicPartition, Marker> pending_;
  std::optional<Marker> last_;  // of the record of an epoch that is aborted
  std::vector<Done> waiting_;
  bool is_leaving_ = false;
};

}  // namespace leat::broker
