// Targets, and how each member comes to have its own.
#include <algorithm>
#include <utility>

#include <xxhash.h>

#include "base/assert.h"
#include "broker/consumer_group.h"
#include "broker/topic_pattern.h"

namespace leat::broker {
namespace {

using State = ReconcileState;

/// Calls `use(topic, partition)` for all that the member has, or may still have.
template <class Use>
void for_each_held(const CurrentAssignment& current, Use use) {
  for (const Assignment* held : {&current.assigned, &current.revoking}) {
    for (const auto& [topic, partitions] : *held) {
      for (std::int32_t partition : partitions) use(topic, partition);
    }
  }
}

}  // namespace

ConsumerGroupState ConsumerGroup::state() const {
  if (members_.empty()) return ConsumerGroupState::empty;
  if (epoch_ > target_epoch_) return ConsumerGroupState::assigning;
  bool is_stable = std::all_of(members_.begin(), members_.end(), [&](const auto& entry) {
    const CurrentAssignment& current = entry.second.current;
    return current.state == State::stable && current.epoch == target_epoch_;
  });
  return is_stable ? ConsumerGroupState::stable : ConsumerGroupState::reconciling;
}

/// The one that most members have asked for.
Assignor ConsumerGroup::assignor() const {
  std::map<Assignor, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    auto wanted = find_assignor(member.about.assignor.value_or(""));
    if (wanted) ++votes[*wanted];
  }
  return votes[Assignor::range] > votes[Assignor::uniform] ? Assignor::range : Assignor::uniform;
}

std::optional<std::set<std::string>> ConsumerGroup::subscribed_topics() const {
  if (!regex_counts_.empty() && topics_version_ == 0) return std::nullopt;
  return wanted_topics();
}

std::set<std::string> ConsumerGroup::wanted_topics() const {
  std::set<std::string> topics;
  for (const auto& [topic, count] : topic_counts_) topics.insert(topic);
  for (const auto& [regex, matching] : matches_) topics.insert(matching.begin(), matching.end());
  return topics;
}

/// Sees whether the topics that members want are still as they were, if any might not be.
void ConsumerGroup::refresh_topics(const GroupTopics& topics, bool has_changed) {
  bool is_outdated = topics.version != topics_version_;
  if (!is_outdated && !has_changed) return;
  if (is_outdated) matches_.clear();
  topics_version_ = topics.version;
  std::int64_t hash = hash_topics(topics);
  if (hash == topics_hash_ && !has_changed) return;
  topics_hash_ = hash;
  ++epoch_;
  mark(Kind::group);
}

