// Sessions of keys, which join where rows come between them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "operators/aggregate_inputs.h"
#include "operators/group_keys.h"
#include "operators/window_slices.h"

namespace leat::operators {

/// Names a session of a SessionList until it is gone.
using SessionId = std::uint32_t;
inline constexpr SessionId no_session = 0xffff'ffff;

/// Rows of a key none of which is a gap or more behind the one before it.
struct Session {
  std::int64_t start_ms = 0;
  std::int64_t last_ms = 0;      // of its last row
  std::uint32_t key = 0;         // its number in the list's keys
  SessionId older = no_session;  // the one before it, of the same key
  SessionId newer = no_session;  // and the one behind
  std::int64_t listed_ms = 0;    // under which end it is listed
  bool is_open = false;
};

/// All sessions of all keys, with their aggregates. Those of a key lie a gap or more apart. Keys
/// that have none any more are forgotten by and by. Not thread-safe.
class SessionList {
 public:
  struct Join {
    SessionId into;
    SessionId from;  // which is gone
  };

  SessionList(std::span<const column::Type> keys, AccumulatorSet accumulators, std::int64_t gap_ms);

  /// Adds rows of these times, by row, to sessions, new ones where there is none near. Until the
  /// next call ids() are those that the rows came to, in turn, and joins() what became one behind
  /// that, in turn.
  void add(std::span<const column::Vector* const> keys, const AggregateColumns& columns,
           std::span<const std::int64_t> times_ms, std::span<const std::uint32_t> rows,
           KeyScratch& scratch);
  std::span<const SessionId> ids() const { return ids_; }
  std::span<const Join> joins() const { return joins_; }

  /// Those that end at `end_ms` or earlier, in the order of end, start, key.
  std::vector<SessionId> ended(std::int64_t end_ms);
  /// REQUIRES: a result of ended(), all of it.
  void erase(std::span<const SessionId> ids);
  /// That of the same key as `key` in `other` which has a row from `time_ms` on or before, next to
  /// it. REQUIRES: there is one.
  SessionId find(const GroupKeys& other, std::uint32_t key, std::int64_t time_ms) const;

  const Session& session(SessionId id) const { return sessions_[id]; }
  Span span(SessionId id) const {
    return {sessions_[id].start_ms, sessions_[id].last_ms + gap_ms_};
  }
  /// All ids are below.
  std::size_t id_end() const { return sessions_.size(); }
  const GroupKeys& keys() const { return keys_; }
  const AccumulatorSet& accumulators() const { return accumulators_; }
  std::size_t bytes() const;

  //   list    := keys sessions:u32 session* accumulators*
  //   session := 0x00 | 0x01 start:i64 last:i64 key:u32         0x00 for an id that is free
  void snapshot(StateWriter& writer) const;
  /// REQUIRES: an empty list.
  Result<void> restore(StateReader& reader);

 private:
  SessionId take_row(std::uint32_t key, std::int64_t time_ms);
  SessionId open(std::uint32_t key, std::int64_t time_ms);
  void join_older(SessionId id);
  void list_by_end(SessionId id);
  void link(SessionId id, SessionId older, SessionId newer);
  void link_by_time(SessionId id);
  void unlink(SessionId id);
  void forget_keys();

  std::int64_t gap_ms_;
  std::int64_t listed_width_ms_;
  GroupKeys keys_;
  std::vector<SessionId> newest_;  // by key
  std::size_t idle_keys_ = 0;      // without a session
  std::vector<Session> sessions_;
  std::vector<SessionId> free_;
  AccumulatorSet accumulators_;  // by session
  // Sessions by a time at which they were to end, rounded down; some are gone or end later.
  std::map<std::int64_t, std::vector<SessionId>> by_end_;
  std::vector<SessionId> ids_;
  std::vector<std::uint32_t> groups_;
  std::vector<Join> joins_;
};

}  // namespace leat::operators
