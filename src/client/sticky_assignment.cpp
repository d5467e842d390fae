#include "client/sticky_assignment.h"

#include <algorithm>

namespace leat::client {

StickyAssignment::StickyAssignment(const std::vector<AssignorMember>& members,
                                   const std::vector<Possession>& before,
                                   const PartitionCounts& counts)
    : wanted_(members.size()),
      circles_of_(members.size()),
      shares_(members.size()),
      fresh_(members.size()),
      loads_(members.size()) {
  for (const auto& [topic, count] : counts) {
    index_[topic] = topics_.size();
    topics_.push_back({topic, std::vector<Partition>(static_cast<std::size_t>(count)), 0, 0});
  }
  for (MemberIndex i = 0; i < members.size(); ++i) by_load_.emplace(0, i);
  find_circles(members);
  take_claims(before);
  keep();
  give_free();
  while (move_one()) continue;
}

void StickyAssignment::find_circles(const std::vector<AssignorMember>& members) {
  std::vector<std::vector<MemberIndex>> subscribers(topics_.size());
  for (MemberIndex i = 0; i < members.size(); ++i) {
    for (const std::string& name : members[i].subscription.topics) {
      auto known = index_.find(name);
      if (known == index_.end() || !wanted_[i].insert(known->second).second) continue;
      subscribers[known->second].push_back(i);
    }
  }
  std::map<std::vector<MemberIndex>, std::size_t> known;
  for (TopicIndex t = 0; t < topics_.size(); ++t) {
    topics_[t].subscribers = subscribers[t].size();
    auto [circle, is_new] = known.try_emplace(std::move(subscribers[t]), circles_.size());
    topics_[t].circle = circle->second;
    if (!is_new) continue;
    Circle& added = circles_.emplace_back();
    for (MemberIndex i : circle->first) {
      added.emplace(0, i);
      circles_of_[i].insert(circle->second);
    }
  }
}

void StickyAssignment::take_claims(const std::vector<Possession>& before) {
  for (MemberIndex i = 0; i < before.size(); ++i) {
    for (const auto& [name, partitions] : before[i].partitions) {
      auto known = index_.find(name);
      if (known == index_.end()) continue;
      std::vector<Partition>& all = topics_[known->second].partitions;
      for (std::int32_t number : partitions) {
        bool exists = number >= 0 && static_cast<std::size_t>(number) < all.size();
        if (!exists) continue;
        std::vector<Claim>& claims = all[static_cast<std::size_t>(number)].claims;
        bool is_again = !claims.empty() && claims.back().member == i;
        if (!is_again) claims.push_back({before[i].generation, i});
      }
    }
  }
  auto is_later = [](const Claim& a, const Claim& b) { return a.generation > b.generation; };
  for (Topic& topic : topics_) {
    for (Partition& partition : topic.partitions) {
      std::stable_sort(partition.claims.begin(), partition.claims.end(), is_later);
    }
  }
}

void StickyAssignment::keep() {
  for (TopicIndex t = 0; t < topics_.size(); ++t) {
    std::vector<Partition>& partitions = topics_[t].partitions;
    for (std::size_t p = 0; p < partitions.size(); ++p) {
      const std::vector<Claim>& claims = partitions[p].claims;
      bool is_disputed = claims.size() > 1 && claims[0].generation == claims[1].generation;
      if (claims.empty() || is_disputed || !wanted_[claims[0].member].contains(t)) continue;
      MemberIndex owner = partitions[p].owner = claims[0].member;
      shares_[owner][t].kept.push_back(static_cast<std::int32_t>(p));
      set_load(owner, loads_[owner] + 1);
    }
  }
}

void StickyAssignment::give_free() {
  std::vector<TopicIndex> order;
  for (TopicIndex t = 0; t < topics_.size(); ++t) {
    if (topics_[t].subscribers > 0) order.push_back(t);
  }
  std::stable_sort(order.begin(), order.end(), [&](TopicIndex a, TopicIndex b) {
    return topics_[a].subscribers < topics_[b].subscribers;
  });
  for (TopicIndex t : order) {
    std::vector<Partition>& partitions = topics_[t].partitions;
    for (std::size_t p = 0; p < partitions.size(); ++p) {
      if (partitions[p].owner != nobody) continue;
      MemberIndex owner = partitions[p].owner = least_loaded(topics_[t]);
      shares_[owner][t].fresh.push_back(static_cast<std::int32_t>(p));
      ++fresh_[owner];
      set_load(owner, loads_[owner] + 1);
    }
  }
}

/// Each move makes the sum of the squares of all loads less, so this ends.
bool StickyAssignment::move_one() {
  for (auto most = by_load_.rbegin(); most != by_load_.rend(); ++most) {
    if (most->first <= by_load_.begin()->first + 1) return false;
    if (move_one_of(most->second)) return true;
  }
  return false;
}

bool StickyAssignment::move_one_of(MemberIndex from) {
  auto can_move = [&](TopicIndex t) { return loads_[from] > loads_[least_loaded(topics_[t])] + 1; };
  Share* share = nullptr;
  TopicIndex topic = 0;
  for (auto& [t, candidate] : shares_[from]) {
    bool is_fresh = !candidate.fresh.empty();
    bool is_empty = !is_fresh && candidate.kept.empty();
    bool is_better = share == nullptr || (is_fresh && share->fresh.empty());
    if (is_empty || !is_better || !can_move(t)) continue;
    share = &candidate;
    topic = t;
    if (is_fresh || fresh_[from] == 0) break;
  }
  if (share == nullptr) return false;
  bool is_fresh = !share->fresh.empty();
  std::vector<std::int32_t>& source = is_fresh ? share->fresh : share->kept;
  std::int32_t partition = source.back();
  source.pop_back();
  MemberIndex to = least_loaded(topics_[topic]);
  if (is_fresh) --fresh_[from];
  ++fresh_[to];
  shares_[to][topic].fresh.push_back(partition);
  topics_[topic].partitions[static_cast<std::size_t>(partition)].owner = to;
  set_load(from, loads_[from] - 1);
  set_load(to, loads_[to] + 1);
  return true;
}

void StickyAssignment::set_load(MemberIndex member, std::size_t load) {
  auto move = [&](Circle& circle) {
    circle.erase({loads_[member], member});
    circle.emplace(load, member);
  };
  move(by_load_);
  for (std::size_t circle : circles_of_[member]) move(circles_[circle]);
  loads_[member] = load;
}

StickyAssignment::MemberIndex StickyAssignment::least_loaded(const Topic& topic) const {
  return circles_[topic.circle].begin()->second;
}

void StickyAssignment::hold_back() {
  for (Topic& topic : topics_) {
    for (Partition& partition : topic.partitions) {
      const std::vector<Claim>& claims = partition.claims;
      if (claims.empty() || partition.owner == nobody) continue;
      bool is_sole = claims.size() == 1 || claims[0].generation > claims[1].generation;
      if (claims[0].member != partition.owner || !is_sole) partition.owner = nobody;
    }
  }
}

std::vector<TopicPartitions> StickyAssignment::result() const {
  std::vector<TopicPartitions> all(wanted_.size());
  for (const Topic& topic : topics_) {
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      MemberIndex owner = topic.partitions[p].owner;
      if (owner != nobody) all[owner][topic.name].push_back(static_cast<std::int32_t>(p));
    }
  }
  return all;
}

}  // namespace leat::client
