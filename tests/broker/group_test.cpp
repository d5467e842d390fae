// The state machine of one group, driven by hand: no clock, no log.
#include "broker/group.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds session{10'000};
constexpr milliseconds rebalance{30'000};

std::string text(GroupError error) {
  switch (error) {
    case GroupError::none: return "ok";
    case GroupError::unknown_member_id: return "unknown member";
    case GroupError::illegal_generation: return "illegal generation";
    case GroupError::rebalance_in_progress: return "rebalance";
    case GroupError::member_id_required: return "id required";
    case GroupError::fenced_instance_id: return "fenced";
    case GroupError::inconsistent_group_protocol: return "inconsistent";
    case GroupError::group_max_size_reached: return "full";
    case GroupError::coordinator_not_available: return "not available";
    default: return "other";
  }
}

/// A group and what its members are told, as text: "a joined 2, leads a b" or "b synced y".
class Play {
 public:
  explicit Play(GroupOptions options = {}) : options_(options), group_("g", options_) {}

  /// A call of a member without an id would get `id`.
  JoinRequest request(const std::string& id = "") {
    JoinRequest request;
    request.group_id = "g";
    request.member_id = id;
    request.session_timeout = session;
    request.rebalance_timeout = rebalance;
    request.protocol_type = "consumer";
    request.protocols = {{"range", {}}};
    return request;
  }
  std::uint64_t join_as(const std::string& name, JoinRequest request) {
    group_.join(std::move(request), name, ++ticket_, now_, [this, name](JoinResult result) {
      if (result.error != GroupError::none) {
        told_.push_back(fmt::format("{}: {}", name, text(result.error)));
        return;
      }
      std::string line = fmt::format("{} joined {}", name, result.generation);
      if (result.skip_assignment) line += ", skips";
      if (!result.members.empty()) line += ", leads";
      for (const auto& member : result.members) line += " " + member.member_id;
      told_.push_back(line);
    });
    return ticket_;
  }
  /// A new member gets its own name for its id.
  std::uint64_t join_new(const std::string& name) { return join_as(name, request()); }
  std::uint64_t join(const std::string& name) { return join_as(name, request(name)); }
  std::uint64_t join_static(const std::string& name, const std::string& instance,
                            bool can_skip = false) {
    JoinRequest with = request();
    with.instance_id = instance;
    with.can_skip_assignment = can_skip;
    return join_as(name, std::move(with));
  }
  std::uint64_t join_with(const std::string& name, const std::string& id,
                          const std::vector<std::string>& protocols) {
    JoinRequest with = request(id);
    with.protocols.clear();
    for (const std::string& protocol : protocols) with.protocols.push_back({protocol, {}});
    return join_as(name, std::move(with));
  }
  std::uint64_t sync(const std::string& name,
                     const std::vector<std::pair<std::string, std::string>>& assignments = {}) {
    SyncRequest request;
    request.member = {name, {}, group_.generation()};
    for (const auto& [to, what] : assignments) {
      BytesView bytes = as_bytes(what);
      request.assignments.push_back({to, Bytes(bytes.begin(), bytes.end())});
    }
    group_.sync(std::move(request), ++ticket_, now_, [this, name](SyncResult result) {
      told_.push_back(result.error == GroupError::none
                          ? fmt::format("{} synced {}", name, as_text(result.assignment))
                          : fmt::format("{}: {}", name, text(result.error)));
    });
    return ticket_;
  }
  std::string beat(const std::string& name) { return beat(name, group_.generation()); }
  std::string beat(const std::string& name, std::int32_t generation) {
    return text(group_.heartbeat({name, {}, generation}, now_));
  }
  std::string leave(const std::string& name) { return text(group_.leave({name}, now_)); }
  void give_up(std::uint64_t ticket) { group_.give_up(ticket, now_); }
  /// What is to be written gets written, or not.
  bool save(bool is_written = true) {
    auto number = group_.take_save();
    if (number) group_.saved(*number, is_written, now_);
    return number.has_value();
  }
  void wait(milliseconds time) {
    Group::Time end = now_ + time;
    while (auto due = group_.next_due()) {
      if (*due > end) break;
      REQUIRE(*due >= now_);
      now_ = *due;
      group_.tick(now_);
      REQUIRE(group_.next_due().value_or(Group::Time::max()) > now_);
    }
    now_ = end;
  }
  /// All members that have joined go on to a stable group; `leader` gives everybody its name.
  void make_stable(const std::string& leader) {
    std::vector<std::pair<std::string, std::string>> assignments;
    for (const auto& [id, member] : group_.members()) assignments.emplace_back(id, id);
    for (const auto& [id, member] : group_.members()) {
      if (id != leader) sync(id);
    }
    sync(leader, assignments);
    REQUIRE(save());
    REQUIRE(group_.state() == GroupState::stable);
    told();
  }

  std::vector<std::string> told() {
    for (Work& answer : group_.take_answers()) answer();
    return std::exchange(told_, {});
  }
  Group& group() { return group_; }
  Group::Time now() const { return now_; }

 private:
  GroupOptions options_;
  Group group_;
  Group::Time now_{std::chrono::seconds(1000)};
  std::uint64_t ticket_ = 0;
  std::vector<std::string> told_;
};

using Told = std::vector<std::string>;

/// "a" leads, "b" follows, both are stable in generation 2.
void make_pair(Play& play) {
  play.join_new("a");
  play.told();
  play.join_new("b");
  play.join("a");
  CHECK(play.told() == Told{"a joined 2, leads a b", "b joined 2"});
  play.make_stable("a");
}

JoinRequest static_request(Play& play, const std::string& id, const std::string& instance) {
  JoinRequest request = play.request(id);
  request.instance_id = instance;
  return request;
}

/// "a1", which is instance "one", leads, and "b1", "two", follows, both stable in generation 2.
void make_static_pair(Play& play) {
  play.join_static("a1", "one");
  CHECK(play.told() == Told{"a1 joined 1, leads a1"});
  play.join_static("b1", "two");
  play.join_as("a1", static_request(play, "a1", "one"));
  CHECK(play.told() == Told{"a1 joined 2, leads a1 b1", "b1 joined 2"});
  play.sync("b1");
  play.sync("a1", {{"a1", "x"}, {"b1", "y"}});
  CHECK(play.save());
  play.told();
}

}  // namespace

