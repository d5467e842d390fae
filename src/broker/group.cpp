// Members: who they are, how they come, speak and go. Rebalances are in group_rebalance.cpp.
#include "broker/group.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace leat::broker {
namespace {

/// What a member takes besides its own bytes, about.
constexpr std::uint64_t member_bytes = 512;

std::uint64_t memory_of(const Group::Member& member) {
  std::uint64_t bytes = member_bytes + 2 * member.id.size() + member.assignment.size() +
                        member.client_id.size() + member.client_host.size();
  for (const GroupProtocol& protocol : member.protocols) {
    bytes += sizeof protocol + protocol.name.size() + protocol.metadata.size();
  }
  return bytes;
}

/// Kafka takes a name twice for one that all know.
void drop_repeated(std::vector<GroupProtocol>& protocols) {
  std::set<std::string> names;
  std::erase_if(protocols, [&](const auto& one) { return !names.insert(one.name).second; });
}

}  // namespace

std::string_view name(GroupState state) {
  switch (state) {
    case GroupState::empty: return "Empty";
    case GroupState::preparing_rebalance: return "PreparingRebalance";
    case GroupState::completing_rebalance: return "CompletingRebalance";
    case GroupState::stable: return "Stable";
    case GroupState::dead: return "Dead";
  }
  return "Dead";
}

BytesView Group::Member::metadata(std::string_view protocol) const {
  for (const GroupProtocol& known : protocols) {
    if (known.name == protocol) return known.metadata;
  }
  return {};
}

Group::Group(std::string id, const GroupOptions& options)
    : id_(std::move(id)), options_(&options) {}

Group::Group(std::string id, const GroupOptions& options, const GroupRecord& record, Time now)
    : Group(std::move(id), options) {
  generation_ = record.generation;
  protocol_type_ = record.protocol_type;
  if (record.members.empty()) return;
  state_ = GroupState::stable;
  protocol_ = record.protocol;
  leader_ = record.leader.value_or("");
  for (const MemberRecord& known : record.members) {
    Member& member = members_[known.member_id];
    member.id = known.member_id;
    member.instance_id = known.instance_id;
    member.client_id = known.client_id;
    member.client_host = known.client_host;
    member.session_timeout = std::chrono::milliseconds(known.session_timeout_ms);
    member.rebalance_timeout = std::chrono::milliseconds(known.rebalance_timeout_ms);
    member.protocols = {{protocol_.value_or(""), known.subscription}};
    member.assignment = known.assignment;
    if (member.instance_id) static_ids_[*member.instance_id] = member.id;
    count_protocols(member, 1);
    memory_bytes_ += memory_of(member);
    touch(member, now);
  }
}

GroupRecord Group::record() const {
  GroupRecord record;
  record.protocol_type = protocol_type_;
  record.generation = generation_;
  record.protocol = protocol_;
  if (!leader_.empty()) record.leader = leader_;
  for (const auto& [id, member] : members_) {
    BytesView subscription = member.metadata(protocol_.value_or(""));
    record.members.push_back({id, member.instance_id, member.client_id, member.client_host,
                              static_cast<std::int32_t>(member.rebalance_timeout.count()),
                              static_cast<std::int32_t>(member.session_timeout.count()),
                              Bytes(subscription.begin(), subscription.end()), member.assignment});
  }
  return record;
}

GroupError Group::check_identity(const MemberIdentity& member) const {
  if (member.instance_id) {
    auto known = static_ids_.find(*member.instance_id);
    if (known == static_ids_.end()) return GroupError::unknown_member_id;
    return known->second == member.member_id ? GroupError::none : GroupError::fenced_instance_id;
  }
  return members_.contains(member.member_id) ? GroupError::none : GroupError::unknown_member_id;
}

/// Whether there is a protocol that this member and all others know.
bool Group::supports(const JoinRequest& request) const {
  if (request.protocol_type.empty() || request.protocols.empty()) return false;
  const Member* self = nullptr;
  if (auto known = members_.find(request.member_id); known != members_.end()) {
    self = &known->second;
  } else if (request.instance_id && static_ids_.contains(*request.instance_id)) {
    self = &members_.find(static_ids_.find(*request.instance_id)->second)->second;
  }
  std::size_t others = members_.size() - (self != nullptr ? 1 : 0);
  if (others == 0) return true;
  if (request.protocol_type != protocol_type_) return false;
  auto is_known_to_all = [&](const GroupProtocol& protocol) {
    auto count = protocol_counts_.find(protocol.name);
    if (count == protocol_counts_.end()) return false;
    bool is_own = self != nullptr && std::any_of(self->protocols.begin(), self->protocols.end(),
                                                 [&](auto& p) { return p.name == protocol.name; });
    return count->second - (is_own ? 1 : 0) == others;
  };
  return std::any_of(request.protocols.begin(), request.protocols.end(), is_known_to_all);
}

