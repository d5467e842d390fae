#include "sim/group_simulation.h"

#include <algorithm>

#include "base/assert.h"

namespace leat::sim {
namespace {

using broker::GroupError;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int32_t partitions = 4;
constexpr const char* topic = "t";
constexpr milliseconds session{2000};
constexpr milliseconds rebalance{2500};
constexpr milliseconds patience{6000};  // of a client with an answer

std::string parts_of(const broker::Assignment& assignment) {
  std::string text = "{";
  for (const auto& [id, parts] : assignment) {
    for (std::int32_t part : parts) text += fmt::format(" {}", part);
  }
  return text + " }";
}

}  // namespace

GroupSimulation::GroupSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point)
    : BrokerLives(seed, verbose, point, 3) {
  log::StoreOptions& store = options_.store;
  store.journal_bytes = std::uint64_t{1} << random_.between(16, 18);
  store.direct_bytes = std::uint64_t{1} << random_.between(8, 16);
  broker::GroupOptions& groups = options_.groups;
  groups.session_timeout_min = milliseconds(100);
  groups.consumer_session_timeout = session;
  groups.offsets_retention = seconds(random_.one_in(2) ? random_.between(5, 60) : 600'000);
  groups.expiry_check_interval = milliseconds(random_.between(500, 5000));
  if (random_.one_in(3)) groups.initial_rebalance_delay = milliseconds(random_.below(1000));
  if (random_.one_in(3)) files_.set_delays(milliseconds(0), milliseconds(30));
  with_failing_syncs_ = random_.one_in(4);
  for (int i = 0; i < 3; ++i) {
    Group& group = groups_.emplace_back();
    group.name = fmt::format("g{}", i);
    group.is_new = i == 1;
    // The third is nobody's but an admin's.
    for (int m = 0; m < 3 && i < 2; ++m) {
      Member& member = members_.emplace_back();
      member.number = static_cast<int>(members_.size());
      member.group = &group;
    }
  }
}

// Lives.

void GroupSimulation::opened() {
  is_disk_excused_ = false;
  make_topic(topic, partitions, {});
  bool is_ready = false;
  broker_->groups().when_ready([&](GroupError error) { is_ready = error == GroupError::none; });
  bool is_known = wait_until([&] { return !alive() || is_ready; });
  if (!is_known) object("groups are not available");
}

void GroupSimulation::live() {
  if (random_.one_in(2)) crasher_.stop_after(random_.below(400));
  std::int64_t actions = random_.between(30, 300);
  for (std::int64_t i = 0; i < actions && alive(); ++i) {
    auto draw = random_.below(60);
    Group& group = groups_[random_.below(groups_.size())];
    if (draw < 26) {
      act(members_[random_.below(members_.size())]);
    } else if (draw < 32) {
      commit(members_[random_.below(members_.size())]);
    } else if (draw < 37) {
      fetch(group, static_cast<std::int32_t>(random_.below(partitions)));
    } else if (draw < 39) {
      commit(group, {}, is_group_held(group));
    } else if (draw == 39) {
      forget_offsets(group);
    } else if (draw == 40) {
      remove(group);
    } else if (draw == 41) {
      leave(members_[random_.below(members_.size())]);
    } else if (draw == 42) {
      fall_silent(members_[random_.below(members_.size())]);
    } else if (draw == 43) {
      break_disk();
    } else if (draw < 47) {
      files_.set_free_bytes({});
    } else if (draw == 47 && random_.one_in(3)) {
      std::int64_t ms = random_.between(0, 20'000);
      trace("the clock jumps by {} ms", ms);
      clock_.jump(ms);
    } else {
      executor_.run_for(
          milliseconds(random_.one_in(10) ? random_.between(0, 3000) : random_.between(0, 100)));
    }
    for (Group& one : groups_) one.may_be_gone |= !is_group_held(one);
  }
}

void GroupSimulation::break_disk() {
  if (random_.one_in(2)) return;
  is_disk_excused_ = true;
  if (!with_failing_syncs_) {
    trace("the disk is full");
    files_.set_free_bytes(random_.below(3) * 4096);
  } else {
    trace("a sync fails");
    files_.fail_sync(random_.one_in(2) ? ".log" : "/journal/", 1 + random_.below(3));
  }
}

void GroupSimulation::ended() {
  for (Member& member : members_) {
    member.is_waiting = false;
    member.is_disturbed = true;
    member.before.clear();  // that they were sent away need not be durable
    ++member.call;
    // What it proposed nobody knows of.
    if (!member.group->is_new && member.step == Step::joined) forget_self(member, false);
  }
}

// Calls.

std::uint64_t GroupSimulation::begin_call(Member& member) {
  member.is_waiting = true;
  member.call_began = now();
  if (member.first_call == Time{0}) member.first_call = now();
  return ++member.call;
}

/// Whether the member still waits for that answer.
bool GroupSimulation::end_call(Member& member, std::uint64_t call) {
  if (!alive() || member.call != call) return false;
  member.is_waiting = false;
  return true;
}

void GroupSimulation::act(Member& member) {
  if (member.is_waiting && now() < member.call_began + patience) return;
  if (member.is_waiting) {
    trace("member {} gives up", member.number);
    ++member.call;
    member.is_waiting = false;
    member.is_disturbed = true;
    if (!member.group->is_new && member.step != Step::in) forget_self(member, false);
  }
  if (member.group->is_new) return heartbeat_new(member);
  act_classic(member);
}

void GroupSimulation::is_in(Member& member, Time timeout) {
  member.step = Step::in;
  member.is_disturbed = false;
  member.held_until = member.call_began + timeout;
}

/// It knows that it is no member any more.
void GroupSimulation::send_away(Member& member, bool with_id) {
  if (member.step == Step::in) member.before.push_back({member.id, {}, member.generation});
  forget_self(member, with_id);
}

void GroupSimulation::forget_self(Member& member, bool with_id) {
  member.step = Step::out;
  member.owned.clear();
  member.revoking.clear();
  member.held_until = Time{0};
  if (with_id) return;
  member.id.clear();
  member.generation = -1;
  member.told_epoch = -1;
}

/// Its process dies; the next one knows nothing.
void GroupSimulation::fall_silent(Member& member) {
  trace("member {} falls silent", member.number);
  ++member.call;
  member.is_waiting = false;
  forget_self(member, false);
}

bool GroupSimulation::is_there(const Member& member) const {
  // Who keeps for too long what it is to give up is sent away.
  bool is_late = std::ranges::any_of(
      member.revoking, [&](const auto& revoking) { return revoking.second <= now(); });
  return member.step == Step::in && now() < member.held_until && !is_late;
}

bool GroupSimulation::is_held(const Member& member) const {
  return is_there(member) && !member.is_disturbed;
}

bool GroupSimulation::is_group_held(const Group& group) const {
  return std::ranges::any_of(
      members_, [&](const Member& member) { return member.group == &group && is_held(member); });
}

void GroupSimulation::check_available(GroupError error) {
  if (error == GroupError::coordinator_not_available && !is_disk_excused_) {
    object("groups cannot be written, and the disk is whole");
  }
}

void GroupSimulation::refused(Member& member, GroupError error) {
  trace("member {} is refused: {}", member.number, static_cast<int>(error));
  check_available(error);
  if (error == GroupError::coordinator_not_available ||
      error == GroupError::rebalance_in_progress) {
    if (!member.group->is_new) member.step = Step::out;
    return;
  }
  bool is_known =
      error == GroupError::unknown_member_id || error == GroupError::illegal_generation ||
      error == GroupError::fenced_member_epoch || error == GroupError::group_id_not_found;
  if (!is_known) object(fmt::format("error {} is none for a member", static_cast<int>(error)));
  bool is_early = is_held(member) && !member.is_waiting;
  if (is_early) object(fmt::format("member {} is sent away", member.number));
  // One that was fenced may come back under its id.
  send_away(member,
            error == GroupError::illegal_generation || error == GroupError::fenced_member_epoch);
}

void GroupSimulation::leave(Member& member) {
  if (member.step != Step::in || member.is_waiting) return;
  trace("member {} leaves", member.number);
  Group& group = *member.group;
  if (!group.is_new) {
    bool was_held = is_held(member);
    auto errors = broker_->groups().leave(group.name, {{member.id, {}, -1}});
    if (errors.at(0) != GroupError::none && was_held) object("a member that leaves is not known");
    return send_away(member, false);
  }
  broker::ConsumerHeartbeat request;
  request.group_id = group.name;
  request.member_id = member.id;
  request.epoch = broker::ConsumerHeartbeat::leave;
  send_away(member, false);
  broker_->groups().heartbeat(std::move(request), false, [](const auto&) {});
}

/// What is known of a group that begins at nothing.
void GroupSimulation::begin_anew(Group& group) {
  group.told = 0;
  group.proposals.clear();
  group.has_told.clear();
  group.may_be_gone = false;
  for (Member& member : members_) {
    if (member.group != &group) continue;
    member.told_epoch = -1;
    member.before.clear();
  }
}

void GroupSimulation::tell_generation(Group& group, std::int32_t generation) {
  // An empty one may have expired, or have been removed.
  bool may_be_gone = group.may_be_gone || !is_group_held(group);
  if (may_be_gone && generation <= group.told) begin_anew(group);
  group.may_be_gone = false;
  if (generation < group.told) {
    object(fmt::format("{} goes back from {} to {}", group.name, group.told, generation));
  }
}

// Members of the classic protocol.

void GroupSimulation::act_classic(Member& member) {
  Group& group = *member.group;
  if (member.step == Step::out) return join(member);
  if (member.step == Step::joined) return sync(member);
  member.call_began = now();
  GroupError error = broker_->groups().heartbeat(group.name, {member.id, {}, member.generation});
  if (error == GroupError::none) return is_in(member, session);
  refused(member, error);
}

void GroupSimulation::join(Member& member) {
  std::uint64_t call = begin_call(member);
  broker::JoinRequest request;
  request.group_id = member.group->name;
  request.member_id = member.id;
  request.session_timeout = session;
  request.rebalance_timeout = rebalance;
  request.protocol_type = "consumer";
  request.protocols = {{"range", Bytes(1)}};
  request.takes_id_first = random_.one_in(2);
  trace("member {} joins as '{}'", member.number, member.id);
  broker_->groups().join(std::move(request),
                         [this, &member, call](const broker::JoinResult& result) {
                           if (end_call(member, call)) joined(member, result);
                         });
}

void GroupSimulation::joined(Member& member, const broker::JoinResult& result) {
  if (result.error == GroupError::member_id_required) {
    member.id = result.member_id;
    return;
  }
  if (result.error != GroupError::none) return refused(member, result.error);
  Group& group = *member.group;
  trace("member {} is '{}' in generation {}{}", member.number, result.member_id, result.generation,
        result.leader == result.member_id ? ", and leads" : "");
  tell_generation(group, result.generation);
  member.id = result.member_id;
  member.generation = result.generation;
  member.step = Step::joined;
  member.proposal.clear();
  if (result.leader != result.member_id) return;
  // By chance, so that no two proposals are alike.
  std::vector<std::string> texts(result.members.size());
  for (int p = 0; p < 32; ++p) texts[random_.below(texts.size())] += fmt::format("{} ", p);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    BytesView bytes = as_bytes(texts[i]);
    member.proposal[result.members[i].member_id] = Bytes(bytes.begin(), bytes.end());
  }
}

void GroupSimulation::sync(Member& member) {
  Group& group = *member.group;
  std::uint64_t call = begin_call(member);
  broker::SyncRequest request;
  request.group_id = group.name;
  request.member = {member.id, {}, member.generation};
  for (const auto& [id, assignment] : member.proposal) {
    request.assignments.push_back({id, assignment});
  }
  bool is_new = !member.proposal.empty() && !group.has_told.contains(member.generation);
  if (is_new) group.proposals[member.generation].push_back(member.proposal);
  trace("member {} asks for its part of generation {}", member.number, member.generation);
  broker_->groups().sync(std::move(request),
                         [this, &member, call](const broker::SyncResult& result) {
                           if (end_call(member, call)) synced(member, result);
                         });
}

void GroupSimulation::synced(Member& member, const broker::SyncResult& result) {
  if (result.error != GroupError::none) return refused(member, result.error);
  Group& group = *member.group;
  group.told = std::max(group.told, member.generation);
  group.has_told.insert(member.generation);
  auto& proposals = group.proposals[member.generation];
  bool had_any = !proposals.empty();  // or it began before all was forgotten
  std::erase_if(proposals, [&](const Parts& parts) {
    auto part = parts.find(member.id);
    return part == parts.end() || part->second != result.assignment;
  });
  if (had_any && proposals.empty()) {
    object(fmt::format("members of generation {} were told different things", group.told));
  }
  trace("member {} has its part of generation {}", member.number, member.generation);
  is_in(member, session);
}

// Members of the new protocol.

void GroupSimulation::heartbeat_new(Member& member) {
  if (!member.revoking.empty() && random_.one_in(2)) revoke(member);
  bool is_joining = member.step == Step::out;
  if (is_joining && member.id.empty()) member.id = fmt::format("m{}", ++last_id_);
  std::uint64_t call = begin_call(member);
  broker::ConsumerHeartbeat request;
  request.group_id = member.group->name;
  request.member_id = member.id;
  request.epoch = is_joining ? 0 : member.generation;
  broker::Assignment owned;
  for (const Place& place : member.owned) owned[place.first].insert(place.second);
  bool is_full = is_joining || member.is_disturbed || random_.one_in(3);
  if (is_full) {
    request.rebalance_timeout = rebalance;
    request.topics = {{topic}};
    if (random_.one_in(2)) request.assignor = random_.one_in(2) ? "range" : "uniform";
  }
  trace("member {} says that '{}' lives, epoch {}, with {}{}", member.number, member.id,
        request.epoch, parts_of(owned), is_full ? ", in full" : "");
  request.owned = std::move(owned);
  broker_->groups().heartbeat(std::move(request), true,
                              [this, &member, call](const broker::ConsumerHeartbeatResult& result) {
                                if (end_call(member, call)) heard(member, result);
                              });
}

void GroupSimulation::heard(Member& member, const broker::ConsumerHeartbeatResult& result) {
  Group& group = *member.group;
  if (result.error == GroupError::coordinator_not_available) {
    check_available(result.error);
    member.is_disturbed = true;  // it does not know what was decided
    return;
  }
  if (result.error != GroupError::none) return refused(member, result.error);
  bool is_joining = member.step == Step::out;
  if (is_joining) tell_generation(group, result.epoch);
  if (result.epoch < member.told_epoch) {
    object(fmt::format("epoch {} of member {} goes back to {}", member.told_epoch, member.number,
                       result.epoch));
  }
  trace("member {} is in epoch {}{}", member.number, result.epoch,
        result.assignment ? ", to have " + parts_of(*result.assignment) : "");
  member.generation = member.told_epoch = result.epoch;
  group.told = std::max(group.told, result.epoch);
  is_in(member, session);
  if (result.assignment) assigned(member, *result.assignment);
  member.first_call = Time{0};
}

void GroupSimulation::assigned(Member& member, const broker::Assignment& assignment) {
  std::set<Place> all;
  for (const auto& [id, parts] : assignment) {
    for (std::int32_t part : parts) all.emplace(id, part);
  }
  for (const Place& place : member.owned) {
    // It may have begun to wait when the first of the calls came whose answers were lost.
    if (!all.contains(place)) member.revoking.try_emplace(place, member.first_call + rebalance);
  }
  for (const Place& place : all) {
    member.revoking.erase(place);
    for (const Member& other : members_) {
      if (&other == &member || !other.owned.contains(place)) continue;
      bool may_use = other.group == member.group && is_there(other);
      if (!may_use) continue;
      object(fmt::format("members {} and {} both have partition {}", other.number, member.number,
                         place.second));
    }
  }
  member.owned.insert(all.begin(), all.end());
}

void GroupSimulation::revoke(Member& member) {
  if (!is_there(member)) {  // too late
    member.is_disturbed = true;
    member.held_until = Time{0};
  }
  for (const auto& [place, due] : member.revoking) member.owned.erase(place);
  member.revoking.clear();
}

// Offsets.

void GroupSimulation::commit(Member& member) {
  Group& group = *member.group;
  if (!member.before.empty() && random_.one_in(4)) {
    const auto& zombie = member.before[random_.below(member.before.size())];
    bool is_gone = zombie.member_id != member.id || zombie.generation < member.generation;
    return commit(group, zombie, is_gone && member.step == Step::in);
  }
  if (member.step != Step::in) return;
  bool is_late = random_.one_in(5);
  commit(group, {member.id, {}, member.generation - (is_late ? 1 : 0)}, is_late);
}

void GroupSimulation::commit(Group& group, const broker::MemberIdentity& as, bool must_fail) {
  broker::CommitRequest request;
  request.group_id = group.name;
  request.member = as;
  request.knows_epochs = true;
  bool is_named = as.generation >= 0;
  must_fail |= is_named && !group.is_new && as.generation < group.told && !group.may_be_gone;
  std::vector<std::int64_t> numbers;
  std::int64_t expires = clock_.wall_ms() + options_.groups.offsets_retention.count();
  auto first = static_cast<std::int32_t>(random_.below(partitions));
  std::int32_t count = random_.one_in(2) ? 1 : 2;
  for (std::int32_t i = 0; i < count; ++i) {
    std::int32_t p = (first + i) % partitions;
    numbers.push_back(offsets_.commit({group.name, p}, expires));
    request.partitions.push_back({topic, p, numbers.back()});
  }
  trace("'{}' commits {} for {} in generation {}", as.member_id, numbers.back(), group.name,
        as.generation);
  broker_->groups().commit(std::move(request),
                           [=, this, &group](const std::vector<GroupError>& errors) {
                             for (std::size_t i = 0; i < errors.size() && alive(); ++i) {
                               std::int32_t p = (first + static_cast<std::int32_t>(i)) % partitions;
                               check_available(errors[i]);
                               if (errors[i] == GroupError::coordinator_not_available) {
                                 offsets_.failed({group.name, p}, numbers[i]);
                               }

                               if (errors[i] != GroupError::none) continue;

                               trace("commit {} is done", numbers[i]);
                               offsets_.committed({group.name, p}, numbers[i]);
                               if (must_fail)
                                 object(fmt::format("commit {} should be refused", numbers[i]));
                             }
                           });
}

void GroupSimulation::fetch(Group& group, std::int32_t partition) {
  broker::FetchedOffset told = broker_->groups().fetch(group.name, topic, partition, true);
  if (told.error != GroupError::none) return object("an offset is not stable");
  std::optional<std::int64_t> offset;
  if (told.value) offset = told.value->offset;
  trace("partition {} of {} has {}", partition, group.name, offset.value_or(0));
  object(offsets_.told({group.name, partition}, offset, clock_.wall_ms()));
}

void GroupSimulation::forget_offsets(Group& group) {
  auto p = static_cast<std::int32_t>(random_.below(partitions));
  std::int64_t number = offsets_.forget({group.name, p});
  trace("forget partition {} of {} as {}", p, group.name, number);
  broker_->groups().forget_offsets(group.name, {{topic, p}},
                                   [=, this, &group](const std::vector<GroupError>& errors) {
                                     if (!alive()) return;
                                     check_available(errors.at(0));
                                     if (errors.at(0) == GroupError::none)
                                       offsets_.forgotten({group.name, p}, number);
                                   });
}

void GroupSimulation::remove(Group& group) {
  bool was_held = is_group_held(group);
  std::vector<std::int64_t> numbers;
  for (std::int32_t p = 0; p < partitions; ++p) {
    numbers.push_back(offsets_.forget({group.name, p}));
  }
  trace("remove {} as {}", group.name, numbers.back());
  if (!was_held) group.may_be_gone = true;
  broker_->groups().remove(group.name, [=, this, &group](GroupError error) {
    if (!alive()) return;
    check_available(error);
    if (error != GroupError::none) return;
    trace("{} is removed", group.name);
    if (was_held) object("a group with members is removed");
    for (std::int32_t p = 0; p < partitions; ++p) {
      offsets_.forgotten({group.name, p}, numbers[static_cast<std::size_t>(p)]);
    }
  });
}

// The end.

/// Whether all of its members have what they are to have, and all partitions are somebody's.
bool GroupSimulation::is_settled(const Group& group) const {
  std::size_t owned = 0;
  std::set<std::int32_t> generations;
  for (const Member& member : members_) {
    if (member.group != &group) continue;
    if (!is_held(member)) return false;
    generations.insert(member.generation);
    owned += member.owned.size();
  }
  if (group.is_new && owned != partitions) return false;
  const auto* entry = broker_->groups().find(group.name);
  return generations.size() <= 1 && (entry == nullptr || entry->state_name() != "Dead") &&
         (generations.empty() || (entry != nullptr && entry->state_name() == "Stable"));
}

void GroupSimulation::finish() {
  for (Group& group : groups_) {
    for (std::int32_t p = 0; p < partitions && alive(); ++p) fetch(group, p);
  }
  auto all_are_settled = [&] {
    return std::ranges::all_of(groups_, [&](const Group& group) { return is_settled(group); });
  };
  for (int i = 0; i < 400 && alive() && !all_are_settled(); ++i) {
    for (Member& member : members_) act(member);
    executor_.run_for(milliseconds(100));
  }
  if (alive() && !all_are_settled()) object("a group does not get stable");
  for (Group& group : groups_) {
    for (std::int32_t p = 0; p < partitions && alive(); ++p) fetch(group, p);
  }
}

}  // namespace leat::sim
