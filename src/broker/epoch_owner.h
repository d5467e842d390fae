// One owner of epochs: its topic, who writes to it, and what a start found of it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/once.h"
#include "base/result.h"
#include "broker/epoch_commit.h"
#include "broker/epoch_ends.h"
#include "broker/epoch_envelope.h"
#include "broker/epoch_recovery.h"
#include "broker/epochs.h"

namespace leat::broker {

class Broker;
class Partition;

/// Lives at home. Writers hold it.
class EpochOwner : public std::enable_shared_from_this<EpochOwner> {
 public:
  /// The broker outlives all calls.
  EpochOwner(Broker& broker, std::string name);

  /// Reads the end of its topic, if it has one. Blocks.
  void read();
  /// Why that cannot be known; nullopt where it is.
  const std::optional<Error>& unread() const { return unread_; }

  void leave() { ends_->leave(); }
  /// The broker ends, and takes its partitions along.
  void let_go() { topic_.reset(); }

  /// As of Epochs, one after the other.
  void open(Epochs::OpenDone done);
  void remove(Epochs::Done done);
  bool is_removed() const { return is_removed_ && requests_.empty(); }

  /// Whether the producer is its writer's, or that of an epoch that a start found.
  bool has(ProducerId producer) const;
  /// As of Epochs; has the last epoch ended.
  void adopt(ProducerId producer, const TopicPartition& partition, Epochs::Known known);

 private:
  class Writer;
  /// What a writer may do, until another one may.
  struct Lease {
    ProducerId producer{-1};
    std::int32_t epochs = 0;  // 31 bits, as sequences
    std::optional<Error> refusal{};
    std::shared_ptr<std::set<TopicPartition>> loaded = std::make_shared<std::set<TopicPartition>>();
  };
  struct Request {
    Epochs::OpenDone open;
    Epochs::Done remove;
  };

  void commit(const std::shared_ptr<Lease>& lease, Bytes record,
              std::vector<EpochWriter::Output> output, Once<void> done);
  void committed(const std::shared_ptr<Lease>& lease, const EpochCommit::Outcome& outcome,
                 Once<void> done);

  void next();
  /// When nothing is under way, serves the first request.
  void settle();
  void serve();
  void serve_open();
  void serve_remove();
  void draw();
  void give(const Result<ProducerId>& producer);
  void answer(const Error& error);
  void answered();
  /// Finds out what became of the last epoch, and has it ended.
  void resolve(Epochs::Done then);
  void resolved(const Result<std::vector<EpochEnding>>& ends);

  Broker& broker_;
  const std::string name_;
  const std::string topic_name_;
  std::shared_ptr<Partition> topic_;
  std::optional<Error> unread_;
  std::optional<LastEpoch> last_;  // that the start found, until all is ended
  bool is_resolved_ = false;
  std::vector<Epochs::Done> resolving_;
  std::shared_ptr<EpochEnds> ends_;
  std::shared_ptr<Lease> lease_;
  bool is_committing_ = false;
  std::deque<Request> requests_;
  bool is_serving_ = false;
  bool is_removed_ = false;
};

}  // namespace leat::broker
