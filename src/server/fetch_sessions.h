// Fetch sessions (KIP-227): a client that fetches many partitions names them once, and is told only
// of those that changed.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "base/uuid.h"
#include "wire/fetch.h"

namespace leat::server {

/// A partition of a session: what its client asked for, and what it was told last.
struct SessionPartition {
  std::string topic;  // empty where topics go by id
  Uuid topic_id;
  wire::FetchRequest::Partition asked;
  /// -1: to be told in any case.
  std::int64_t high_watermark = -1;
  std::int64_t log_start_offset = -1;
};

/// One client's session. Its partitions stay where they are until the epoch changes, also after it
/// was closed: whoever waits for data holds the session and the epoch that it began with.
class FetchSession {
 public:
  FetchSession(std::int32_t id, bool is_by_id) : id_(id), is_by_id_(is_by_id) {}

  std::int32_t id() const { return id_; }
  /// The epoch that the next request must have; 0 when the session is closed.
  std::int32_t epoch() const { return epoch_; }
  bool is_by_id() const { return is_by_id_; }
  /// In the order in which they are to be read.
  std::list<SessionPartition>& partitions() { return partitions_; }
  /// nullptr if the session does not have it.
  SessionPartition* find(const std::string& topic, const Uuid& topic_id, std::int32_t partition);
  /// Behind all others, so that a partition with much to read does not starve them.
  void move_back(const SessionPartition& partition);
  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  friend class FetchSessions;
  using Key = std::tuple<Uuid, std::string, std::int32_t>;

  void update(const wire::FetchRequest& request);
  void add(const std::string& topic, const Uuid& topic_id,
           const wire::FetchRequest::Partition& asked);
  void forget(const Key& key);

  std::int32_t id_;
  bool is_by_id_;
  std::int32_t epoch_ = 1;
  std::chrono::nanoseconds used_{0};
  std::list<SessionPartition> partitions_;
  std::map<Key, std::list<SessionPartition>::iterator> index_;
  std::uint64_t size_bytes_ = 0;
};

using FetchSessionPtr = std::shared_ptr<FetchSession>;

/// All sessions, bounded in number and memory. One that was not used for a while makes room for a
/// new one; where there is no room, a client fetches without. Lives on one executor.
class FetchSessions {
 public:
  struct Limits {
    std::size_t sessions_max = 1000;
    std::uint64_t bytes_max = std::uint64_t{16} << 20;
    /// Kafka's own bound.
    std::chrono::nanoseconds evictable_after = std::chrono::minutes(2);
  };
  /// Ids of sessions are drawn from `random`, so that a client which names one of an earlier
  /// process hardly ever meets another's. `open` counts them, outlives this, and may be shared.
  FetchSessions(const Limits& limits, Random random, Gauge& open)
      : limits_(limits), random_(random), open_(open) {}

  /// A session of the partitions of a full request; nullptr where there is no room. `now` is
  /// monotonic.
  FetchSessionPtr open(const wire::FetchRequest& request, wire::Version version,
                       std::chrono::nanoseconds now);
  /// Brings the session of an incremental request up to date and its epoch forward. nullptr if no
  /// partition is left, which closes it.
  tl::expected<FetchSessionPtr, wire::ErrorCode> resume(const wire::FetchRequest& request,
                                                        wire::Version version,
                                                        std::chrono::nanoseconds now);
  /// No effect if there is none of that id.
  void close(std::int32_t id);

  std::size_t size() const { return by_use_.size(); }
  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  using ByUse = std::list<FetchSessionPtr>;
  bool make_room(std::size_t sessions, std::uint64_t bytes, std::chrono::nanoseconds now);
  void remove(ByUse::iterator session);

  Limits limits_;
  Random random_;
  Gauge& open_;
  ByUse by_use_;  // the one used last is the last
  std::unordered_map<std::int32_t, ByUse::iterator> by_id_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace leat::server
