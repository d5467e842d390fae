#include "client/group_member.h"

#include <algorithm>
#include <set>
#include <utility>

#include "client/wire_error.h"

namespace leat::client {

using wire::ErrorCode;

GroupMember::GroupMember(GroupMemberOptions options)
    : options_(std::move(options)),
      is_cooperative_(std::all_of(options_.assignors.begin(), options_.assignors.end(),
                                  [](Assignor assignor) { return is_cooperative(assignor); })) {}

// What to do.

std::optional<GroupMember::Outgoing> GroupMember::next_request(Time now) {
  end_session(now);
  if (state_ == State::stable && settle_due_ && now >= *settle_due_) {
    settle_due_.reset();
    begin_rebalance();
  }
  bool is_over = state_ == State::left || state_ == State::failed;
  if (is_over || in_flight_ != 0 || now < retry_at_ || state_ == State::assigning) {
    return std::nullopt;
  }
  bool is_idle = state_ == State::stable && coordinator_ >= 0 && now < heartbeat_due_;
  if (is_idle) return std::nullopt;
  if (coordinator_ < 0) {
    wire::FindCoordinatorRequest request;
    request.coordinator_key = options_.group;
    request.coordinator_keys = {options_.group};
    return send(std::move(request), now);
  }
  if (state_ == State::joining) return send(join_request(), now);
  if (state_ == State::syncing) return send(sync_request(), now);
  if (state_ == State::leaving) return send(*leave_request(), now);
  heartbeat_due_ = now + options_.heartbeat_interval;
  return send(wire::HeartbeatRequest{options_.group, generation_, id_, options_.instance_id}, now);
}

GroupMember::Outgoing GroupMember::send(decltype(Outgoing::request) request, Time now) {
  in_flight_ = ++last_ticket_;
  sent_ = now;
  is_waiting_ = std::holds_alternative<wire::JoinGroupRequest>(request) ||
                std::holds_alternative<wire::SyncGroupRequest>(request);
  return {in_flight_, coordinator_, std::move(request)};
}

wire::JoinGroupRequest GroupMember::join_request() const {
  wire::JoinGroupRequest request;
  request.group_id = options_.group;
  request.session_timeout_ms = static_cast<std::int32_t>(options_.session_timeout.count());
  request.rebalance_timeout_ms = static_cast<std::int32_t>(options_.rebalance_timeout.count());
  request.member_id = id_;
  request.group_instance_id = options_.instance_id;
  request.protocol_type = consumer_protocol_type;
  for (Assignor assignor : options_.assignors) {
    // When what is owned was given, which is not always the generation that we were in last.
    Subscription subscription{options_.topics, user_data(assignor, last_), owned_, last_.generation,
                              std::nullopt};
    request.protocols.push_back({std::string(name(assignor)), encode_subscription(subscription)});
  }
  return request;
}

wire::SyncGroupRequest GroupMember::sync_request() const {
  wire::SyncGroupRequest request;
  request.group_id = options_.group;
  request.generation_id = generation_;
  request.member_id = id_;
  request.group_instance_id = options_.instance_id;
  request.protocol_type = consumer_protocol_type;
  request.protocol_name = std::string(name(assignor_));
  for (const auto& [id, partitions] : assignments_) {
    bool is_own = id == id_ && shared_out_;
    request.assignments.push_back(
        {id, encode_assignment(partitions, is_own ? *shared_out_ : SharedOut())});
  }
  return request;
}

std::optional<GroupMember::Time> GroupMember::next_due() const {
  bool is_over = state_ == State::left || state_ == State::failed;
  if (is_over) return std::nullopt;
  std::optional<Time> due;
  auto at = [&](Time time) { due = std::min(due.value_or(time), time); };
  if (in_flight_ == 0 && state_ != State::assigning) {
    bool is_idle = state_ == State::stable && coordinator_ >= 0;
    at(is_idle ? std::max(heartbeat_due_, retry_at_) : retry_at_);
  }
  if (state_ == State::stable && settle_due_) at(*settle_due_);
  bool may_expire = !owned_.empty() && !(in_flight_ != 0 && is_waiting_);
  if (may_expire) at(heard_ + options_.session_timeout);
  return due;
}

std::optional<std::vector<std::string>> GroupMember::wants_counts() const {
  if (state_ != State::assigning) return std::nullopt;
  return group_topics();
}

std::vector<std::string> GroupMember::watched_topics() const {
  return leads_ && state_ == State::stable ? group_topics() : std::vector<std::string>();
}

std::optional<MemberIdentity> GroupMember::identity() const {
  if (state_ != State::stable) return std::nullopt;
  return MemberIdentity{id_, options_.instance_id, generation_};
}

// Answers.

bool GroupMember::take_ticket(std::uint64_t ticket) {
  if (ticket != in_flight_) return false;
  in_flight_ = 0;
  return true;
}

GroupMember::Verdict GroupMember::verdict_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::none: return Verdict::fine;
    case ErrorCode::rebalance_in_progress: return Verdict::join_again;
    case ErrorCode::illegal_generation:
    case ErrorCode::unknown_member_id: return Verdict::forget_self;
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available: return Verdict::find_again;
    case ErrorCode::coordinator_load_in_progress: return Verdict::retry;
    default: return wire::retriable(code) ? Verdict::retry : Verdict::fatal;
  }
}