TEST_CASE("the first member leads at once, a second one brings both into a new generation") {
  Play play;
  play.join_new("a");
  CHECK(play.told() == Told{"a joined 1, leads a"});
  CHECK(play.group().state() == GroupState::completing_rebalance);
  play.sync("a", {{"a", "all"}});
  CHECK(play.told().empty());
  CHECK(play.save());
  CHECK(play.told() == Told{"a synced all"});
  CHECK(play.group().state() == GroupState::stable);
  play.join_new("b");
  CHECK(play.told().empty());
  CHECK(play.beat("a") == "rebalance");
  play.join("a");
  CHECK(play.told() == Told{"a joined 2, leads a b", "b joined 2"});
  play.sync("b");
  CHECK(play.told().empty());
  play.sync("a", {{"a", "x"}, {"b", "y"}, {"nobody", "z"}});
  CHECK(play.save());
  CHECK(play.told() == Told{"a synced x", "b synced y"});
  play.sync("b");
  CHECK(play.told() == Told{"b synced y"});
}

TEST_CASE("a new member that can take it is told its id first, and has a session to come again") {
  Play play;
  auto first = play.request();
  first.takes_id_first = true;
  play.join_as("a", first);
  CHECK(play.told() == Told{"a: id required"});
  CHECK(play.group().state() == GroupState::empty);
  SUBCASE("comes") {
    play.join("a");
    CHECK(play.told() == Told{"a joined 1, leads a"});
  }
  SUBCASE("comes too late") {
    play.wait(session);
    CHECK(play.group().is_blank());
    play.join("a");
    CHECK(play.told() == Told{"a: unknown member"});
  }
  SUBCASE("does not come, and a rebalance waits for it no longer than that") {
    play.join_new("b");
    CHECK(play.told().empty());
    play.wait(session);
    CHECK(play.told() == Told{"b joined 1, leads b"});
  }
  SUBCASE("leaves instead") {
    CHECK(play.leave("a") == "ok");
    CHECK(play.group().is_blank());
  }
}

