// Rebalances: from one generation to the next. Members are in group.cpp.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "broker/group.h"

namespace leat::broker {

void Group::answer(JoinDone done, JoinResult result) {
  answers_.push_back(
      [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void Group::answer(SyncDone done, SyncResult result) {
  answers_.push_back(
      [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void Group::answer_join(Member& member, JoinResult result) {
  if (!member.join_done) return;
  --joining_;
  if (result.member_id.empty()) result.member_id = member.id;
  answer(std::exchange(member.join_done, nullptr), std::move(result));
}

void Group::answer_sync(Member& member, SyncResult result) {
  if (!member.sync_done) return;
  answer(std::exchange(member.sync_done, nullptr), std::move(result));
}

void Group::wait_to_join(Member& member, std::uint64_t ticket, JoinDone done) {
  // A client that asks again has given up its first call.
  answer_join(member, {GroupError::rebalance_in_progress});
  answer_sync(member, {GroupError::rebalance_in_progress});
  member.join_done = std::move(done);
  member.ticket = ticket;
  ++joining_;
}

JoinResult Group::joined(const Member& member) const {
  JoinResult result;
  result.generation = generation_;
  result.protocol_type = protocol_type_;
  result.protocol = protocol_;
  result.leader = leader_;
  result.member_id = member.id;
  if (member.id != leader_) return result;
  result.members.reserve(members_.size());
  for (const auto& [id, other] : members_) {
    BytesView metadata = other.metadata(protocol_.value_or(""));
    result.members.push_back({id, other.instance_id, Bytes(metadata.begin(), metadata.end())});
  }
  return result;
}

std::chrono::milliseconds Group::longest_rebalance() const {
  std::chrono::milliseconds longest{0};
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

/// Each member votes for the first one on its list that all know; a tie goes to the earlier name.
std::optional<std::string> Group::choose_protocol() const {
  std::map<std::string_view, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    for (const GroupProtocol& protocol : member.protocols) {
      if (protocol_counts_.find(protocol.name)->second != members_.size()) continue;
      ++votes[protocol.name];
      break;
    }
  }
  auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  auto most = std::max_element(votes.begin(), votes.end(), fewer);
  if (most == votes.end()) return std::nullopt;
  return std::string(most->first);
}

void Group::prepare_rebalance(Time now) {
  if (state_ == GroupState::completing_rebalance) {
    finish_sync(GroupError::rebalance_in_progress, now);
  }
  hold_until_ = state_ == GroupState::empty ? now + options_->initial_rebalance_delay : now;
  state_ = GroupState::preparing_rebalance;
  rebalance_due_ = now + longest_rebalance();
  maybe_complete_join(now);
}

void Group::maybe_complete_join(Time now) {
  if (state_ != GroupState::preparing_rebalance || now < hold_until_) return;
  // Who was told an id is about to come.
  if (joining_ == members_.size() && pending_ids_.empty()) complete_join(now);
}

void Group::complete_join(Time now) {
  // A static member that is away keeps its place until its session ends.
  for (auto at = members_.begin(); at != members_.end();) {
    const Member& member = (at++)->second;
    if (!member.join_done && !member.instance_id) erase_member(std::string(member.id));
  }
  if (members_.empty()) return become_empty();
  if (joining_ == 0) {
    rebalance_due_ = now + longest_rebalance();
    return;
  }
  ++generation_;
  protocol_ = choose_protocol();
  ASSERT(protocol_.has_value());
  auto leader = members_.find(leader_);
  if (leader == members_.end() || !leader->second.join_done) {
    auto is_here = [](const auto& entry) { return static_cast<bool>(entry.second.join_done); };
    leader_ = std::find_if(members_.begin(), members_.end(), is_here)->first;
  }
  state_ = GroupState::completing_rebalance;
  rebalance_due_ = now + longest_rebalance();
  for (auto& [id, member] : members_) {
    memory_bytes_ -= member.assignment.size();
    member.assignment.clear();
    member.has_to_sync = static_cast<bool>(member.join_done);
    if (!member.join_done) continue;
    member.is_unnamed = false;
    touch(member, now);
    answer_join(member, joined(member));
  }
}

void Group::become_empty() {
  ++generation_;
  state_ = GroupState::empty;
  protocol_.reset();
  leader_.clear();
  request_save();
}

void Group::sync(SyncRequest request, std::uint64_t ticket, Time now, SyncDone done) {
  auto refuse = [&](GroupError error) { answer(std::move(done), {error}); };
  if (GroupError error = check_identity(request.member); error != GroupError::none) {
    return refuse(error);
  }
  if (request.member.generation != generation_) return refuse(GroupError::illegal_generation);
  bool is_consistent = (!request.protocol_type || request.protocol_type == protocol_type_) &&
                       (!request.protocol || request.protocol == protocol_);
  if (!is_consistent) return refuse(GroupError::inconsistent_group_protocol);
  Member& member = members_.find(request.member.member_id)->second;
  touch(member, now);
  if (state_ == GroupState::preparing_rebalance) return refuse(GroupError::rebalance_in_progress);
  if (state_ == GroupState::stable) {
    return answer(std::move(done),
                  {GroupError::none, protocol_type_, protocol_, member.assignment});
  }
  answer_sync(member, {GroupError::rebalance_in_progress});
  member.has_to_sync = false;
  member.sync_done = std::move(done);
  member.ticket = ticket;
  if (member.id != leader_) return;
  for (MemberAssignment& given : request.assignments) {
    auto to = members_.find(given.member_id);
    if (to == members_.end()) continue;
    memory_bytes_ += given.assignment.size() - to->second.assignment.size();
    to->second.assignment = std::move(given.assignment);
  }
  request_save();
  sync_save_ = wanted_save_;
}

std::optional<std::uint64_t> Group::take_save() {
  if (begun_save_ == wanted_save_) return std::nullopt;
  begun_save_ = wanted_save_;
  return begun_save_;
}

void Group::saved(std::uint64_t number, bool is_written, Time now) {
  for (AfterSave& waiting : std::exchange(after_save_, {})) {
    if (waiting.number > number) {
      after_save_.push_back(std::move(waiting));
    } else {
      JoinResult failed{GroupError::coordinator_not_available};
      answer(std::move(waiting.done), is_written ? std::move(waiting.result) : std::move(failed));
    }
  }
  if (state_ != GroupState::completing_rebalance || sync_save_ == 0 || sync_save_ > number) return;
  if (!is_written) {
    finish_sync(GroupError::coordinator_not_available, now);
    return prepare_rebalance(now);
  }
  state_ = GroupState::stable;
  finish_sync(GroupError::none, now);
}

/// Answers all who wait for their part. With an error nobody keeps one.
void Group::finish_sync(GroupError error, Time now) {
  sync_save_ = 0;
  for (auto& [id, member] : members_) {
    if (error != GroupError::none) {
      memory_bytes_ -= member.assignment.size();
      member.assignment.clear();
    }
    if (!member.sync_done) continue;
    touch(member, now);
    SyncResult result{error};
    if (error == GroupError::none) {
      result = {error, protocol_type_, protocol_, member.assignment};
    }
    answer_sync(member, std::move(result));
  }
}

/// Takes out all members of which that is true, in one go. Whether there were any.
template <class Condition>
bool Group::erase_members(Condition condition) {
  std::vector<std::string> ids;
  for (const auto& [id, member] : members_) {
    if (condition(member)) ids.push_back(id);
  }
  for (const std::string& id : ids) erase_member(id);
  return !ids.empty();
}

void Group::end_sessions(Time now) {
  std::size_t pending_before = pending_ids_.size();
  std::erase_if(pending_ids_, [now](const auto& entry) { return entry.second <= now; });
  bool has_lost = erase_members(
      [now](const Member& member) { return !member.is_waiting() && member.expires <= now; });
  scan_due_ = Time::max();
  for (const auto& [id, end] : pending_ids_) scan_due_ = std::min(scan_due_, end);
  for (const auto& [id, member] : members_) {
    if (!member.is_waiting()) scan_due_ = std::min(scan_due_, member.expires);
  }
  if (has_lost) return go_on_without(now);
  if (pending_ids_.size() != pending_before) maybe_complete_join(now);
}

void Group::tick(Time now) {
  if (now >= scan_due_) end_sessions(now);
  if (state_ == GroupState::preparing_rebalance) {
    maybe_complete_join(now);
    bool is_over = now >= std::max(rebalance_due_, hold_until_);
    if (state_ == GroupState::preparing_rebalance && is_over) complete_join(now);
  } else if (state_ == GroupState::completing_rebalance && now >= rebalance_due_ &&
             sync_save_ == 0) {
    if (erase_members([](const Member& member) { return member.has_to_sync; })) go_on_without(now);
  }
}

std::optional<Group::Time> Group::next_due() const {
  Time due = members_.empty() && pending_ids_.empty() ? Time::max() : scan_due_;
  if (state_ == GroupState::preparing_rebalance) {
    due = std::min(due, std::max(rebalance_due_, hold_until_));
    if (joining_ == members_.size() && pending_ids_.empty()) due = std::min(due, hold_until_);
  } else if (state_ == GroupState::completing_rebalance && sync_save_ == 0) {
    due = std::min(due, rebalance_due_);
  }
  if (due == Time::max()) return std::nullopt;
  return due;
}

}  // namespace leat::broker
