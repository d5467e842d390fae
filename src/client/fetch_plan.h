// A consumer without its sockets: which offsets to ask which broker for, and what the answers mean.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "client/error.h"
#include "leat/options.h"
#include "wire/fetch.h"
#include "wire/offset_for_leader_epoch.h"

namespace leat::client {

/// What to read of one partition: whatever comes from that offset on.
struct Assignment {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t begin = 0;
  /// Of what was read before `begin`; -1 where that is not known.
  std::int32_t leader_epoch = -1;
};

/// One partition's part of an answer, to be read with a RecordReader.
struct Fetched {
  std::string_view topic;
  std::int32_t partition = 0;
  /// Only offsets from that on are wanted: a batch comes whole.
  std::int64_t begin = 0;
  /// Behind the last one.
  std::int64_t end = 0;
  std::int64_t high_watermark = 0;
  /// Of the last batch.
  std::int32_t leader_epoch = -1;
  /// Whole batches.
  BytesView batches;
  /// Keeps `batches` alive.
  std::shared_ptr<const void> owner;
  /// Keeps `topic` alive.
  std::shared_ptr<const std::string> name;
  /// Transactions whose records are not to be seen; in the order of their first offsets.
  std::vector<wire::FetchResponse::AbortedTransaction> aborted;
};

/// Not thread-safe. Partitions may come, go, rest and be set elsewhere at any time: what was asked
/// for before is not taken then.
///
/// A new leader may have less than the one before. So its first question about a partition is where
/// the epoch ended that was read last: what stands behind that was cut off.
class FetchPlan {
 public:
  struct Leader {
    std::int32_t broker = -1;
    std::int32_t epoch = -1;
  };
  using LeaderOf =
      std::function<std::optional<Leader>(std::string_view topic, std::int32_t partition)>;

  explicit FetchPlan(const ConsumerOptions& options) : options_(options) {}

  /// How long a broker with nothing new waits, from the next question on.
  void set_wait(std::chrono::milliseconds wait) { options_.fetch_wait = wait; }

  /// In place of what there was of that partition.
  void add(Assignment assignment);
  void remove(std::string_view topic, std::int32_t partition);
  /// These have no effect on a partition that is not there:
  void seek(std::string_view topic, std::int32_t partition, std::int64_t offset);
  void pause(std::string_view topic, std::int32_t partition, bool is_paused);

  /// Brokers that lead a partition of which something is to be fetched now.
  std::set<std::int32_t> brokers(const LeaderOf& leader_of) const;
  /// Whether one of these has no known leader.
  bool needs_leader(const LeaderOf& leader_of) const;
  /// The topics of these partitions.
  std::vector<std::string> topics() const;

  struct Asked {
    std::uint64_t ticket = 0;
    wire::FetchRequest request;
  };
  /// Asks `broker` for the partitions it leads. Each time another one stands first, since brokers
  /// fill an answer in the order asked.
  Asked ask(std::int32_t broker, const LeaderOf& leader_of);

  struct Check {
    std::uint64_t ticket = 0;
    wire::OffsetForLeaderEpochRequest request;
  };
  /// Asks `broker` about the positions in partitions that it leads since they were read last; they
  /// are asked for when it has said. nullopt: there are none.
  std::optional<Check> check(std::int32_t broker, const LeaderOf& leader_of);
  /// The broker does not know that question: positions are taken as they are.
  void cannot_check(std::uint64_t ticket);

  struct OutOfRange {
    std::shared_ptr<const std::string> topic;
    std::int32_t partition = 0;
    Error error;
    /// The log has been cut: what it has of what was read ends there, in that epoch.
    struct Cut {
      std::int64_t offset = 0;
      std::int32_t leader_epoch = -1;
    };
    std::optional<Cut> cut = std::nullopt;
  };
  /// Where what may be read of a partition ended when it was asked for.
  struct End {
    std::string_view topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
  };
  struct Outcome {
    std::vector<Fetched> fetched;
    /// Of all partitions that were answered, whether or not there was anything.
    std::vector<End> ends;
    /// Partitions that the broker does not lead (any more), or of which it knows another epoch.
    std::vector<std::pair<std::string_view, std::int32_t>> moved;
    /// Partitions whose position is not there. They rest until seek().
    std::vector<OutOfRange> out_of_range;
    /// The broker asks for patience.
    bool retry_later = false;
    /// Reading cannot go on.
    std::optional<Error> error;
  };
  /// Moves the positions behind what came. `owner` keeps the answer's records alive.
  Outcome take_answer(std::uint64_t ticket, const wire::FetchResponse& response,
                      std::shared_ptr<const void> owner, std::string_view broker);
  Outcome take_answer(std::uint64_t ticket, const wire::OffsetForLeaderEpochResponse& response,
                      std::string_view broker);

 private:
  struct Partition {
    std::shared_ptr<const std::string> name;
    std::int32_t number = 0;
    std::int64_t position = 0;
    /// Of what was read last.
    std::int32_t epoch = -1;
    /// Of the leader in whose log the position is.
    std::int32_t checked = -1;
    std::size_t fetch_bytes = 0;
    /// The ticket under which it was asked for or checked last, and the epoch of who was asked; 0
    /// where no answer is to be taken.
    std::uint64_t asked = 0;
    std::int32_t asked_epoch = -1;
    bool is_paused = false;
    bool is_lost = false;  // its position is

    const std::string& topic() const { return *name; }
    bool is_wanted() const { return !is_paused && !is_lost; }
    bool is_safe_with(const Leader& leader) const {
      return epoch < 0 || leader.epoch < 0 || epoch == leader.epoch || checked == leader.epoch;
    }
  };

  const Partition* find(std::string_view topic, std::int32_t partition) const;
  Partition* find(std::string_view topic, std::int32_t partition);
  void take_partition(Partition& partition, const wire::FetchResponse::Partition& answer,
                      const std::shared_ptr<const void>& owner, std::string_view broker,
                      Outcome& outcome);
  void take_error(Partition& partition, const wire::FetchResponse::Partition& answer,
                  std::string_view broker, Outcome& outcome) const;
  void take_check(Partition& partition, const wire::OffsetForLeaderEpochResponse::Partition& answer,
                  std::string_view broker, Outcome& outcome);
  static std::string text_of(const Partition& partition);

  ConsumerOptions options_;
  std::vector<Partition> partitions_;  // by topic
  std::size_t first_ = 0;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace leat::client