TEST_CASE("a member that falls silent is sent away, and the others go on without it") {
  Play play;
  make_pair(play);
  play.wait(session / 2);
  CHECK(play.beat("a") == "ok");
  play.wait(session / 2);
  CHECK(play.group().members().size() == 1);
  CHECK(play.beat("a") == "rebalance");
  CHECK(play.beat("b") == "unknown member");
  play.join("a");
  CHECK(play.told() == Told{"a joined 3, leads a"});
}

TEST_CASE("who does not come back to a rebalance in time is left out, though it speaks") {
  Play play;
  make_pair(play);
  play.join("a");
  for (int i = 0; i < 6; ++i) {
    CHECK(play.told().empty());
    CHECK(play.beat("b") == "rebalance");
    play.wait(rebalance / 6);
  }
  CHECK(play.told() == Told{"a joined 3, leads a"});
  CHECK(play.beat("b") == "unknown member");
}

TEST_CASE("a leader that hands nothing in is left out, and the others are told to join again") {
  Play play;
  play.join_new("a");
  play.told();
  play.join_new("b");
  play.join("a");
  play.told();
  play.sync("b");
  for (int i = 0; i < 6; ++i) {
    CHECK(play.told().empty());
    CHECK(play.beat("a") == "ok");
    play.wait(rebalance / 6);
  }
  CHECK(play.told() == Told{"b: rebalance"});
  play.join("b");
  CHECK(play.told() == Told{"b joined 3, leads b"});
}

TEST_CASE("a member that leaves makes room, the last one leaves an empty group") {
  Play play;
  make_pair(play);
  CHECK(play.leave("b") == "ok");
  CHECK(play.leave("b") == "unknown member");
  play.join("a");
  CHECK(play.told() == Told{"a joined 3, leads a"});
  play.make_stable("a");
  CHECK(play.leave("a") == "ok");
  CHECK(play.group().state() == GroupState::empty);
  CHECK(play.group().generation() == 4);
  CHECK(play.save());
  CHECK(play.group().record().members.empty());
  CHECK(play.group().record().protocol_type == "consumer");
  CHECK_FALSE(play.group().next_due());
}

TEST_CASE(
    "a follower that asks again in a stable group hears what it knows, a leader begins anew") {
  Play play;
  make_pair(play);
  play.join("b");
  CHECK(play.told() == Told{"b joined 2"});
  play.join("a");
  CHECK(play.told().empty());
  CHECK(play.group().state() == GroupState::preparing_rebalance);
}

TEST_CASE("a member that wants something else brings a new generation") {
  Play play;
  make_pair(play);
  play.join_with("b", "b", {"range", "sticky"});
  CHECK(play.group().state() == GroupState::preparing_rebalance);
  play.join("a");
  CHECK(play.told() == Told{"a joined 3, leads a b", "b joined 3"});
}

TEST_CASE("a join that is repeated while the generation is completed gets the same answer") {
  Play play;
  make_pair(play);
  play.join("a");
  play.join("b");
  CHECK(play.told() == Told{"a joined 3, leads a b", "b joined 3"});
  play.join("b");
  play.join("a");
  CHECK(play.told() == Told{"b joined 3", "a joined 3, leads a b"});
}

