#include "broker/assignors.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/assert.h"

namespace leat::broker {
namespace {

using Members = std::vector<AssignorMember>;
/// A member's place among them.
using MemberIndex = std::size_t;

class UniformAssignor {
 public:
  UniformAssignor(const Members& members, const PartitionCounts& counts)
      : members_(members), loads_(members.size()), circles_of_(members.size()) {
    for (const auto& [id, count] : counts) {
      topics_[id].owners.resize(static_cast<std::size_t>(count), nobody);
    }
  }

  std::vector<Assignment> assign() {
    keep_previous();
    find_circles();
    give_free();
    balance();
    std::vector<Assignment> out(members_.size());
    for (const auto& [id, topic] : topics_) {
      for (std::size_t i = 0; i < topic.owners.size(); ++i) {
        if (topic.owners[i] != nobody) out[topic.owners[i]][id].insert(static_cast<int>(i));
      }
    }
    return out;
  }

 private:
  static constexpr MemberIndex nobody = SIZE_MAX;

  struct Topic {
    std::vector<MemberIndex> owners;  // by partition
    std::size_t circle = 0;
    std::size_t subscribers = 0;
  };
  /// The same members have subscribed to one or several topics. By what they have so far.
  using Circle = std::set<std::pair<std::size_t, MemberIndex>>;

  void keep_previous() {
    for (MemberIndex i = 0; i < members_.size(); ++i) {
      if (members_[i].previous == nullptr) continue;
      for (const auto& [id, partitions] : *members_[i].previous) {
        const std::vector<Uuid>& wanted = members_[i].topics;
        auto topic = topics_.find(id);
        if (topic == topics_.end() || !std::binary_search(wanted.begin(), wanted.end(), id)) {
          continue;
        }
        for (std::int32_t partition : partitions) {
          auto at = static_cast<std::size_t>(partition);
          std::vector<MemberIndex>& owners = topic->second.owners;
          if (at >= owners.size() || owners[at] != nobody) continue;
          owners[at] = i;
          ++loads_[i];
        }
      }
    }
  }

  void find_circles() {
    std::map<Uuid, std::vector<MemberIndex>> subscribers;
    for (MemberIndex i = 0; i < members_.size(); ++i) {
      for (const Uuid& id : members_[i].topics) subscribers[id].push_back(i);
    }
    std::map<std::vector<MemberIndex>, std::size_t> known;
    for (auto& [id, of_topic] : subscribers) {
      auto topic = topics_.find(id);
      if (topic == topics_.end()) continue;
      topic->second.subscribers = of_topic.size();
      auto [circle, is_new] = known.try_emplace(std::move(of_topic), circles_.size());
      topic->second.circle = circle->second;
      if (!is_new) continue;
      Circle& added = circles_.emplace_back();
      for (MemberIndex i : circle->first) {
        added.emplace(loads_[i], i);
        circles_of_[i].push_back(circle->second);
      }
    }
  }

  void set_load(MemberIndex member, std::size_t load) {
    for (std::size_t circle : circles_of_[member]) {
      circles_[circle].erase({loads_[member], member});
      circles_[circle].emplace(load, member);
    }
    loads_[member] = load;
  }

  MemberIndex least_loaded(const Topic& topic) const {
    return circles_[topic.circle].begin()->second;
  }

  /// Topics that few want come first: the others can make up for it.
  void give_free() {
    std::vector<Topic*> order;
    for (auto& [id, topic] : topics_) {
      if (topic.subscribers > 0) order.push_back(&topic);
    }
    std::stable_sort(order.begin(), order.end(), [](const Topic* a, const Topic* b) {
      return a->subscribers < b->subscribers;
    });
    for (Topic* topic : order) {
      for (MemberIndex& owner : topic->owners) {
        if (owner != nobody) continue;
        owner = least_loaded(*topic);
        set_load(owner, loads_[owner] + 1);
      }
    }
  }

  /// Each move makes the sum of the squares of all loads less, so this ends.
  void balance() {
    for (bool has_moved = true; has_moved;) {
      has_moved = false;
      for (auto& [id, topic] : topics_) {
        for (MemberIndex& owner : topic.owners) {
          if (owner == nobody) continue;
          MemberIndex least = least_loaded(topic);
          if (loads_[owner] <= loads_[least] + 1) continue;
          set_load(owner, loads_[owner] - 1);
          set_load(least, loads_[least] + 1);
          owner = least;
          has_moved = true;
        }
      }
    }
  }

  const Members& members_;
  std::map<Uuid, Topic> topics_;
  std::vector<std::size_t> loads_;
  std::vector<Circle> circles_;
  std::vector<std::vector<std::size_t>> circles_of_;
};

/// Static members come first, by their instances, so that they keep their places.
bool comes_before(const AssignorMember& a, const AssignorMember& b) {
  if (a.instance_id.has_value() != b.instance_id.has_value()) return a.instance_id.has_value();
  if (a.instance_id) return *a.instance_id < *b.instance_id;
  return a.id < b.id;
}

std::vector<Assignment> assign_ranges(const Members& members, const PartitionCounts& counts) {
  std::vector<MemberIndex> order(members.size());
  for (MemberIndex i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](MemberIndex a, MemberIndex b) { return comes_before(members[a], members[b]); });
  std::map<Uuid, std::vector<MemberIndex>> subscribers;
  for (MemberIndex i : order) {
    for (const Uuid& id : members[i].topics) subscribers[id].push_back(i);
  }
  std::vector<Assignment> out(members.size());
  for (const auto& [id, of_topic] : subscribers) {
    auto known = counts.find(id);
    if (known == counts.end()) continue;
    auto takers = static_cast<std::int32_t>(of_topic.size());
    std::int32_t next = 0;
    for (std::int32_t i = 0; i < takers; ++i) {
      std::int32_t end = next + known->second / takers + (i < known->second % takers ? 1 : 0);
      for (; next < end; ++next) out[of_topic[static_cast<std::size_t>(i)]][id].insert(next);
    }
  }
  return out;
}

}  // namespace

std::string_view name(Assignor assignor) {
  return assignor == Assignor::range ? "range" : "uniform";
}

std::optional<Assignor> find_assignor(std::string_view text) {
  for (Assignor assignor : {Assignor::uniform, Assignor::range}) {
    if (name(assignor) == text) return assignor;
  }
  return std::nullopt;
}

std::string_view assignor_names() {
  return "uniform, range";
}

std::vector<Assignment> assign(Assignor assignor, const Members& members,
                               const PartitionCounts& counts) {
  if (assignor == Assignor::range) return assign_ranges(members, counts);
  return UniformAssignor(members, counts).assign();
}

}  // namespace leat::broker