bool GroupMember::judge(ErrorCode code, Time now) {
  Verdict verdict = verdict_of(code);
  if (verdict == Verdict::fine) {
    attempts_ = 0;
    // A rebalance may take longer than a session, which begins when it is over.
    heard_ = is_waiting_ ? now : sent_;
    return true;
  }
  if (verdict == Verdict::fatal) {
    fail(broker_error(code, "group " + options_.group, broker_));
    return false;
  }
  if (verdict == Verdict::find_again) coordinator_ = -1;
  if (verdict == Verdict::forget_self) {
    if (code == ErrorCode::unknown_member_id) id_.clear();
    lose_all();
    if (std::exchange(state_, State::joining) == State::joining) retry_later(now);
    return false;
  }
  if (verdict == Verdict::join_again) {
    heard_ = sent_;
    if (state_ == State::stable) {
      begin_rebalance();
      return false;
    }
    bool is_sync = state_ == State::syncing;
    state_ = State::joining;
    if (is_sync) return false;
  }
  retry_later(now);
  return false;
}

void GroupMember::answered(std::uint64_t ticket, const wire::FindCoordinatorResponse& response,
                           Time now) {
  if (!take_ticket(ticket)) return;
  bool is_batched = !response.coordinators.empty();
  ErrorCode code = is_batched ? response.coordinators[0].error_code : response.error_code;
  Verdict verdict = verdict_of(code);
  if (verdict == Verdict::fatal) {
    return fail(broker_error(code, "group " + options_.group, broker_));
  }
  if (verdict != Verdict::fine) return retry_later(now);
  coordinator_ = is_batched ? response.coordinators[0].node_id : response.node_id;
}

void GroupMember::answered(std::uint64_t ticket, const wire::JoinGroupResponse& response,
                           Time now) {
  if (!take_ticket(ticket) || state_ != State::joining) return;
  if (response.error_code == ErrorCode::member_id_required) {
    id_ = response.member_id;
    attempts_ = 0;
    return;
  }
  if (!judge(response.error_code, now)) return;
  auto assignor = find_assignor(response.protocol_name.value_or(""));
  bool is_ours =
      assignor && std::count(options_.assignors.begin(), options_.assignors.end(), *assignor) > 0;
  if (!is_ours) {
    return fail({Errc::broker_error, "group " + options_.group + " shares out its partitions by " +
                                         response.protocol_name.value_or("nothing") +
                                         ", which this member did not offer"});
  }
  id_ = response.member_id;
  generation_ = response.generation_id;
  assignor_ = *assignor;
  leads_ = response.leader == id_;
  members_.clear();
  assignments_.clear();
  shared_out_.reset();
  settle_due_.reset();
  is_complete_ = true;
  state_ = State::syncing;
  if (leads_) lead(response);
}

