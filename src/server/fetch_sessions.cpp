#include "server/fetch_sessions.h"

#include <limits>
#include <utility>

namespace leat::server {
namespace {

/// Memory of a partition beside its topic's name, which is there twice: list, map and their nodes.
constexpr std::uint64_t partition_bytes = sizeof(SessionPartition) + 160;

std::uint64_t cost_of(const std::string& topic) {
  return partition_bytes + 2 * topic.size();
}

std::int32_t next_epoch(std::int32_t epoch) {
  return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

bool goes_by_id(wire::Version version) {
  return version >= 13;
}

}  // namespace

SessionPartition* FetchSession::find(const std::string& topic, const Uuid& topic_id,
                                     std::int32_t partition) {
  auto found = index_.find({topic_id, topic, partition});
  return found == index_.end() ? nullptr : &*found->second;
}

void FetchSession::move_back(const SessionPartition& partition) {
  auto found = index_.find({partition.topic_id, partition.topic, partition.asked.partition});
  if (found != index_.end()) partitions_.splice(partitions_.end(), partitions_, found->second);
}

void FetchSession::add(const std::string& topic, const Uuid& topic_id,
                       const wire::FetchRequest::Partition& asked) {
  auto [entry, is_new] = index_.try_emplace({topic_id, topic, asked.partition});
  if (is_new) {
    entry->second = partitions_.insert(partitions_.end(), {topic, topic_id, asked});
    size_bytes_ += cost_of(topic);
  } else {
    entry->second->asked = asked;
  }
}

void FetchSession::forget(const Key& key) {
  auto found = index_.find(key);
  if (found == index_.end()) return;
  size_bytes_ -= cost_of(found->second->topic);
  partitions_.erase(found->second);
  index_.erase(found);
}

void FetchSession::update(const wire::FetchRequest& request) {
  for (const auto& topic : request.topics) {
    for (const auto& asked : topic.partitions) add(topic.topic, topic.topic_id, asked);
  }
  for (const auto& topic : request.forgotten_topics_data) {
    for (std::int32_t partition : topic.partitions) {
      forget({topic.topic_id, topic.topic, partition});
    }
  }
}

FetchSessionPtr FetchSessions::open(const wire::FetchRequest& request, wire::Version version,
                                    std::chrono::nanoseconds now) {
  std::uint64_t bytes = 0;
  for (const auto& topic : request.topics) bytes += topic.partitions.size() * cost_of(topic.topic);
  if (bytes == 0 || !make_room(1, bytes, now)) return nullptr;
  std::int32_t id = 0;
  while (id == 0 || by_id_.contains(id)) {
    id = static_cast<std::int32_t>(random_.below(std::numeric_limits<std::int32_t>::max()));
  }
  auto session = std::make_shared<FetchSession>(id, goes_by_id(version));
  session->update(request);
  session->used_ = now;
  size_bytes_ += session->size_bytes();
  by_id_[id] = by_use_.insert(by_use_.end(), session);
  open_.add(1);
  return session;
}

tl::expected<FetchSessionPtr, wire::ErrorCode> FetchSessions::resume(
    const wire::FetchRequest& request, wire::Version version, std::chrono::nanoseconds now) {
  auto found = by_id_.find(request.session_id);
  if (found == by_id_.end()) {
    return tl::unexpected(wire::ErrorCode::fetch_session_id_not_found);
  }
  FetchSessionPtr session = *found->second;
  if (session->epoch() != request.session_epoch) {
    return tl::unexpected(wire::ErrorCode::invalid_fetch_session_epoch);
  }
  if (session->is_by_id() != goes_by_id(version)) {
    return tl::unexpected(wire::ErrorCode::fetch_session_topic_id_error);
  }
  size_bytes_ -= session->size_bytes();
  session->epoch_ = next_epoch(session->epoch());
  session->update(request);
  size_bytes_ += session->size_bytes();
  session->used_ = now;
  by_use_.splice(by_use_.end(), by_use_, found->second);
  if (session->partitions().empty()) {
    close(session->id());
    return FetchSessionPtr();
  }
  if (!make_room(0, 0, now)) {
    // Its client asks for everything anew, and then gets no session.
    close(session->id());
    return tl::unexpected(wire::ErrorCode::fetch_session_id_not_found);
  }
  return session;
}

void FetchSessions::close(std::int32_t id) {
  if (auto found = by_id_.find(id); found != by_id_.end()) remove(found->second);
}

bool FetchSessions::make_room(std::size_t sessions, std::uint64_t bytes,
                              std::chrono::nanoseconds now) {
  auto is_enough = [&] {
    return size() + sessions <= limits_.sessions_max && size_bytes_ + bytes <= limits_.bytes_max;
  };
  while (!is_enough()) {
    if (by_use_.empty() || now - by_use_.front()->used_ < limits_.evictable_after) return false;
    remove(by_use_.begin());
  }
  return true;
}

void FetchSessions::remove(ByUse::iterator session) {
  (*session)->epoch_ = 0;
  size_bytes_ -= (*session)->size_bytes();
  by_id_.erase((*session)->id());
  by_use_.erase(session);
  open_.add(-1);
}

}  // namespace leat::server
