// The sticky way to share out partitions: as even as can be, and with as few moves as that allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/assignors.h"

namespace leat::client {

/// Each member first keeps what it had. What nobody has goes to whoever has least, those topics
/// first that few have subscribed to. Then, as long as a member has two more than another one who
/// could have one of them, one moves, each time from the one that has most: so where all have
/// subscribed to the same, nothing moves back and forth.
class StickyAssignment {
 public:
  /// `before` is what each of `members` had. Where two say that they have the same partition, the
  /// one of the later generation is believed; of the same one, neither.
  StickyAssignment(const std::vector<AssignorMember>& members,
                   const std::vector<Possession>& before, const PartitionCounts& counts);

  /// Takes back from each member what it does not have and another one has.
  void hold_back();
  /// What each of the members is to have, in their order.
  std::vector<TopicPartitions> result() const;

 private:
  using MemberIndex = std::size_t;
  using TopicIndex = std::size_t;
  static constexpr MemberIndex nobody = SIZE_MAX;

  struct Claim {
    std::int32_t generation = 0;
    MemberIndex member = nobody;
  };
  struct Partition {
    MemberIndex owner = nobody;
    std::vector<Claim> claims;
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    std::size_t circle = 0;
    std::size_t subscribers = 0;
  };
  /// What a member has of a topic: moves of what is new to it cost nothing.
  struct Share {
    std::vector<std::int32_t> fresh;
    std::vector<std::int32_t> kept;
  };
  /// The same members have subscribed to one or several topics. By what they have so far.
  using Circle = std::set<std::pair<std::size_t, MemberIndex>>;

  void find_circles(const std::vector<AssignorMember>& members);
  void take_claims(const std::vector<Possession>& before);
  void keep();
  void give_free();
  bool move_one();
  bool move_one_of(MemberIndex from);
  void set_load(MemberIndex member, std::size_t load);
  MemberIndex least_loaded(const Topic& topic) const;

  std::vector<Topic> topics_;  // that anybody has subscribed to, by name
  std::map<std::string, TopicIndex> index_;
  std::vector<Circle> circles_;
  /// By member:
  std::vector<std::set<TopicIndex>> wanted_;
  std::vector<std::set<std::size_t>> circles_of_;
  std::vector<std::map<TopicIndex, Share>> shares_;
  std::vector<std::size_t> fresh_;
  std::vector<std::size_t> loads_;
  /// All members, by what they have.
  Circle by_load_;
};

}  // namespace leat::client