/// A member whose words are not understood gets nothing, since the others cannot wait for it.
void GroupMember::lead(const wire::JoinGroupResponse& response) {
  for (const auto& member : response.members) {
    auto subscription = decode_subscription(member.metadata);
    members_.push_back({member.member_id, member.group_instance_id,
                        subscription ? std::move(*subscription) : Subscription()});
  }
  // A static leader that came back: the group goes on as it was. It does not know what it had held
  // back for others.
  is_complete_ = !response.skip_assignment || !is_cooperative_;
  if (!response.skip_assignment) state_ = State::assigning;
}

void GroupMember::answered(std::uint64_t ticket, const wire::SyncGroupResponse& response,
                           Time now) {
  if (!take_ticket(ticket) || state_ != State::syncing) return;
  if (!judge(response.error_code, now)) return;
  auto assignment = decode_assignment(response.assignment);
  if (!assignment) return fail(assignment.error());
  state_ = State::stable;
  heartbeat_due_ = now + options_.heartbeat_interval;
  // Whoever gives up what was held back joins again. But one that is replaced by its next instance
  // before it does is missed by nobody.
  if (!is_complete_) settle_due_ = now + options_.session_timeout;
  assignments_.clear();
  // A static leader that came back was not there when partitions were added meanwhile.
  if (leads_ && !shared_out_) shared_out_ = decode_shared_out(response.assignment);
  take_assignment(sorted(*assignment));
}

void GroupMember::take_assignment(const TopicPartitions& assignment) {
  TopicPartitions added = subtract(assignment, owned_);
  TopicPartitions gone = subtract(owned_, assignment);
  owned_ = unite(owned_, assignment);
  last_ = {assignment, generation_};
  must_join_ = false;
  if (!gone.empty()) {
    giving_up_ = gone;
    must_join_ = true;
    change(Change::Kind::revoked, std::move(gone));
    revocation_ = last_change_;
  }
  change(Change::Kind::assigned, std::move(added));
}

void GroupMember::answered(std::uint64_t ticket, const wire::HeartbeatResponse& response,
                           Time now) {
  if (take_ticket(ticket) && state_ == State::stable) judge(response.error_code, now);
}

void GroupMember::answered(std::uint64_t ticket, const wire::LeaveGroupResponse& response,
                           Time now) {
  if (!take_ticket(ticket) || state_ != State::leaving) return;
  Verdict verdict = verdict_of(response.error_code);
  if (verdict == Verdict::find_again) coordinator_ = -1;
  if (verdict == Verdict::find_again || verdict == Verdict::retry) return retry_later(now);
  state_ = State::left;
}

void GroupMember::failed(std::uint64_t ticket, Time now) {
  if (!take_ticket(ticket)) return;
  coordinator_ = -1;
  heartbeat_due_ = now;
  retry_later(now);
}

void GroupMember::failed_for_good(std::uint64_t ticket, Error error) {
  if (take_ticket(ticket)) fail(std::move(error));
}

void GroupMember::refused(ErrorCode code, std::int32_t generation, Time now) {
  if (state_ != State::stable || generation != generation_) return;
  Verdict verdict = verdict_of(code);
  bool is_about_us = verdict == Verdict::forget_self || code == ErrorCode::fenced_instance_id;
  if (verdict == Verdict::find_again) return coordinator_lost(now);
  if (!is_about_us && verdict != Verdict::join_again) return;
  // An answer to a heartbeat of before would be of no use.
  in_flight_ = 0;
  sent_ = heard_;
  judge(code, now);
}

void GroupMember::coordinator_lost(Time now) {
  if (in_flight_ != 0 || coordinator_ < 0) return;
  coordinator_ = -1;
  heartbeat_due_ = now;
  retry_later(now);
}

// The group.

std::vector<std::string> GroupMember::group_topics() const {
  std::set<std::string> topics;
  for (const AssignorMember& member : members_) {
    topics.insert(member.subscription.topics.begin(), member.subscription.topics.end());
  }
  return {topics.begin(), topics.end()};
}