void Group::join(JoinRequest request, std::string new_id, std::uint64_t ticket, Time now,
                 JoinDone done) {
  auto refuse = [&](GroupError error) {
    JoinResult result;
    result.error = error;
    result.member_id = request.member_id;
    answer(std::move(done), std::move(result));
  };
  drop_repeated(request.protocols);
  if (!supports(request)) return refuse(GroupError::inconsistent_group_protocol);
  if (request.member_id.empty()) {
    return join_new(std::move(request), std::move(new_id), ticket, now, std::move(done));
  }
  if (auto pending = pending_ids_.find(request.member_id); pending != pending_ids_.end()) {
    pending_ids_.erase(pending);
    std::string id = request.member_id;
    return add_member(std::move(request), std::move(id), ticket, now, std::move(done));
  }
  GroupError error = check_identity({request.member_id, request.instance_id});
  if (error != GroupError::none) return refuse(error);
  join_again(std::move(request), ticket, now, std::move(done));
}

void Group::join_new(JoinRequest request, std::string new_id, std::uint64_t ticket, Time now,
                     JoinDone done) {
  bool is_static = request.instance_id.has_value();
  if (is_static && static_ids_.contains(*request.instance_id)) {
    return replace_static(std::move(request), std::move(new_id), ticket, now, std::move(done));
  }
  JoinResult result;
  if (is_full()) {
    result.error = GroupError::group_max_size_reached;
    return answer(std::move(done), std::move(result));
  }
  if (!is_static && request.takes_id_first) {
    result.error = GroupError::member_id_required;
    result.member_id = new_id;
    Time end = now + request.session_timeout;
    scan_due_ = std::min(scan_due_, end);
    pending_ids_.emplace(std::move(new_id), end);
    return answer(std::move(done), std::move(result));
  }
  add_member(std::move(request), std::move(new_id), ticket, now, std::move(done));
}

void Group::add_member(JoinRequest request, std::string id, std::uint64_t ticket, Time now,
                       JoinDone done) {
  if (members_.empty()) protocol_type_ = request.protocol_type;
  Member& member = members_[id];
  member.id = id;
  member.is_unnamed = request.member_id.empty();
  member.instance_id = request.instance_id;
  if (member.instance_id) static_ids_[*member.instance_id] = id;
  memory_bytes_ += memory_of(member);
  update(member, request);
  touch(member, now);
  if (leader_.empty()) leader_ = id;
  wait_to_join(member, ticket, std::move(done));
  if (state_ == GroupState::preparing_rebalance) return maybe_complete_join(now);
  prepare_rebalance(now);
}

void Group::join_again(JoinRequest request, std::uint64_t ticket, Time now, JoinDone done) {
  Member& member = members_.find(request.member_id)->second;
  touch(member, now);
  bool is_changed = member.protocols != request.protocols;
  bool is_leader = member.id == leader_;
  // A leader comes back to a stable group when it wants to assign anew. One that comes back while
  // the generation is being completed has not heard the answer.
  bool is_answered = (state_ == GroupState::completing_rebalance && !is_changed) ||
                     (state_ == GroupState::stable && !is_changed && !is_leader);
  if (is_answered) {
    member.is_unnamed = false;
    return answer(std::move(done), joined(member));
  }
  update(member, request);
  wait_to_join(member, ticket, std::move(done));
  if (state_ == GroupState::preparing_rebalance) return maybe_complete_join(now);
  prepare_rebalance(now);
}

/// A static member has started anew, and takes its own place.
void Group::replace_static(JoinRequest request, std::string new_id, std::uint64_t ticket, Time now,
                           JoinDone done) {
  auto known = static_ids_.find(*request.instance_id);
  auto node = members_.extract(known->second);
  ASSERT(!node.empty());
  Member& old = node.mapped();
  answer_join(old, {GroupError::fenced_instance_id});
  answer_sync(old, {GroupError::fenced_instance_id});
  std::string leader_before = leader_;
  if (leader_ == old.id) leader_ = new_id;
  memory_bytes_ -= memory_of(old);
  old.id = new_id;
  memory_bytes_ += memory_of(old);
  node.key() = new_id;
  known->second = new_id;
  Member& member = members_.insert(std::move(node)).position->second;
  update(member, request);
  touch(member, now);
  if (state_ != GroupState::stable || choose_protocol() != protocol_) {
    wait_to_join(member, ticket, std::move(done));
    if (state_ == GroupState::preparing_rebalance) return maybe_complete_join(now);
    return prepare_rebalance(now);
  }
  // The assignment holds as it is. Who leads must not make another: it is told so, or, where it
  // would not understand that, that it does not lead.
  JoinResult result = joined(member);
  if (leader_ == member.id && request.can_skip_assignment) {
    result.skip_assignment = true;
  } else {
    result.leader = leader_before;
    result.members.clear();
  }
  request_save();
  after_save_.push_back({wanted_save_, std::move(done), std::move(result)});
}

