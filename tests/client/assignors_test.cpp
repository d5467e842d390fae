#include "client/assignors.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"

TEST_SUITE_BEGIN("client");

using namespace leat;
using namespace leat::client;

namespace {

using Members = std::vector<AssignorMember>;
using Place = std::pair<std::string, std::int32_t>;

constexpr std::uint64_t seeds = 100;

AssignorMember member(std::string id, std::vector<std::string> topics, TopicPartitions owned = {},
                      std::int32_t generation = no_generation) {
  Subscription subscription{std::move(topics), {}, std::move(owned), generation, {}};
  return {std::move(id), {}, std::move(subscription)};
}

AssignorMember instance(std::string id, std::string instance_id, std::vector<std::string> topics) {
  AssignorMember made = member(std::move(id), std::move(topics));
  made.instance_id = std::move(instance_id);
  return made;
}

/// As a member of an eager group tells it.
AssignorMember sticky(std::string id, std::vector<std::string> topics, const Possession& had) {
  AssignorMember made = member(std::move(id), std::move(topics));
  made.subscription.user_data = user_data(Assignor::sticky, had);
  return made;
}

/// "a: t 0 1; b: t 2"
std::string text_of(const Assignments& assignments) {
  std::string all;
  for (const auto& [id, topics] : assignments) {
    all += id + ":";
    for (const auto& [topic, partitions] : topics) {
      all += fmt::format(" {} {}", topic, fmt::join(partitions, " "));
    }
    all += ";";
  }
  return all;
}

std::string assigned(Assignor assignor, const Members& members, const PartitionCounts& counts) {
  return text_of(assign(assignor, members, counts));
}

}  // namespace

TEST_CASE("range shares out each topic in ranges, the first members getting more") {
  auto ranges = [](const Members& members, const PartitionCounts& counts) {
    return assigned(Assignor::range, members, counts);
  };
  CHECK(ranges({member("a", {"t"})}, {{"t", 3}}) == "a: t 0 1 2;");
  CHECK(ranges({member("b", {"t"}), member("a", {"t"})}, {{"t", 3}}) == "a: t 0 1;b: t 2;");
  CHECK(ranges({member("a", {"t"}), member("b", {"t"}), member("c", {"t"})}, {{"t", 2}}) ==
        "a: t 0;b: t 1;c:;");
  CHECK(ranges({member("a", {"t", "u"}), member("b", {"u"})}, {{"t", 2}, {"u", 3}}) ==
        "a: t 0 1 u 0 1;b: u 2;");
  CHECK(ranges({member("a", {"nope"})}, {{"t", 3}}) == "a:;");
  CHECK(ranges({member("a", {"t", "u"}), member("b", {"t", "u"})}, {{"t", 3}, {"u", 3}}) ==
        "a: t 0 1 u 0 1;b: t 2 u 2;");
}

TEST_CASE("static members come first, by their instances, whatever ids they were given") {
  Members members{member("a", {"t"}), instance("z", "i1", {"t"}), instance("b", "i2", {"t"})};
  CHECK(assigned(Assignor::range, members, {{"t", 3}}) == "a: t 2;b: t 1;z: t 0;");
  CHECK(assigned(Assignor::round_robin, members, {{"t", 4}}) == "a: t 2;b: t 1;z: t 0 3;");
}

TEST_CASE("roundrobin deals over all topics and leaves out who does not want one") {
  Members alike{member("a", {"t", "u"}), member("b", {"t", "u"})};
  CHECK(assigned(Assignor::round_robin, alike, {{"t", 3}, {"u", 3}}) ==
        "a: t 0 2 u 1;b: t 1 u 0 2;");
  Members mixed{member("a", {"t"}), member("b", {"t", "u"}), member("c", {"t", "u", "v"})};
  CHECK(assigned(Assignor::round_robin, mixed, {{"t", 1}, {"u", 2}, {"v", 3}, {"w", 9}}) ==
        "a: t 0;b: u 0;c: u 1 v 0 1 2;");
}

TEST_CASE("assignors have Kafka's names") {
  for (const char* kafka : {"range", "roundrobin", "sticky", "cooperative-sticky"}) {
    REQUIRE(find_assignor(kafka));
    CHECK(name(*find_assignor(kafka)) == kafka);
  }
  CHECK_FALSE(find_assignor("uniform"));
}

TEST_CASE("sticky leaves members what they had, and moves what evens them out") {
  Members members{sticky("a", {"t"}, {{{"t", {0, 1, 2, 3}}}, 1}), member("b", {"t"})};
  CHECK(assigned(Assignor::sticky, members, {{"t", 4}}) == "a: t 0 1;b: t 2 3;");
  Members left{sticky("a", {"t"}, {{{"t", {0, 3}}}, 2}), sticky("b", {"t"}, {{{"t", {5}}}, 2})};
  CHECK(assigned(Assignor::sticky, left, {{"t", 6}}) == "a: t 0 2 3;b: t 1 4 5;");
}