TEST_CASE("a second call of a member ends the first") {
  Play play;
  make_pair(play);
  play.join("a");
  play.join("a");
  CHECK(play.told() == Told{"a: rebalance"});
  play.join("b");
  CHECK(play.told() == Told{"a joined 3, leads a b", "b joined 3"});
}

TEST_CASE("the protocol is the one with most votes among those that all know") {
  struct Case {
    std::vector<std::vector<std::string>> members;
    std::string chosen;
  };
  for (const Case& c :
       {Case{{{"range"}}, "range"}, Case{{{"sticky", "range"}, {"range"}}, "range"},
        Case{{{"x", "range", "sticky"}, {"sticky", "range"}, {"sticky", "range"}}, "sticky"},
        Case{{{"b", "a"}, {"a", "b"}}, "a"}, Case{{{"a", "a"}, {"a"}}, "a"}}) {
    Play play;
    for (std::size_t i = 0; i < c.members.size(); ++i) {
      play.join_with(std::to_string(i), "", c.members[i]);
    }
    for (std::size_t i = 0; i < c.members.size(); ++i) {
      if (play.group().state() != GroupState::preparing_rebalance) break;
      play.join_with(std::to_string(i), std::to_string(i), c.members[i]);
    }
    CHECK(play.group().protocol() == c.chosen);
  }
}

TEST_CASE("who has no protocol in common with the group is refused") {
  Play play;
  make_pair(play);
  play.join_with("c", "", {"sticky"});
  play.join_with("c", "", {});
  auto other_type = play.request();
  other_type.protocol_type = "connect";
  play.join_as("c", other_type);
  play.join_with("a", "a", {"sticky"});
  CHECK(play.told() ==
        Told{"c: inconsistent", "c: inconsistent", "c: inconsistent", "a: inconsistent"});
  // One that is alone may want what it likes.
  Play alone;
  alone.join_with("a", "", {"range"});
  alone.join_with("a", "a", {"sticky"});
  CHECK(alone.told() == Told{"a joined 1, leads a", "a joined 2, leads a"});
}

TEST_CASE("calls of another generation, or of nobody, are refused (fault 25)") {
  Play play;
  make_pair(play);
  CHECK(play.beat("a", 1) == "illegal generation");
  CHECK(play.beat("x", 2) == "unknown member");
  SyncRequest sync;
  sync.member = {"a", {}, 1};
  std::vector<std::string> told;
  auto keep = [&](SyncResult result) { told.push_back(text(result.error)); };
  play.group().sync(sync, 0, play.now(), keep);
  sync.member = {"x", {}, 2};
  play.group().sync(sync, 0, play.now(), keep);
  sync.member = {"a", {}, 2};
  sync.protocol = "sticky";
  play.group().sync(sync, 0, play.now(), keep);
  sync.protocol = "range";
  sync.protocol_type = "connect";
  play.group().sync(sync, 0, play.now(), keep);
  play.told();
  CHECK(told == Told{"illegal generation", "unknown member", "inconsistent", "inconsistent"});
}

TEST_CASE("commits are taken from members of the generation, or from anybody while there is none") {
  struct Case {
    MemberIdentity member;
    std::string empty;
    std::string preparing;
    std::string completing;
    std::string stable;
  };
  for (const Case& c :
       {Case{{"", {}, -1}, "ok", "unknown member", "unknown member", "unknown member"},
        Case{{"a", {}, 1}, "unknown member", "ok", "rebalance", "ok"},
        Case{{"a", {}, 0},
             "unknown member",
             "illegal generation",
             "illegal generation",
             "illegal generation"},
        Case{{"x", {}, 1},
             "unknown member",
             "unknown member",
             "unknown member",
             "unknown member"}}) {
    Play play;
    auto commit = [&] { return text(play.group().check_commit(c.member, false, play.now())); };
    CHECK(commit() == c.empty);
    play.join_new("a");
    CHECK(commit() == c.completing);
    play.make_stable("a");
    CHECK(commit() == c.stable);
    play.join_new("b");
    CHECK(commit() == c.preparing);
  }
}