PartitionCounts GroupMember::known_counts(const PartitionCounts& counts) const {
  PartitionCounts known;
  for (const std::string& topic : group_topics()) {
    auto count = counts.find(topic);
    if (count != counts.end()) known.insert(*count);
  }
  return known;
}

void GroupMember::take_counts(const PartitionCounts& counts) {
  if (state_ == State::assigning) {
    shared_out_ = known_counts(counts);
    assignments_ = assign(assignor_, members_, *shared_out_);
    std::size_t missing = 0;
    for (const auto& [topic, count] : *shared_out_) missing += static_cast<std::size_t>(count);
    for (const auto& [id, partitions] : assignments_) missing -= count_of(partitions);
    is_complete_ = missing == 0;
    state_ = State::syncing;
    return;
  }
  if (!leads_ || state_ != State::stable) return;
  PartitionCounts known = known_counts(counts);
  if (!shared_out_) shared_out_ = known;
  if (*shared_out_ != known) begin_rebalance();
}

/// REQUIRES: stable.
void GroupMember::begin_rebalance() {
  must_join_ = true;
  if (!giving_up_.empty()) return;
  TopicPartitions gone = owned_;
  if (is_cooperative_) {
    for (const std::string& topic : options_.topics) gone.erase(topic);
  }
  if (gone.empty()) {
    must_join_ = false;
    state_ = State::joining;
    in_flight_ = 0;  // a heartbeat has nothing to tell any more
    return;
  }
  giving_up_ = gone;
  change(Change::Kind::revoked, std::move(gone));
  revocation_ = last_change_;
}

void GroupMember::given_up(std::uint64_t number) {
  if (giving_up_.empty() || number != revocation_) return;
  owned_ = subtract(owned_, giving_up_);
  giving_up_.clear();
  if (must_join_ && state_ == State::stable) begin_rebalance();
}

void GroupMember::subscribe(std::vector<std::string> topics) {
  if (topics == options_.topics) return;
  options_.topics = std::move(topics);
  if (state_ == State::stable) return begin_rebalance();
  if (state_ != State::joining && state_ != State::assigning && state_ != State::syncing) return;
  state_ = State::joining;
  in_flight_ = 0;
}

void GroupMember::leave() {
  if (state_ == State::left || state_ == State::failed) return;
  owned_.clear();
  giving_up_.clear();
  in_flight_ = 0;
  retry_at_ = Time(0);
  state_ = leave_request() ? State::leaving : State::left;
}

std::optional<wire::LeaveGroupRequest> GroupMember::leave_request() const {
  if (options_.instance_id || id_.empty()) return std::nullopt;
  wire::LeaveGroupRequest request;
  request.group_id = options_.group;
  request.member_id = id_;
  request.members.push_back({id_, {}, "the consumer was closed"});
  return request;
}

/// A coordinator that was not heard for a session may have given our partitions to others. It waits
/// with that while a request of a rebalance waits for its answer.
void GroupMember::end_session(Time now) {
  bool is_held = owned_.empty() || (in_flight_ != 0 && is_waiting_);
  if (is_held || now < heard_ + options_.session_timeout) return;
  lose_all();
  in_flight_ = 0;
  coordinator_ = -1;
  state_ = State::joining;
}

void GroupMember::lose_all() {
  generation_ = no_generation;
  leads_ = false;
  settle_due_.reset();
  must_join_ = false;
  giving_up_.clear();
  TopicPartitions lost = std::exchange(owned_, {});
  if (!lost.empty()) change(Change::Kind::lost, std::move(lost));
}

void GroupMember::fail(Error error) {
  lose_all();
  error_ = std::move(error);
  state_ = State::failed;
}

void GroupMember::change(Change::Kind kind, TopicPartitions partitions) {
  changes_.push_back({kind, std::move(partitions), ++last_change_});
}

void GroupMember::retry_later(Time now) {
  ++attempts_;
  auto delay = options_.retry_backoff;
  for (int i = 1; i < attempts_ && delay < options_.retry_backoff_max; ++i) delay *= 2;
  retry_at_ = now + std::min(delay, options_.retry_backoff_max);
}

}  // namespace leat::client