TEST_CASE("sticky does not ask who owns what, since nobody of an eager group does") {
  Members members{member("a", {"t"}, {{"t", {1}}}, 4), member("b", {"t"})};
  CHECK(assigned(Assignor::sticky, members, {{"t", 2}}) == "a: t 0;b: t 1;");
  CHECK(assigned(Assignor::cooperative_sticky, members, {{"t", 2}}) == "a: t 1;b: t 0;");
}

TEST_CASE(
    "of two who say that they have a partition, the one of the later generation is believed") {
  Members members{sticky("a", {"t"}, {{{"t", {0, 1}}}, 3}), sticky("b", {"t"}, {{{"t", {0}}}, 4})};
  CHECK(assigned(Assignor::sticky, members, {{"t", 2}}) == "a: t 1;b: t 0;");
  std::swap(members[0].id, members[1].id);
  CHECK(assigned(Assignor::sticky, members, {{"t", 2}}) == "a: t 0;b: t 1;");
}

TEST_CASE("nonsense in the user data is nothing") {
  AssignorMember odd = member("a", {"t"});
  odd.subscription.user_data = Bytes(7, std::byte{0x7f});
  CHECK(assigned(Assignor::sticky, {odd, member("b", {"t"})}, {{"t", 2}}) == "a: t 0;b: t 1;");
  Members far{sticky("a", {"t"}, {{{"t", {-1, 7, 1, 1}}, {"gone", {0}}}, 1}), member("b", {"t"})};
  CHECK(assigned(Assignor::sticky, far, {{"t", 2}}) == "a: t 1;b: t 0;");
}

TEST_CASE("cooperative-sticky gives what another one has to nobody, until that one has let go") {
  Members members{member("a", {"t"}, {{"t", {0, 1, 2, 3}}}, 1), member("b", {"t"})};
  CHECK(assigned(Assignor::cooperative_sticky, members, {{"t", 4}}) == "a: t 0 1;b:;");
  members[0] = member("a", {"t"}, {{"t", {0, 1}}}, 2);
  members[1].subscription.generation = 2;
  CHECK(assigned(Assignor::cooperative_sticky, members, {{"t", 4}}) == "a: t 0 1;b: t 2 3;");
}

TEST_CASE("what two say that they have as lately, cooperative-sticky takes from both") {
  Members members{member("a", {"t"}, {{"t", {0}}}, 2), member("b", {"t"}, {{"t", {0, 1}}}, 2)};
  CHECK(assigned(Assignor::cooperative_sticky, members, {{"t", 2}}) == "a:;b: t 1;");
  members[0].subscription.generation = 3;
  CHECK(assigned(Assignor::cooperative_sticky, members, {{"t", 2}}) == "a: t 0;b: t 1;");
}

TEST_CASE("who no longer wants a topic keeps nothing of it, and gives it up first") {
  Members members{member("a", {"u"}, {{"t", {0}}, {"u", {0}}}, 2), member("b", {"t"}, {}, 2)};
  CHECK(assigned(Assignor::cooperative_sticky, members, {{"t", 1}, {"u", 1}}) == "a: u 0;b:;");
}

TEST_CASE("older members tell their generation to cooperative-sticky in the user data") {
  Members members{member("a", {"t"}, {{"t", {0}}}), member("b", {"t"}, {{"t", {0}}})};
  members[0].subscription.user_data = user_data(Assignor::cooperative_sticky, {{}, 6});
  members[1].subscription.user_data = encode_possession({{{"t", {0}}}, 5});
  CHECK(assigned(Assignor::cooperative_sticky, members, {{"t", 1}}) == "a: t 0;b:;");
  members[1].subscription.user_data = encode_possession({{{"t", {0}}}, 7});
  CHECK(assigned(Assignor::cooperative_sticky, members, {{"t", 1}}) == "a:;b: t 0;");
}

namespace {

/// Groups whose members, topics and partitions come and go, by seed.
class RandomGroup {
 public:
  RandomGroup(std::uint64_t seed, Assignor assignor, bool is_alike)
      : random_(seed), assignor_(assignor), is_alike_(is_alike) {
    change();
  }

  void change() {
    for (int t = 0; t < 4; ++t) {
      std::string topic = fmt::format("t{}", t);
      if (random_.one_in(3)) counts_[topic] += static_cast<std::int32_t>(random_.below(9));
      if (random_.one_in(20)) counts_.erase(topic);
    }
    if (!members_.empty() && random_.one_in(3)) {
      members_.erase(members_.begin() + static_cast<int>(random_.below(members_.size())));
    }
    while (members_.empty() || random_.one_in(2)) members_.push_back(newcomer());
    if (is_alike_) return;
    AssignorMember& changed = members_[random_.below(members_.size())];
    changed.subscription.topics = some_topics();
  }

