// What the clients of a server did and were told, and what its log holds in the end. Everything
// that a checker knows, without anything that follows from it.
//
// Times are microseconds of one clock that all clients share. A client that dies leaves operations
// open: whether they had an effect is unknown, as it is of those that ended so.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace leat::checker {

using Time = std::int64_t;
inline constexpr Time never = std::numeric_limits<Time>::max();

struct Partition {
  std::string topic;
  std::int32_t number = 0;
  friend auto operator<=>(const Partition&, const Partition&) = default;
  friend bool operator==(const Partition&, const Partition&) = default;
};

using Offsets = std::map<Partition, std::int64_t>;

/// A transaction of one client: each life of a process is a client of its own, and counts anew.
struct TransactionId {
  std::string client;
  std::int64_t number = 0;
  friend auto operator<=>(const TransactionId&, const TransactionId&) = default;
  friend bool operator==(const TransactionId&, const TransactionId&) = default;
};

enum class Outcome { unknown, ok, fail };

struct Operation {
  std::string client;
  Time invoked = 0;
  Time returned = never;
  Outcome outcome = Outcome::unknown;
  /// By which it was `ok`; never, if that is not known.
  Time known() const { return outcome == Outcome::ok ? returned : never; }
};

/// A record that was produced. Its uid is what its value begins with, and no other's is the same.
struct Send : Operation {
  Partition to;
  std::string uid;
  std::optional<std::int64_t> transaction;
  /// Where it stands, if it was told.
  std::optional<std::int64_t> offset;
  /// The record that it was made of, by a loop that reads, writes and commits.
  std::optional<std::pair<Partition, std::int64_t>> source;
};

/// A transaction was to be committed or aborted. There may be several of one: a commit that is
/// refused is followed by an abort.
struct End : Operation {
  std::int64_t transaction = 0;
  bool is_commit = false;
};

/// Offsets that a group was to have. The uid stands in their metadata.
struct Commit : Operation {
  std::string group;
  std::string uid;
  std::optional<std::int64_t> transaction;
  Offsets offsets;
};

/// The offsets that a group has, as told. Partitions without one are not named.
struct CommittedQuery : Operation {
  std::string group;
  Offsets offsets;
};

/// The high watermark, or the last stable offset, as told.
struct EndQuery : Operation {
  Partition partition;
  bool is_stable = false;
  std::int64_t offset = 0;
};

struct Poll {
  struct Record {
    std::int64_t offset = 0;
    std::string uid;
  };
  Time invoked = 0;
  Time returned = 0;
  /// Of the group, if the member knew it.
  std::optional<std::int32_t> generation;
  std::vector<Record> records;
  /// The end of what there was, where that was told instead of records.
  std::optional<std::int64_t> end;
};

/// What one consumer read of one partition from its assignment until the next.
struct Session {
  std::string client;
  std::string group;
  Partition partition;
  Time assigned = 0;
  /// In which generation, if the member knew it.
  std::optional<std::int32_t> generation;
  Time revoked = never;
  bool is_lost = false;       // others may have had it before it was revoked
  bool is_committed = false;  // read_committed
  /// Where it began; nothing: at what the group had committed, or else at the beginning.
  std::optional<std::int64_t> from;
  /// It read all that there was when nobody wrote any more.
  bool is_final = false;
  std::vector<Poll> polls;
};

/// A record batch of the log, or a marker that ends a transaction.
struct LoggedBatch {
  struct Record {
    std::int64_t offset = 0;
    std::string uid;  // empty in a batch of a group's
  };
  struct GroupOffset {
    std::int64_t offset = 0;  // of the record
    std::string group;
    Partition partition;
    std::string uid;
    std::int64_t value = -1;  // -1: a tombstone
  };
  enum class Marker { none, commit, abort };
  std::int64_t base = 0;
  std::int64_t next = 0;
  std::int64_t producer = -1;
  std::int16_t epoch = -1;
  bool is_transactional = false;
  Marker marker = Marker::none;
  std::vector<Record> records;
  std::vector<GroupOffset> group_offsets;
};

/// The partition in which groups keep their offsets.
inline const Partition group_partition{"__consumer_offsets", 0};

struct History {
  std::vector<Send> sends;
  std::vector<End> ends;
  std::vector<Commit> commits;
  std::vector<CommittedQuery> committed_queries;
  std::vector<EndQuery> end_queries;
  std::vector<Session> sessions;
  std::vector<Time> kills;  // of the server
  std::size_t client_kills = 0;
  /// Clients that were stopped for a while, and did not notice.
  std::set<std::string> stood_still;
  std::map<Partition, std::vector<LoggedBatch>> log;
};

}  // namespace leat::checker