std::int64_t ConsumerGroup::hash_topics(const GroupTopics& topics) {
  std::erase_if(matches_, [&](const auto& entry) { return !regex_counts_.contains(entry.first); });
  for (const auto& [regex, count] : regex_counts_) {
    auto [matching, is_new] = matches_.try_emplace(regex);
    if (!is_new) continue;
    auto pattern = TopicPattern::parse(regex);
    if (!pattern) continue;
    for (const auto& [topic, known] : topics.by_name) {
      if (!known.is_internal && pattern->matches(topic)) matching->second.insert(topic);
    }
  }
  recount_matches();
  Bytes bytes;
  ByteWriter writer(bytes);
  for (const std::string& topic : wanted_topics()) {
    auto known = topics.by_name.find(topic);
    if (known == topics.by_name.end()) continue;
    writer.write_bytes(std::as_bytes(std::span(known->second.id.bytes)));
    writer.write(known->second.partitions);
  }
  return bytes.empty() ? 0 : static_cast<std::int64_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

/// Those of the topics that there are which the member wants.
std::set<Uuid> ConsumerGroup::find_topics(const Member& member, const GroupTopics& topics) const {
  std::set<Uuid> ids;
  auto add_known = [&](const std::set<std::string>& names) {
    for (const std::string& topic : names) {
      auto known = topics.by_name.find(topic);
      if (known != topics.by_name.end()) ids.insert(known->second.id);
    }
  };
  add_known(member.about.topics);
  auto matching = matches_.find(member.about.topic_regex.value_or(""));
  if (matching != matches_.end()) add_known(matching->second);
  return ids;
}

void ConsumerGroup::make_target(const GroupTopics& topics) {
  std::vector<AssignorMember> wishes;
  PartitionCounts counts;
  for (const std::string& topic : wanted_topics()) {
    auto known = topics.by_name.find(topic);
    if (known != topics.by_name.end()) counts[known->second.id] = known->second.partitions;
  }
  for (const auto& [id, member] : members_) {
    AssignorMember& wish = wishes.emplace_back();
    wish.id = id;
    wish.instance_id = member.about.instance_id;
    std::set<Uuid> ids = find_topics(member, topics);
    wish.topics.assign(ids.begin(), ids.end());
    wish.previous = &member.target;
  }
  std::vector<Assignment> targets = assign(assignor(), wishes, counts);
  auto target = targets.begin();
  for (auto& [id, member] : members_) {
    Assignment next = std::move(*target++);
    if (next == member.target) continue;
    member.target = std::move(next);
    recount(id, member);
    mark(Kind::target, id);
  }
  target_epoch_ = epoch_;
  mark(Kind::target_epoch);
}

void ConsumerGroup::reconcile(Members::iterator member, const std::optional<Assignment>& owned,
                              Time now) {
  const CurrentAssignment& current = member->second.current;
  if (current.state == State::stable && current.epoch == target_epoch_) return;
  // As long as it does not say that it has given up what it is to, it has it.
  bool still_has = !owned || intersects(*owned, current.revoking);
  if (current.state == State::unrevoked_partitions && still_has) return;
  CurrentAssignment next = next_assignment(member->second, owned);
  bool is_same = next.epoch == current.epoch && next.state == current.state &&
                 next.assigned == current.assigned && next.revoking == current.revoking;
  if (is_same) return;
  bool has_to_revoke = next.state == State::unrevoked_partitions;
  std::chrono::milliseconds patience(member->second.about.rebalance_timeout_ms);
  member->second.revoke_due = has_to_revoke ? now + patience : Time::max();
  set_current(member, std::move(next));
}

/// One step: giving up, or being given what is free.
CurrentAssignment ConsumerGroup::next_assignment(const Member& member,
                                                 const std::optional<Assignment>& owned) const {
  const CurrentAssignment& current = member.current;
  CurrentAssignment next;
  next.previous_epoch = current.epoch;
  for (const auto& [topic, partitions] : current.assigned) {
    for (std::int32_t partition : partitions) {
      bool is_kept = contains(member.target, topic, partition);
      (is_kept ? next.assigned : next.revoking)[topic].insert(partition);
    }
  }
  bool still_has = !owned || intersects(*owned, next.revoking);
  if (!next.revoking.empty() && still_has) {
    next.epoch = current.epoch;
    next.state = State::unrevoked_partitions;
    return next;
  }
  next.revoking.clear();
  next.epoch = target_epoch_;
  for (const auto& [topic, partitions] : member.target) {
    for (std::int32_t partition : partitions) {
      auto owner = owners_.find({topic, partition});
      if (owner == owners_.end() || owner->second == &member) {
        next.assigned[topic].insert(partition);
      } else {
        next.state = State::unreleased_partitions;
      }
    }
  }
  return next;
}

void ConsumerGroup::set_current(Members::iterator member, CurrentAssignment next) {
  forget_owner(member->second);
  member->second.current = std::move(next);
  claim(member->second);
  mark(Kind::current, member->first);
}

void ConsumerGroup::forget_owner(const Member& member) {
  for_each_held(member.current, [&](const Uuid& topic, std::int32_t partition) {
    auto owner = owners_.find({topic, partition});
    if (owner != owners_.end() && owner->second == &member) owners_.erase(owner);
  });
}

void ConsumerGroup::claim(const Member& member) {
  for_each_held(member.current, [&](const Uuid& topic, std::int32_t partition) {
    bool is_free = owners_.try_emplace({topic, partition}, &member).second;
    ASSERT(is_free);
  });
}

/// After a start. Records in which two have the same partition are none of ours, or a half of what
/// was to be written: the member that is behind has to join anew.
void ConsumerGroup::claim_all() {
  std::vector<Members::iterator> order;
  for (auto at = members_.begin(); at != members_.end(); ++at) order.push_back(at);
  std::stable_sort(order.begin(), order.end(), [](auto& a, auto& b) {
    return a->second.current.epoch > b->second.current.epoch;
  });
  for (Members::iterator member : order) {
    bool is_taken = false;
    for_each_held(member->second.current, [&](const Uuid& topic, std::int32_t partition) {
      is_taken |= owners_.contains({topic, partition});
    });
    if (is_taken) {
      remove_member(member);
    } else {
      claim(member->second);
    }
  }
}

}  // namespace leat::broker