TEST_CASE("a static member that starts again takes its place, and its former self is fenced") {
  Play play;
  make_static_pair(play);
  SUBCASE("a follower, without a rebalance, once that is durable") {
    play.join_static("b2", "two");
    CHECK(play.told().empty());
    CHECK(play.save());
    CHECK(play.told() == Told{"b2 joined 2"});
    CHECK(play.group().state() == GroupState::stable);
    play.sync("b2");
    CHECK(play.told() == Told{"b2 synced y"});
    CHECK(text(play.group().heartbeat({"b1", "two", 2}, play.now())) == "fenced");
    CHECK(play.beat("b1") == "unknown member");
  }
  SUBCASE("not if it cannot be written") {
    play.join_static("b2", "two");
    CHECK(play.save(false));
    CHECK(play.told() == Told{"b2: not available"});
  }
  SUBCASE("a leader that is told that it does not lead, as it would not understand more") {
    play.join_static("a2", "one");
    CHECK(play.save());
    CHECK(play.told() == Told{"a2 joined 2"});
  }
  SUBCASE("a leader that is told that there is nothing to assign") {
    play.join_static("a2", "one", true);
    CHECK(play.save());
    CHECK(play.told() == Told{"a2 joined 2, skips, leads a2 b1"});
  }
  SUBCASE("while it waits for a rebalance") {
    auto waiting = static_request(play, "b1", "two");
    waiting.protocols.push_back({"sticky", {}});
    play.join_as("b1", waiting);
    play.join_static("b2", "two");
    CHECK(play.told() == Told{"b1: fenced"});
    play.join_as("a1", static_request(play, "a1", "one"));
    CHECK(play.told() == Told{"a1 joined 3, leads a1 b2", "b2 joined 3"});
  }
  SUBCASE("an admin sends it away by its instance") {
    CHECK(text(play.group().leave({"", "two"}, play.now())) == "ok");
    CHECK(text(play.group().leave({"", "two"}, play.now())) == "unknown member");
    CHECK(text(play.group().leave({"x", "one"}, play.now())) == "fenced");
    CHECK(play.group().members().size() == 1);
  }
}

TEST_CASE("a static member that is away has its place as long as its session") {
  Play play;
  make_static_pair(play);
  SUBCASE("it keeps its place through a rebalance that it misses, as long as it speaks") {
    play.join_as("a1", static_request(play, "a1", "one"));
    for (int i = 0; i < 6; ++i) {
      CHECK(play.told().empty());
      play.group().heartbeat({"b1", "two", 2}, play.now());
      play.wait(rebalance / 6);
    }
    CHECK(play.told() == Told{"a1 joined 3, leads a1 b1"});
    play.wait(session / 2);
    CHECK(play.group().members().size() == 1);
  }
  SUBCASE("it loses its place when it is silent") {
    play.join_as("a1", static_request(play, "a1", "one"));
    play.wait(session);
    CHECK(play.told() == Told{"a1 joined 3, leads a1"});
  }
  SUBCASE("what was written before an assignment does not make that durable") {
    play.join_static("b2", "two");
    auto replaced = play.group().take_save();
    REQUIRE(replaced);
    play.join_as("a1", static_request(play, "a1", "one"));
    play.join_as("b2", static_request(play, "b2", "two"));
    play.told();
    play.sync("a1", {{"a1", "x"}});
    auto assigned = play.group().take_save();
    REQUIRE(assigned);
    play.group().saved(*replaced, true, play.now());
    CHECK(play.told() == Told{"b2 joined 2"});
    play.group().saved(*assigned, true, play.now());
    CHECK(play.told() == Told{"a1 synced x"});
  }
}

