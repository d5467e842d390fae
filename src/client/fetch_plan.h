// A consumer without its sockets: which offsets to ask which broker for, and what the answers mean.
#pragma once

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

namespace leat::client {

/// What to read of one partition: offsets [begin, end), or whatever comes.
struct Assignment {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t begin = 0;
  std::optional<std::int64_t> end;
};

/// One partition's part of an answer, to be read with a RecordReader.
struct Fetched {
  std::string_view topic;
  std::int32_t partition = 0;
  /// Only offsets [begin, end) are wanted: a batch comes whole.
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t high_watermark = 0;
  /// Whole batches.
  BytesView batches;
  /// Keeps `batches` alive.
  std::shared_ptr<const void> owner;
  /// Transactions whose records are not to be seen; in the order of their first offsets.
  std::vector<wire::FetchResponse::AbortedTransaction> aborted;
};

/// Not thread-safe. Texts given out live as long as the plan.
class FetchPlan {
 public:
  using LeaderOf =
      std::function<std::optional<std::int32_t>(std::string_view topic, std::int32_t partition)>;

  FetchPlan(std::vector<Assignment> assignments, const ConsumerOptions& options);

  /// No partition has anything left to be fetched.
  bool finished() const;
  /// Brokers that lead an unfinished partition.
  std::set<std::int32_t> brokers(const LeaderOf& leader_of) const;
  /// Whether an unfinished partition has no known leader.
  bool needs_leader(const LeaderOf& leader_of) const;
  /// The topics of unfinished partitions.
  std::vector<std::string> topics() const;
  /// Asks `broker` for the partitions it leads. Each time another one stands first, since brokers
  /// fill an answer in the order asked.
  wire::FetchRequest request(std::int32_t broker, const LeaderOf& leader_of);

  struct Outcome {
    std::vector<Fetched> fetched;
    /// Partitions that the broker does not lead (any more).
    std::vector<std::pair<std::string_view, std::int32_t>> moved;
    /// The broker asks for patience.
    bool retry_later = false;
    /// Reading cannot go on.
    std::optional<Error> error;
  };
  /// Moves the positions behind what came. `owner` keeps the answer's records alive.
  Outcome take_answer(const wire::FetchResponse& response, std::shared_ptr<const void> owner,
                      std::string_view broker);

 private:
  struct Partition {
    Assignment assignment;
    std::int64_t position = 0;
    std::size_t fetch_bytes = 0;

    bool finished() const { return assignment.end && position >= *assignment.end; }
  };

  Partition* find(std::string_view topic, std::int32_t partition);
  void take_partition(Partition& partition, const wire::FetchResponse::Partition& answer,
                      const std::shared_ptr<const void>& owner, std::string_view broker,
                      Outcome& outcome);
  void take_error(const Partition& partition, const wire::FetchResponse::Partition& answer,
                  std::string_view broker, Outcome& outcome) const;

  ConsumerOptions options_;
  std::vector<Partition> partitions_;  // by topic
  std::size_t first_ = 0;
};

}  // namespace leat::client
