// Members: who they are, how they come, speak and go; and what is written down of them. Targets and
// the way there are in consumer_group_reconcile.cpp.
#include "broker/consumer_group.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "broker/topic_pattern.h"

namespace leat::broker {
namespace {

/// What a member takes besides its own bytes, and a partition that it has, about.
constexpr std::uint64_t member_bytes = 1024;
constexpr std::uint64_t partition_bytes = 64;
/// And what a name takes besides its own bytes.
constexpr std::uint64_t name_bytes = 64;

std::uint64_t memory_of(const std::string& id, const ConsumerGroup::Member& member) {
  const ConsumerMemberRecord& about = member.about;
  std::uint64_t bytes = member_bytes + 2 * id.size() + about.client_id.size() +
                        about.client_host.size() + about.topic_regex.value_or("").size() +
                        about.rack_id.value_or("").size() +
                        2 * about.instance_id.value_or("").size();
  for (const std::string& topic : about.topics) bytes += name_bytes + topic.size();
  std::size_t partitions = count_partitions(member.target) +
                           2 * count_partitions(member.current.assigned) +
                           2 * count_partitions(member.current.revoking);
  return bytes + partition_bytes * partitions;
}

/// Takes over what was said. Whether it differs.
template <class To, class From>
bool take(To& to, const std::optional<From>& said) {
  if (!said || to == *said) return false;
  to = *said;
  return true;
}

}  // namespace

std::string_view name(ConsumerGroupState state) {
  switch (state) {
    case ConsumerGroupState::empty: return "Empty";
    case ConsumerGroupState::assigning: return "Assigning";
    case ConsumerGroupState::reconciling: return "Reconciling";
    case ConsumerGroupState::stable: return "Stable";
  }
  return "Dead";
}

ConsumerGroup::ConsumerGroup(std::string id, const GroupOptions& options)
    : id_(std::move(id)), options_(&options) {}

ConsumerGroup::ConsumerGroup(std::string id, const GroupOptions& options,
                             StoredConsumerGroup stored, Time now)
    : ConsumerGroup(std::move(id), options) {
  if (stored.group) {
    epoch_ = stored.group->epoch;
    topics_hash_ = stored.group->topics_hash;
  }
  target_epoch_ = stored.target_epoch;
  for (auto& [member_id, known] : stored.members) {
    // What is left of one that has gone.
    if (!known.about) continue;
    Member& member = members_[member_id];
    member.about = std::move(*known.about);
    member.target = std::move(known.target);
    member.current = std::move(known.current);
    if (member.about.instance_id) static_ids_[*member.about.instance_id] = member_id;
    count_subscription(member, 1);
    recount(member_id, member);
    member.expires = now + options_->consumer_session_timeout;
    if (member.current.state == ReconcileState::unrevoked_partitions) {
      member.revoke_due = now + std::chrono::milliseconds(member.about.rebalance_timeout_ms);
    }
    due_ = std::min({due_, member.expires, member.revoke_due});
  }
  claim_all();
}

ConsumerHeartbeatResult ConsumerGroup::check(const ConsumerHeartbeat& request, bool has_id) {
  auto invalid = [](std::string message) {
    return ConsumerHeartbeatResult{GroupError::invalid_request, std::move(message)};
  };
  bool needs_id = has_id || request.epoch != ConsumerHeartbeat::join;
  if (needs_id && request.member_id.empty()) return invalid("MemberId can't be empty.");
  if (request.group_id.empty()) return invalid("GroupId can't be empty.");
  if (request.instance_id == "") return invalid("InstanceId can't be empty.");
  if (request.rack_id == "") return invalid("RackId can't be empty.");
  if (request.epoch == ConsumerHeartbeat::join) {
    if (!request.rebalance_timeout) {
      return invalid("RebalanceTimeoutMs must be provided in first request.");
    }
    if (!request.owned || !request.owned->empty()) {
      return invalid("TopicPartitions must be empty when (re-)joining.");
    }
    if (!request.topics && !request.topic_regex) {
      return invalid(
          "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when "
          "(re-)joining.");
    }
  } else if (request.epoch == ConsumerHeartbeat::leave_for_now && !request.instance_id) {
    return invalid("InstanceId can't be null.");
  } else if (request.epoch < ConsumerHeartbeat::leave_for_now) {
    return invalid("MemberEpoch is invalid.");
  }
  if (request.assignor && !find_assignor(*request.assignor)) {
    return {GroupError::unsupported_assignor,
            fmt::format("ServerAssignor {:.200} is not supported. Supported assignors: {}.",
                        *request.assignor, assignor_names())};
  }
  if (request.topic_regex && !request.topic_regex->empty()) {
    auto pattern = TopicPattern::parse(*request.topic_regex);
    if (!pattern) {
      return {
          GroupError::invalid_regular_expression,
          fmt::format("SubscribedTopicRegex `{:.200}` is not a valid regular expression: {:.200}.",
                      *request.topic_regex, pattern.error().what)};
    }
  }
  return {};
}

void ConsumerGroup::heartbeat(ConsumerHeartbeat request, const GroupTopics& topics, Time now,
                              Done done) {
  ConsumerHeartbeatResult result;
  result.member_id = request.member_id;
  result.epoch = request.epoch;
  result.heartbeat_interval = options_->consumer_heartbeat_interval;
  if (request.epoch < ConsumerHeartbeat::join) {
    result.error = leave(request);
    return answer_when_saved(std::move(done), std::move(result));
  }
  Members::iterator found;
  result.error = find_or_add(request, found);
  if (result.error != GroupError::none) return answer(std::move(done), std::move(result));
  Member& member = found->second;
  Assignment before = member.current.assigned;
  refresh_topics(topics, update(found, request));
  if (epoch_ > target_epoch_) make_target(topics);
  reconcile(found, request.owned, now);
  recount(found->first, member);
  member.expires = now + options_->consumer_session_timeout;
  due_ = std::min({due_, member.expires, member.revoke_due});
  result.epoch = member.current.epoch;
  if (request.is_full() || member.current.assigned != before) {
    result.assignment = member.current.assigned;
  }
  answer_when_saved(std::move(done), std::move(result));
}

/// Finds the member, or lets it in. With an error nothing has changed.
GroupError ConsumerGroup::find_or_add(const ConsumerHeartbeat& request, Members::iterator& found) {
  if (request.instance_id) {
    GroupError error = find_static(request, found);
    if (error != GroupError::none) return error;
  } else {
    found = members_.find(request.member_id);
  }
  if (request.epoch == ConsumerHeartbeat::join) {
    if (found == members_.end()) return add_member(request, found);
    rejoin(found);
    return GroupError::none;
  }
  if (found == members_.end()) return GroupError::unknown_member_id;
  const CurrentAssignment& current = found->second.current;
  if (request.epoch == current.epoch) return GroupError::none;
  // It may not have heard of its epoch, as long as it has nothing that is not its own.
  bool is_behind = request.epoch == current.previous_epoch && request.epoch < current.epoch &&
                   request.owned && is_part_of(*request.owned, current.assigned);
  return is_behind ? GroupError::none : GroupError::fenced_member_epoch;
}

GroupError ConsumerGroup::find_static(const ConsumerHeartbeat& request, Members::iterator& found) {
  bool is_joining = request.epoch == ConsumerHeartbeat::join;
  auto known = static_ids_.find(*request.instance_id);
  if (known == static_ids_.end()) {
    found = is_joining ? members_.find(request.member_id) : members_.end();
    return GroupError::none;
  }
  found = members_.find(known->second);
  ASSERT(found != members_.end());
  if (found->first == request.member_id) return GroupError::none;
  if (!is_joining) return GroupError::fenced_instance_id;
  if (found->second.current.epoch != ConsumerHeartbeat::leave_for_now) {
    return GroupError::unreleased_instance_id;
  }
  // Under an id that is somebody else's it cannot come back.
  if (members_.contains(request.member_id)) return GroupError::unreleased_instance_id;
  replace_static(found, request.member_id);
  return GroupError::none;
}

GroupError ConsumerGroup::add_member(const ConsumerHeartbeat& request, Members::iterator& found) {
  if (members_.size() >= options_->members_max) return GroupError::group_max_size_reached;
  found = members_.try_emplace(request.member_id).first;
  mark(Kind::member, found->first);
  mark(Kind::current, found->first);
  return GroupError::none;
}

/// The member's next process takes its place, with what it had, and under another id.
void ConsumerGroup::replace_static(Members::iterator& member, const std::string& new_id) {
  for (Kind kind : {Kind::member, Kind::target, Kind::current}) {
    mark(kind, member->first);
    mark(kind, new_id);
  }
  static_ids_[*member->second.about.instance_id] = new_id;
  auto node = members_.extract(member);
  node.key() = new_id;
  member = members_.insert(std::move(node)).position;
}

/// It begins anew, and has nothing. Unless it only has not heard that it was let in, or has left to
/// come back: what is kept for it then, it is told in the answer.
void ConsumerGroup::rejoin(Members::iterator member) {
  CurrentAssignment next = member->second.current;
  bool is_kept = next.previous_epoch == 0 || next.epoch == ConsumerHeartbeat::leave_for_now;
  if (!is_kept) next.assigned.clear();
  next.revoking.clear();
  next.epoch = 0;
  next.previous_epoch = 0;
  next.state = ReconcileState::stable;
  set_current(member, std::move(next));
}

GroupError ConsumerGroup::leave(const ConsumerHeartbeat& request) {
  auto found = members_.find(request.member_id);
  if (request.instance_id) {
    auto known = static_ids_.find(*request.instance_id);
    if (known == static_ids_.end()) return GroupError::unknown_member_id;
    if (known->second != request.member_id) return GroupError::fenced_instance_id;
  }
  if (found == members_.end()) return GroupError::unknown_member_id;
  if (request.epoch == ConsumerHeartbeat::leave) {
    remove_member(found);
    return GroupError::none;
  }
  CurrentAssignment next = found->second.current;
  next.epoch = ConsumerHeartbeat::leave_for_now;
  next.state = ReconcileState::stable;
  next.revoking.clear();
  set_current(found, std::move(next));
  found->second.revoke_due = Time::max();
  recount(found->first, found->second);
  return GroupError::none;
}

void ConsumerGroup::remove_member(Members::iterator member) {
  for (Kind kind : {Kind::member, Kind::target, Kind::current}) mark(kind, member->first);
  forget_owner(member->second);
  count_subscription(member->second, -1);
  if (member->second.about.instance_id) static_ids_.erase(*member->second.about.instance_id);
  memory_bytes_ -= member->second.counted_bytes;
  members_.erase(member);
  if (members_.empty()) matches_.clear();
  if (members_.empty()) matched_bytes_ = 0;
  ++epoch_;
  topics_version_ = 0;
  mark(Kind::group);
}

/// Takes over what the member says of itself. Whether it wants other topics now, as one does that
/// has just come.
bool ConsumerGroup::update(Members::iterator member, const ConsumerHeartbeat& request) {
  ConsumerMemberRecord& about = member->second.about;
  bool is_new = member->second.counted_bytes == 0;
  if (!is_new) count_subscription(member->second, -1);
  if (request.instance_id) {
    if (about.instance_id) static_ids_.erase(*about.instance_id);
    static_ids_[*request.instance_id] = member->first;
  }
  std::optional<std::int32_t> timeout;
  if (request.rebalance_timeout) timeout = static_cast<int>(request.rebalance_timeout->count());
  std::optional<std::set<std::string>> topics;
  if (request.topics) topics.emplace(request.topics->begin(), request.topics->end());
  bool has_changed = take(about.instance_id, request.instance_id);
  has_changed |= take(about.rack_id, request.rack_id);
  has_changed |= take(about.rebalance_timeout_ms, timeout);
  has_changed |= take(about.assignor, request.assignor);
  has_changed |= take(about.client_id, std::optional(request.client_id));
  has_changed |= take(about.client_host, std::optional(request.client_host));
  bool wants_other = take(about.topics, topics);
  wants_other |= take(about.topic_regex, request.topic_regex);
  count_subscription(member->second, 1);
  if (has_changed || wants_other) mark(Kind::member, member->first);
  return wants_other || is_new;
}

void ConsumerGroup::count_subscription(const Member& member, int change) {
  auto count = [change](std::map<std::string, std::size_t>& counts, const std::string& what) {
    auto at = counts.try_emplace(what, 0).first;
    at->second += static_cast<std::size_t>(change);
    if (at->second == 0) counts.erase(at);
  };
  for (const std::string& topic : member.about.topics) count(topic_counts_, topic);
  const std::string regex = member.about.topic_regex.value_or("");
  if (!regex.empty()) count(regex_counts_, regex);
}

void ConsumerGroup::recount(const std::string& member_id, Member& member) {
  std::uint64_t bytes = memory_of(member_id, member);
  memory_bytes_ += bytes - member.counted_bytes;
  member.counted_bytes = bytes;
}

void ConsumerGroup::recount_matches() {
  matched_bytes_ = 0;
  for (const auto& [regex, topics] : matches_) {
    for (const std::string& topic : topics) matched_bytes_ += name_bytes + topic.size();
  }
}

GroupError ConsumerGroup::check_commit(const MemberIdentity& member, bool is_transactional,
                                       bool knows_epochs) const {
  if (member.generation < 0 && members_.empty()) return GroupError::none;
  auto found = members_.find(member.member_id);
  if (found == members_.end()) return GroupError::unknown_member_id;
  if (!is_transactional && !knows_epochs) return GroupError::unsupported_version;
  if (found->second.current.epoch == member.generation) return GroupError::none;
  return is_transactional ? GroupError::illegal_generation : GroupError::stale_member_epoch;
}

GroupError ConsumerGroup::check_fetch(const std::optional<std::string>& member_id,
                                      std::int32_t epoch) const {
  if (!member_id && epoch < 0) return GroupError::none;
  auto found = members_.find(member_id.value_or(""));
  if (found == members_.end()) return GroupError::unknown_member_id;
  return found->second.current.epoch == epoch ? GroupError::none : GroupError::stale_member_epoch;
}

void ConsumerGroup::tick(Time now) {
  if (now < due_) return;
  std::vector<std::string> gone;
  due_ = Time::max();
  for (const auto& [member_id, member] : members_) {
    Time due = std::min(member.expires, member.revoke_due);
    if (due <= now) {
      gone.push_back(member_id);
    } else {
      due_ = std::min(due_, due);
    }
  }
  for (const std::string& member_id : gone) remove_member(members_.find(member_id));
}

std::optional<ConsumerGroup::Time> ConsumerGroup::next_due() const {
  if (members_.empty() || due_ == Time::max()) return std::nullopt;
  return due_;
}

void ConsumerGroup::answer(Done done, ConsumerHeartbeatResult result) {
  answers_.push_back(
      [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void ConsumerGroup::answer_when_saved(Done done, ConsumerHeartbeatResult result) {
  if (dirty_.empty() && saving_.empty()) return answer(std::move(done), std::move(result));
  // What could not be written before is tried again whenever somebody waits for it.
  wants_save_ = !dirty_.empty();
  std::uint64_t number = begun_save_ + (dirty_.empty() ? 0 : 1);
  waiting_.push_back({number, std::move(done), std::move(result)});
}

std::optional<ConsumerGroup::Save> ConsumerGroup::take_save() {
  if (!std::exchange(wants_save_, false)) return std::nullopt;
  Save save{++begun_save_, {}};
  for (const auto& [kind, member] : dirty_) save.changes.push_back(change_of(kind, member));
  saving_[begun_save_] = std::exchange(dirty_, {});
  return save;
}

RecordChange ConsumerGroup::change_of(Kind kind, const std::string& member_id) const {
  RecordChange change{encode(ConsumerGroupKey{kind, id_, member_id}), std::nullopt};
  if (kind == Kind::group) {
    change.value = encode(ConsumerGroupRecord{epoch_, topics_hash_});
  } else if (kind == Kind::target_epoch) {
    change.value = encode_target_epoch(target_epoch_);
  } else if (auto found = members_.find(member_id); found != members_.end()) {
    const Member& member = found->second;
    if (kind == Kind::member) change.value = encode(member.about);
    if (kind == Kind::target) change.value = encode(member.target);
    if (kind == Kind::current) change.value = encode(member.current);
  }
  return change;
}

/// What was written behind something that could not be does not count: it would tell half of the
/// truth after a restart. So all of it is written again, and nobody is answered before.
void ConsumerGroup::saved(std::uint64_t number, bool is_written) {
  if (!is_written) failed_save_ = begun_save_;
  bool has_failed = number <= failed_save_;
  auto changes = saving_.extract(number);
  ASSERT(!changes.empty());
  if (has_failed) dirty_.merge(changes.mapped());
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    if (waiting.number > number) {
      waiting_.push_back(std::move(waiting));
    } else if (has_failed) {
      answer(std::move(waiting.done), {GroupError::coordinator_not_available});
    } else {
      answer(std::move(waiting.done), std::move(waiting.result));
    }
  }
}

/// The group's own last: before that, it is an empty group.
std::vector<RecordChange> ConsumerGroup::tombstones() const {
  Dirty of_members = dirty_;
  for (const auto& [number, changes] : saving_) of_members.insert(changes.begin(), changes.end());
  std::vector<RecordChange> all;
  for (const auto& [kind, member] : of_members) {
    if (!member.empty()) all.push_back({encode(ConsumerGroupKey{kind, id_, member}), std::nullopt});
  }
  for (Kind kind : {Kind::target_epoch, Kind::group}) {
    all.push_back({encode(ConsumerGroupKey{kind, id_}), std::nullopt});
  }
  return all;
}

}  // namespace leat::broker
