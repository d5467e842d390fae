// How pipelines commit: an epoch's output in any number of partitions, and the record that says
// what the epoch was, in all of them or in none, with one commit of the journal.
//
// Each version of a pipeline is an owner, with a topic of the server's own for its records,
// "__epochs.<owner>". The batches of an epoch are a transaction of the owner's producer, and so is
// its record, which lists where they are. All of them are appended at once. When all are durable,
// the epoch is committed: readers of committed records see it from then on, and the markers that
// other programs know transactions by are appended for the next commit of the journal. After a
// crash the last record and the partitions that it lists say what became of the epoch.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "base/uuid.h"

namespace leat::broker {

class Broker;
class EpochOwner;

/// The topic of an owner's records: one partition, a record an epoch, without a key; its value is
/// what EpochWriter::commit() was given. Read committed records only.
std::string epochs_topic(const std::string& owner);

/// Commits the epochs of one owner. Made by Epochs::open(). Thread-safe, but for what it says of
/// one commit at a time. It may be let go at any time: a commit under way goes on. Nothing is asked
/// of it once the broker is gone.
class EpochWriter {
 public:
  /// A plain batch, without producer id, for one of the topics that clients may write to. It is
  /// held to the topic's settings, as a client's batch is. A partition may have several, which are
  /// appended in this order.
  struct Output {
    TopicPartition partition;
    Bytes batch;
  };
  using Done = UniqueFunction<void(Result<void>)>;

  virtual ~EpochWriter() = default;
  /// Appends `output` and `record`, and calls `done`, once and on any thread, when all of it is
  /// durable and committed, or none of it ever will be seen by readers of committed records. They
  /// see it then, where no transaction of somebody else is open in front of it. One
  /// commit at a time: REQUIRES that the one before is done; `done` itself may begin the next.
  ///
  /// After an error the writer refuses everything, with that error. Whether the epoch of an error
  /// of the disk counts after all, as it may after a restart, is seen in the topic's records once
  /// Epochs::open() has given another writer. Errors: those of Partition::append(), no_space,
  /// request_timed_out (too much waits for the disk), storage_error, unknown_topic_or_partition,
  /// producer_fenced where somebody else has opened the owner since, cancelled when the broker has
  /// gone.
  virtual void commit(Bytes record, std::vector<Output> output, Done done) = 0;
  virtual const std::string& topic() const = 0;
};

/// The epochs of all owners. Lives on the broker's executor, home, where every member is called.
class Epochs {
 public:
  /// The broker outlives it.
  explicit Epochs(Broker& broker);
  ~Epochs();

  using OpenDone = UniqueFunction<void(Result<std::shared_ptr<EpochWriter>>)>;
  /// Gives a writer for `owner`, whose topic is made if it is missing. All earlier epochs are
  /// committed or aborted by then, durably and in every partition; a writer that somebody else has
  /// refuses from now on. Errors: invalid_topic (a name that no topic may have), policy_violation
  /// (the cap on partitions), corrupt_message (the topic's end cannot be read), no_space and what
  /// else keeps the last epoch from being ended, which is tried on in the background.
  void open(const std::string& owner, OpenDone done);
  using Done = UniqueFunction<void(Result<void>)>;
  /// Ends what is open, and deletes the owner's topic; `done` when that is durable. An owner
  /// without a topic has been removed. Errors as for open(), but what cannot be read is removed.
  void remove(const std::string& owner, Done done);

  /// Whether the producer's transactions are epochs, which nobody else may end.
  bool has_producer(ProducerId producer) const;

  // For the broker:
  /// Reads the ends of all owners' topics. Blocks.
  void recover();
  /// The broker closes: what cannot be ended any more is left to the next start.
  void leave();
  /// Whether the transaction that the producer has open in the partition since before a start is of
  /// an epoch that will be ended. `known`, perhaps at once, when its end has been asked for there.
  using Known = UniqueFunction<void(bool)>;
  void adopt(ProducerId producer, const TopicPartition& partition, Known known);

 private:
  EpochOwner& find(const std::string& owner);

  Broker& broker_;
  std::map<std::string, std::shared_ptr<EpochOwner>> owners_;
};

}  // namespace leat::broker
