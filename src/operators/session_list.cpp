#include "operators/session_list.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace leat::operators {

SessionList::SessionList(std::span<const column::Type> keys, AccumulatorSet accumulators,
                         std::int64_t gap_ms)
    : gap_ms_(gap_ms),
      listed_width_ms_(std::max<std::int64_t>(1, gap_ms / 64)),
      keys_(keys),
      accumulators_(std::move(accumulators)) {}

void SessionList::add(std::span<const column::Vector* const> keys, const AggregateColumns& columns,
                      std::span<const std::int64_t> times_ms, std::span<const std::uint32_t> rows,
                      KeyScratch& scratch) {
  joins_.clear();
  keys_.find_or_add(keys, rows, groups_, scratch);
  idle_keys_ += keys_.size() - newest_.size();
  newest_.resize(keys_.size(), no_session);
  ids_.resize(rows.size());
  constexpr std::size_t ahead = 8;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + ahead < rows.size()) {
      SessionId soon = newest_[groups_[i + ahead]];
      if (soon != no_session) __builtin_prefetch(&sessions_[soon]);
    }
    ids_[i] = take_row(groups_[i], times_ms[rows[i]]);
  }
  for (std::size_t i = 0; i < accumulators_.size(); ++i) {
    accumulators_[i]->resize(sessions_.size());
    accumulators_[i]->update(columns.inputs[i], rows, ids_);
  }
  // Only now all have their rows.
  for (const auto& [into, from] : joins_) {
    for (auto& accumulators : accumulators_) {
      accumulators->merge_group(into, *accumulators, from);
      accumulators->clear_group(from);
    }
    free_.push_back(from);
  }
}

SessionId SessionList::take_row(std::uint32_t key, std::int64_t time_ms) {
  SessionId older = newest_[key], newer = no_session;
  while (older != no_session) {
    Session& session = sessions_[older];
    if (time_ms - session.last_ms >= gap_ms_) break;
    if (session.start_ms - time_ms < gap_ms_) {
      session.last_ms = std::max(session.last_ms, time_ms);
      if (time_ms < session.start_ms) {
        session.start_ms = time_ms;
        join_older(older);
      }
      return older;
    }
    newer = older;
    older = session.older;
  }
  SessionId id = open(key, time_ms);
  link(id, older, newer);
  return id;
}