void Group::update(Member& member, JoinRequest& request) {
  count_protocols(member, -1);
  memory_bytes_ -= memory_of(member);
  member.client_id = std::move(request.client_id);
  member.client_host = std::move(request.client_host);
  member.session_timeout = request.session_timeout;
  member.rebalance_timeout = request.rebalance_timeout;
  member.protocols = std::move(request.protocols);
  count_protocols(member, 1);
  memory_bytes_ += memory_of(member);
}

void Group::count_protocols(const Member& member, int change) {
  for (const GroupProtocol& protocol : member.protocols) {
    auto count = protocol_counts_.try_emplace(protocol.name, 0).first;
    count->second += static_cast<std::size_t>(change);
    if (count->second == 0) protocol_counts_.erase(count);
  }
}

void Group::touch(Member& member, Time now) {
  member.expires = now + member.session_timeout;
  scan_due_ = std::min(scan_due_, member.expires);
}

void Group::restart_sessions(Time now) {
  for (auto& [id, member] : members_) touch(member, now);
}

GroupError Group::heartbeat(const MemberIdentity& member, Time now) {
  if (GroupError error = check_identity(member); error != GroupError::none) return error;
  if (member.generation != generation_) return GroupError::illegal_generation;
  touch(members_.find(member.member_id)->second, now);
  return state_ == GroupState::preparing_rebalance ? GroupError::rebalance_in_progress
                                                   : GroupError::none;
}

GroupError Group::leave(const MemberIdentity& member, Time now) {
  std::string id = member.member_id;
  if (auto pending = pending_ids_.find(id); pending != pending_ids_.end()) {
    pending_ids_.erase(pending);
    maybe_complete_join(now);
    return GroupError::none;
  }
  if (member.instance_id && id.empty()) {
    auto known = static_ids_.find(*member.instance_id);
    if (known == static_ids_.end()) return GroupError::unknown_member_id;
    id = known->second;
  } else if (GroupError error = check_identity(member); error != GroupError::none) {
    return error;
  }
  erase_member(id);
  go_on_without(now);
  return GroupError::none;
}

GroupError Group::check_commit(const MemberIdentity& member, bool is_transactional, Time now) {
  bool is_named =
      member.generation >= 0 || !member.member_id.empty() || member.instance_id.has_value();
  if (!is_named) {
    bool is_free = state_ == GroupState::empty || is_transactional;
    return is_free ? GroupError::none : GroupError::unknown_member_id;
  }
  if (member.generation < 0 && state_ == GroupState::empty) return GroupError::none;
  if (GroupError error = check_identity(member); error != GroupError::none) return error;
  if (member.generation != generation_) return GroupError::illegal_generation;
  touch(members_.find(member.member_id)->second, now);
  // The member is of this generation, and does not know yet what it is to do in it.
  return state_ == GroupState::completing_rebalance && !is_transactional
             ? GroupError::rebalance_in_progress
             : GroupError::none;
}

void Group::erase_member(const std::string& id) {
  auto found = members_.find(id);
  ASSERT(found != members_.end());
  Member& member = found->second;
  answer_join(member, {GroupError::unknown_member_id});
  answer_sync(member, {GroupError::unknown_member_id});
  count_protocols(member, -1);
  memory_bytes_ -= memory_of(member);
  if (member.instance_id) static_ids_.erase(*member.instance_id);
  bool is_leader = leader_ == member.id;
  members_.erase(found);
  if (is_leader) leader_ = members_.empty() ? "" : members_.begin()->first;
}

void Group::go_on_without(Time now) {
  if (state_ == GroupState::preparing_rebalance) return maybe_complete_join(now);
  prepare_rebalance(now);
}

void Group::give_up(std::uint64_t ticket, Time now) {
  auto waits = [ticket](const auto& entry) {
    return entry.second.is_waiting() && entry.second.ticket == ticket;
  };
  auto found = std::find_if(members_.begin(), members_.end(), waits);
  if (found == members_.end()) return;
  Member& member = found->second;
  answer_join(member, {GroupError::coordinator_not_available});
  answer_sync(member, {GroupError::coordinator_not_available});
  touch(member, now);
  if (!member.is_unnamed) return;
  erase_member(std::string(member.id));
  go_on_without(now);
}

std::optional<std::set<std::string>> Group::subscribed_topics() const {
  std::set<std::string> all;
  for (const auto& [id, member] : members_) {
    for (const GroupProtocol& protocol : member.protocols) {
      auto topics = decode_subscribed_topics(protocol.metadata);
      if (!topics) return std::nullopt;
      all.insert(topics->begin(), topics->end());
    }
  }
  return all;
}

}  // namespace leat::broker
