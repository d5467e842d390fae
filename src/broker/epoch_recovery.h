// What a start has to find out of an owner's last epoch: whether it is committed, and where its end
// is missing.
//
// Its record is the newest in the owner's topic. With a marker behind it, that was decided: of a
// commit some markers may be missing, of an abort none is, since the topic gets that one last.
// Without one, the epoch is committed if every partition that it lists has its last batch and was
// not told of an abort. Nobody has been told that it is committed otherwise, nor seen any of it.
// Whatever happens while the markers are written, the next start decides the same. What else the
// producer has open in those partitions is of an epoch whose record did not get there: aborted.
//
// An owner may be opened long after that, when its pipeline was paused, and a partition forgets
// producers without an open transaction. There the log itself is asked: if it has the last batch,
// the marker that ended it says what it came to.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/unique_function.h"
#include "broker/epoch_ends.h"
#include "broker/epoch_envelope.h"
#include "log/log.h"

namespace leat::broker {

class Broker;

/// Looks at an owner's last epoch. Lives at home.
class EpochRecovery : public std::enable_shared_from_this<EpochRecovery> {
 public:
  /// The broker outlives all calls. `topic` is the partition of the record.
  EpochRecovery(Broker& broker, const TopicPartition& topic, LastEpoch last);

  /// What has to be ended, the last epoch last. Errors: of the disk, where a partition cannot be
  /// looked at.
  using Done = UniqueFunction<void(Result<std::vector<EpochEnding>>)>;
  /// Once. `done` is called later.
  void start(Done done);

 private:
  /// What a partition says of an epoch.
  enum class Standing { missing, open, committed, aborted };
  struct Look {
    EpochPlace place;
    bool is_ended = false;  // of an epoch before the last
    Standing standing = Standing::missing;
    bool has_stray = false;  // something else of the producer is open
    std::shared_ptr<Partition> partition{};
  };
  static Result<void> look(const log::Log& log, ProducerId producer, Look& at);
  static Result<Standing> look_for_batch(const log::LogView& view, ProducerId producer,
                                         const EpochPlace& place);
  void look_at(const std::shared_ptr<Look>& at);
  bool is_deleted(Look& at) const;
  void looked(const Result<void>& result);
  std::vector<EpochEnding> decide() const;

  Broker& broker_;
  const TopicPartition topic_;
  const LastEpoch last_;
  Done done_;
  std::vector<std::shared_ptr<Look>> looks_;
  std::size_t left_ = 0;
  std::optional<Error> error_;
};

}  // namespace leat::broker