SessionId SessionList::open(std::uint32_t key, std::int64_t time_ms) {
  SessionId id = no_session;
  if (free_.empty()) {
    ASSERT(sessions_.size() < no_session);
    id = static_cast<SessionId>(sessions_.size());
    sessions_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  sessions_[id] = {};
  sessions_[id].start_ms = sessions_[id].last_ms = time_ms;
  sessions_[id].key = key;
  sessions_[id].is_open = true;
  list_by_end(id);
  return id;
}

// The session may have come near the one before it.
void SessionList::join_older(SessionId id) {
  Session& session = sessions_[id];
  if (session.older == no_session) return;
  Session& older = sessions_[session.older];
  if (session.start_ms - older.last_ms >= gap_ms_) return;
  joins_.push_back({id, session.older});
  session.start_ms = older.start_ms;
  session.older = older.older;
  if (session.older != no_session) sessions_[session.older].newer = id;
  older.is_open = false;
}

void SessionList::list_by_end(SessionId id) {
  std::int64_t end = sessions_[id].last_ms + gap_ms_;
  std::int64_t rest = end % listed_width_ms_;
  sessions_[id].listed_ms = end - (rest < 0 ? rest + listed_width_ms_ : rest);
  by_end_[sessions_[id].listed_ms].push_back(id);
}

std::vector<SessionId> SessionList::ended(std::int64_t end_ms) {
  std::vector<SessionId> ended;
  for (auto at = by_end_.begin(); at != by_end_.end() && at->first <= end_ms;) {
    std::vector<SessionId> waiting;
    auto& [listed_ms, ids] = *at;
    for (SessionId id : ids) {
      Session& session = sessions_[id];
      // Others are gone, or a session that took their place is listed elsewhere.
      if (!session.is_open || session.listed_ms != listed_ms) continue;
      std::int64_t end = session.last_ms + gap_ms_;
      if (end <= end_ms) {
        ended.push_back(id);
        session.listed_ms = watermark_max;  // in no list any more
      } else if (end - listed_ms >= listed_width_ms_) {
        list_by_end(id);
      } else {
        waiting.push_back(id);
      }
    }
    ids = std::move(waiting);
    if (ids.empty())
      at = by_end_.erase(at);
    else
      ++at;
  }
  std::sort(ended.begin(), ended.end(), [&](SessionId a, SessionId b) {
    const Session& left = sessions_[a];
    const Session& right = sessions_[b];
    if (left.last_ms != right.last_ms) return left.last_ms < right.last_ms;
    if (left.start_ms != right.start_ms) return left.start_ms < right.start_ms;
    return keys_.less(left.key, right.key);
  });
  return ended;
}

void SessionList::erase(std::span<const SessionId> ids) {
  for (SessionId id : ids) {
    unlink(id);
    sessions_[id].is_open = false;
    for (auto& accumulators : accumulators_) accumulators->clear_group(id);
    free_.push_back(id);
  }
  if (idle_keys_ > 1024 && idle_keys_ * 2 > keys_.size()) forget_keys();
}

void SessionList::unlink(SessionId id) {
  SessionId older = sessions_[id].older, newer = sessions_[id].newer;
  SessionId& newest = newest_[sessions_[id].key];
  (newer == no_session ? newest : sessions_[newer].older) = older;
  if (older != no_session) sessions_[older].newer = newer;
  if (newest == no_session) ++idle_keys_;
}

void SessionList::forget_keys() {
  GroupKeys old = std::exchange(keys_, keys_.empty_one());
  std::vector<SessionId> newest;
  for (std::uint32_t key = 0; key < newest_.size(); ++key) {
    if (newest_[key] == no_session) continue;
    std::uint32_t number = keys_.find_or_add(old, key);
    newest.push_back(newest_[key]);
    for (SessionId id = newest_[key]; id != no_session; id = sessions_[id].older) {
      sessions_[id].key = number;
    }
  }
  newest_ = std::move(newest);
  idle_keys_ = 0;
}

SessionId SessionList::find(const GroupKeys& other, std::uint32_t key, std::int64_t time_ms) const {
  auto found = keys_.find(other, key);
  ASSERT(found.has_value());
  SessionId id = newest_[*found];
  while (id != no_session && sessions_[id].start_ms > time_ms) id = sessions_[id].older;
  ASSERT(id != no_session);
  return id;
}

std::size_t SessionList::bytes() const {
  std::size_t bytes = keys_.bytes() + sessions_.capacity() * sizeof(Session) +
                      (newest_.capacity() + free_.capacity()) * sizeof(SessionId);
  for (const auto& accumulators : accumulators_) bytes += accumulators->bytes();
  for (const auto& [end, ids] : by_end_) bytes += sizeof ids + ids.capacity() * sizeof ids[0];
  return bytes;
}

void SessionList::snapshot(StateWriter& writer) const {
  keys_.snapshot(writer);
  writer.write(static_cast<std::uint32_t>(sessions_.size()));
  for (const Session& session : sessions_) {
    writer.write(static_cast<std::uint8_t>(session.is_open ? 1 : 0));
    if (!session.is_open) continue;
    writer.write(session.start_ms);
    writer.write(session.last_ms);
    writer.write(session.key);
  }
  for (const auto& accumulators : accumulators_) accumulators->snapshot(writer);
}

Result<void> SessionList::restore(StateReader& reader) {
  if (auto ok = keys_.restore(reader); !ok) return ok;
  newest_.resize(keys_.size(), no_session);
  idle_keys_ = keys_.size();
  sessions_.resize(reader.read_count(1));
  for (SessionId id = 0; id < sessions_.size(); ++id) {
    Session& session = sessions_[id];
    session.is_open = reader.read<std::uint8_t>() != 0;
    if (!session.is_open) {
      free_.push_back(id);
      continue;
    }
    session.start_ms = reader.read<std::int64_t>();
    session.last_ms = reader.read<std::int64_t>();
    session.key = reader.read<std::uint32_t>();
    if (session.key >= newest_.size()) {
      return fail(Errc::corrupt_message, "the snapshot has a session of no key");
    }
    link_by_time(id);
    list_by_end(id);
  }
  for (auto& accumulators : accumulators_) {
    accumulators->resize(sessions_.size());
    accumulators->restore(reader);
  }
  return {};
}

void SessionList::link_by_time(SessionId id) {
  const Session& session = sessions_[id];
  SessionId older = newest_[session.key], newer = no_session;
  while (older != no_session && sessions_[older].start_ms > session.start_ms) {
    newer = older;
    older = sessions_[older].older;
  }
  link(id, older, newer);
}

void SessionList::link(SessionId id, SessionId older, SessionId newer) {
  SessionId& newest = newest_[sessions_[id].key];
  if (newest == no_session) --idle_keys_;
  sessions_[id].older = older;
  sessions_[id].newer = newer;
  if (older != no_session) sessions_[older].newer = id;
  (newer == no_session ? newest : sessions_[newer].older) = id;
}

}  // namespace leat::operators