TEST_CASE("a group takes so many members and no more (fault 30)") {
  GroupOptions options;
  options.members_max = 2;
  Play play(options);
  make_pair(play);
  play.join_new("c");
  CHECK(play.told() == Told{"c: full"});
  play.join("a");
  play.join("b");
  CHECK(play.told() == Told{"a joined 3, leads a b", "b joined 3"});
}

TEST_CASE("a client that vanishes while it waits leaves its session, or nothing (fault 30)") {
  Play play;
  make_pair(play);
  SUBCASE("a member that knows its id may come back") {
    play.give_up(play.join("a"));
    CHECK(play.told() == Told{"a: not available"});
    CHECK(play.group().members().size() == 2);
    play.join("b");
    CHECK(play.told().empty());
    play.wait(session);
    CHECK(play.told() == Told{"b joined 3, leads b"});
  }
  SUBCASE("a new one cannot") {
    play.give_up(play.join_new("c"));
    CHECK(play.group().members().size() == 2);
    play.join("a");
    play.join("b");
    CHECK(play.told() == Told{"c: not available", "a joined 3, leads a b", "b joined 3"});
  }
  SUBCASE("while it waits for its part") {
    play.join("a");
    play.join("b");
    play.told();
    play.give_up(play.sync("b"));
    CHECK(play.told() == Told{"b: not available"});
    play.sync("a", {{"b", "y"}});
    CHECK(play.save());
    play.sync("b");
    CHECK(play.told() == Told{"a synced ", "b synced y"});
  }
}

TEST_CASE("an assignment that cannot be written is given to nobody") {
  Play play;
  make_pair(play);
  play.join("a");
  play.join("b");
  play.told();
  play.sync("b");
  play.sync("a", {{"a", "x"}, {"b", "y"}});
  CHECK(play.save(false));
  CHECK(play.told() == Told{"a: not available", "b: not available"});
  CHECK(play.group().state() == GroupState::preparing_rebalance);
}

TEST_CASE("an assignment whose generation is over when it is written is given to nobody") {
  Play play;
  make_pair(play);
  play.join("a");
  play.join("b");
  play.told();
  play.sync("b");
  play.sync("a", {{"a", "x"}, {"b", "y"}});
  auto number = play.group().take_save();
  REQUIRE(number);
  play.join_new("c");
  CHECK(play.told() == Told{"a: rebalance", "b: rebalance"});
  play.group().saved(*number, true, play.now());
  CHECK(play.told().empty());
  CHECK(play.group().state() == GroupState::preparing_rebalance);
}

TEST_CASE("a group that was empty waits for more members if it is told to") {
  GroupOptions options;
  options.initial_rebalance_delay = milliseconds(3000);
  Play play(options);
  play.join_new("a");
  play.join_new("b");
  CHECK(play.told().empty());
  play.wait(milliseconds(2999));
  CHECK(play.told().empty());
  play.wait(milliseconds(1));
  CHECK(play.told() == Told{"a joined 1, leads a b", "b joined 1"});
}

TEST_CASE("a group goes on from its record as it was") {
  Play play;
  play.join_static("a", "one");
  play.make_stable("a");
  GroupRecord record = play.group().record();
  GroupOptions options;
  Group::Time now{0};
  Group again("g", options, record, now);
  CHECK(again.record() == record);
  CHECK(again.state() == GroupState::stable);
  CHECK(again.memory_bytes() == play.group().memory_bytes());
  CHECK(again.heartbeat({"a", "one", 1}, now) == GroupError::none);
  again.tick(now + session);
  CHECK(again.state() == GroupState::empty);
  CHECK(again.memory_bytes() == 0);
}

TEST_CASE("a group of many gives its memory back") {
  Play play;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) play.join_new(fmt::format("m{}-{}", round, i));
    play.told();
    play.wait(rebalance);
    play.told();
  }
  play.wait(session + rebalance);
  CHECK(play.group().state() == GroupState::empty);
  CHECK(play.group().memory_bytes() == 0);
}

TEST_SUITE_END();