  /// Gives members what they are to have, as they will tell whoever leads next.
  void assign() {
    before_ = owned();
    Members mixed = members_;
    for (std::size_t i = mixed.size(); i > 1; --i) std::swap(mixed[i - 1], mixed[random_.below(i)]);
    assignments_ = client::assign(assignor_, mixed, counts_);
    CHECK(client::assign(assignor_, members_, counts_) == assignments_);
    ++generation_;
    for (AssignorMember& member : members_) {
      Subscription& subscription = member.subscription;
      const TopicPartitions& given = assignments_.at(member.id);
      subscription.user_data = user_data(assignor_, {given, generation_});
      if (!is_cooperative(assignor_)) continue;
      subscription.owned = given;
      subscription.generation = generation_;
    }
  }

  /// Whose each partition is.
  std::map<Place, std::string> owned() const {
    std::map<Place, std::string> owners;
    for (const auto& [id, topics] : assignments_) {
      for (const auto& [topic, partitions] : topics) {
        for (std::int32_t partition : partitions) {
          CHECK_MESSAGE(owners.try_emplace({topic, partition}, id).second, "given twice");
        }
      }
    }
    return owners;
  }

  void check_complete() const {
    std::size_t wanted = 0;
    for (const auto& [topic, count] : counts_) {
      bool is_wanted =
          std::ranges::any_of(members_, [&](const auto& m) { return wants(m, topic); });
      if (is_wanted) wanted += static_cast<std::size_t>(count);
    }
    auto owners = owned();
    CHECK(owners.size() == wanted);
    for (const auto& [place, id] : owners) {
      const AssignorMember& owner = find(id);
      CHECK(wants(owner, place.first));
      CHECK(place.second < counts_.at(place.first));
      std::size_t load = load_of(id);
      for (const AssignorMember& other : members_) {
        if (wants(other, place.first)) CHECK(load <= load_of(other.id) + 1);
      }
    }
  }

  /// Everybody keeps as many of those that he had as the even share allows.
  void check_moves() const {
    std::map<std::string, std::size_t> had;
    auto owners = owned();
    std::size_t kept = 0;
    for (const auto& [place, id] : before_) {
      auto now = owners.find(place);
      if (now == owners.end() || !is_there(id)) continue;
      ++had[id];
      if (now->second == id) ++kept;
    }
    std::size_t share = owners.size() / members_.size();
    std::size_t larger = owners.size() % members_.size();
    std::size_t most = 0;
    for (const auto& [id, count] : had) {
      most += std::min(count, share);
      if (count <= share || larger == 0) continue;
      --larger;
      ++most;
    }
    CHECK(kept == most);
  }

  void check_nobody_shares() const {
    auto owners = owned();
    for (const auto& [place, id] : before_) {
      auto now = owners.find(place);
      if (now != owners.end() && is_there(id)) CHECK(now->second == id);
    }
  }

  bool has_moved() const { return owned() != before_; }

 private:
  static bool wants(const AssignorMember& member, const std::string& topic) {
    return std::ranges::count(member.subscription.topics, topic) > 0;
  }
  const AssignorMember& find(const std::string& id) const {
    return *std::ranges::find(members_, id, &AssignorMember::id);
  }
  bool is_there(const std::string& id) const {
    return std::ranges::count(members_, id, &AssignorMember::id) > 0;
  }
  std::size_t load_of(const std::string& id) const {
    std::size_t load = 0;
    for (const auto& [topic, partitions] : assignments_.at(id)) load += partitions.size();
    return load;
  }
  std::vector<std::string> some_topics() {
    std::vector<std::string> topics;
    for (int t = 0; t < 4; ++t) {
      if (is_alike_ || random_.one_in(2)) topics.push_back(fmt::format("t{}", t));
    }
    return topics;
  }
  AssignorMember newcomer() {
    return member(fmt::format("m{}-{}", random_.below(10), ++last_), some_topics());
  }

  Random random_;
  Assignor assignor_;
  bool is_alike_;
  PartitionCounts counts_;
  Members members_;
  Assignments assignments_;
  std::map<Place, std::string> before_;
  std::int32_t generation_ = 0;
  int last_ = 0;
};

}  // namespace

TEST_CASE(
    "every partition is somebody's, once, as even as can be, whoever came and went, by seed") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    RandomGroup group(seed, Assignor::sticky, seed % 2 == 0);
    for (int i = 0; i < 8; ++i) {
      group.assign();
      group.check_complete();
      if (seed % 2 == 0) group.check_moves();
      group.assign();
      CHECK_FALSE(group.has_moved());
      group.change();
    }
  }
}

TEST_CASE("nothing has two owners on its way, and cooperative groups get there, by seed") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    bool is_alike = seed % 2 == 0;
    RandomGroup group(seed, Assignor::cooperative_sticky, is_alike);
    for (int i = 0; i < 8; ++i) {
      int rounds = 0;
      do {
        group.assign();
        group.check_nobody_shares();
        ++rounds;
      } while (group.has_moved());
      // The last one changes nothing.
      CHECK(rounds <= (is_alike ? 3 : 6));
      group.check_complete();
      group.change();
    }
  }
}

TEST_SUITE_END();
