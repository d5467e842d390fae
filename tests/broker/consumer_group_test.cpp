// The state machine of one group of the new protocol, driven by hand: no clock, no log.
#include "broker/consumer_group.h"

#include <optional>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "broker/consumer_group_play.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

TEST_CASE("a first member gets everything with its first heartbeat") {
  Play play;
  play.topic("t", 3);
  CHECK(play.state() == "Empty");
  CHECK(play.join("a") == "1: t0 t1 t2");
  CHECK(play.state() == "Stable");
  CHECK(play.beat("a") == "1");
  CHECK(play.group().epoch() == 1);
}

TEST_CASE("a second member gets what the first has given up, and not before") {
  Play play;
  play.topic("t", 4);
  play.join("a");
  CHECK(play.join("b") == "2: ");
  CHECK(play.state() == "Reconciling");
  CHECK(play.beat("b") == "2");
  // It is told what it may keep, in its old epoch, until it has given up the rest.
  play.client("a").is_slow = true;
  CHECK(play.beat("a") == "1: t2 t3");
  CHECK(play.beat("a") == "1");
  CHECK(play.beat("b") == "2");
  play.client("a").take_over();
  CHECK(play.beat("a") == "2");
  CHECK(play.beat("b") == "2: t0 t1");
  CHECK(play.state() == "Stable");
}

TEST_CASE("what a member had is free when it has left, and when its session is over") {
  Play play;
  play.topic("t", 2);
  play.join("a");
  play.join("b");
  play.beat_all();
  CHECK(play.owned("a") == "t1");
  CHECK(play.owned("b") == "t0");
  CHECK(play.leave("a") == "ok");
  CHECK(play.state() == "Assigning");
  CHECK(play.beat("b") == "3: t0 t1");
  play.join("c");
  play.beat_all();
  CHECK(play.owned("c").size() == 2);
  play.wait(seconds(40));
  play.beat("c");
  play.wait(seconds(6));
  CHECK_FALSE(play.group().members().contains("b"));
  CHECK(play.beat("c") == "5: t0 t1");
  CHECK(play.beat("b") == "unknown member");
  CHECK(play.beat("b") == "6: ");
}

TEST_CASE("who does not give up what it is to, within its own time, has to go") {
  Play play;
  play.topic("t", 2);
  play.join("a");
  play.join("b");
  play.client("a").is_slow = true;
  for (int i = 0; i < 12; ++i) {
    CHECK(play.group().members().contains("a"));
    play.beat("a");
    play.beat("b");
    play.wait(seconds(5));
  }
  CHECK_FALSE(play.group().members().contains("a"));
  CHECK(play.beat("b") == "3: t0 t1");
  CHECK(play.beat("a") == "unknown member");
}

TEST_CASE("partitions that come, topics that come and go: each makes a new target") {
  Play play;
  CHECK(play.join("a", {"t", "u"}) == "1: ");
  play.topic("t", 1);
  CHECK(play.beat("a") == "2: t0");
  play.topic("t", 2);
  CHECK(play.beat("a") == "3: t0 t1");
  play.topic("u", 1);
  CHECK(play.beat("a") == "4: t0 t1 u0");
  // One that nobody wants is nobody's business.
  play.topic("v", 1);
  CHECK(play.beat("a") == "4");
  // One that is made anew under the same name is another one.
  play.topic("u", 1, 'U');
  CHECK(play.beat("a") == "4: t0 t1");
  CHECK(play.beat("a") == "5: U0 t0 t1");
  play.drop_topic("t");
  CHECK(play.beat("a") == "5: U0");
  CHECK(play.beat("a") == "6");
}

TEST_CASE("a member may want other topics") {
  Play play;
  play.topic("t", 1);
  play.topic("u", 1);
  play.join("a");
  play.client("a").topics = {"u"};
  play.client("a").has_to_say_all = true;
  CHECK(play.beat("a") == "1: ");
  CHECK(play.beat("a") == "2: u0");
  // The same again is no change.
  play.client("a").has_to_say_all = true;
  CHECK(play.beat("a") == "2: u0");
  CHECK(play.group().epoch() == 2);
}

TEST_CASE("an expression stands for all topics whose whole names match it, but the server's own") {
  Play play;
  play.topic("orders-eu", 1, 'e');
  play.topic("orders-us", 1, 'u');
  play.topic("all-orders-eu", 1, 'a');
  play.internal_topic("__orders");
  play.client("a").topics = {};
  play.client("a").regex = "orders-.*|__.*";
  CHECK(play.beat("a") == "1: e0 u0");
  CHECK(play.group().subscribed_topics() == std::set<std::string>{"orders-eu", "orders-us"});
  play.topic("orders-asia", 1, 's');
  CHECK(play.beat("a") == "2: e0 s0 u0");
  play.restart();
  CHECK_FALSE(play.group().subscribed_topics().has_value());
  CHECK(play.beat("a") == "2");
  // An empty one takes it back.
  play.client("a").regex = "";
  play.client("a").topics = {"all-orders-eu"};
  play.client("a").has_to_say_all = true;
  CHECK(play.beat("a") == "2: ");
  CHECK(play.beat("a") == "3: a0");
}

TEST_CASE("members say which assignor they want, and most of them decide") {
  Play play;
  play.topic("t", 2);
  play.topic("u", 2);
  CHECK(play.group().assignor() == Assignor::uniform);
  play.client("b").topics = {"t", "u"};
  play.client("b").assignor = "range";
  play.beat("b");
  play.client("a").topics = {"t", "u"};
  play.client("a").assignor = "range";
  play.beat("a");
  play.beat_all();
  CHECK(play.group().assignor() == Assignor::range);
  CHECK(play.owned("a") == "t0 u0");
  CHECK(play.owned("b") == "t1 u1");
}

TEST_CASE("a static member that leaves for now keeps what it had for its next process") {
  Play play;
  play.topic("t", 2);
  play.join_static("a1", "one");
  play.join_static("b1", "two");
  play.beat_all();
  CHECK(play.owned("a1") == "t1");
  // As long as it has not left, nobody takes its place.
  CHECK(play.join_static("a2", "one") == "unreleased");
  CHECK(play.leave("a1", ConsumerHeartbeat::leave_for_now) == "ok");
  CHECK(play.beat("b1") == "2");
  CHECK(play.join_static("a2", "one") == "2: t1");
  CHECK(play.state() == "Stable");
  CHECK(play.group().epoch() == 2);
  CHECK(play.group().members().size() == 2);
  // The process before is known no more.
  play.client("a1").instance = "one";
  play.client("a1").epoch = 2;
  CHECK(play.beat("a1") == "fenced instance");
  play.clients().erase("a1");
  // It is gone for good after its session, or with a word.
  play.leave("a2", ConsumerHeartbeat::leave_for_now);
  play.wait(seconds(44));
  play.beat("b1");
  CHECK(play.group().members().size() == 2);
  play.wait(seconds(2));
  CHECK(play.group().members().size() == 1);
  CHECK(play.beat("b1") == "3: t0 t1");
  CHECK(play.leave("b1") == "ok");
  CHECK(play.state() == "Empty");
}

TEST_CASE("a member whose answer was lost may say its last epoch again") {
  Play play;
  play.topic("t", 2);
  play.join("a");
  play.join("b");
  play.client("a").is_slow = true;
  play.beat("a");
  play.client("a").take_over();
  play.beat("a");
  CHECK(play.client("a").epoch == 2);
  play.client("a").epoch = 1;
  CHECK(play.beat("a") == "fenced epoch");
  // With what it has it shows that it has not gone ahead.
  play.restart();
  play.join("a");
  play.client("a").epoch = play.group().members().at("a").current.previous_epoch;
  if (play.client("a").epoch > 0) {
    play.client("a").has_to_say_all = true;
    CHECK(play.beat("a").starts_with("2: "));
  }
  play.client("a").epoch = 9;
  CHECK(play.beat("a") == "fenced epoch");
}

TEST_CASE("who joins again has nothing, and is given it anew") {
  Play play;
  play.topic("t", 2);
  // The answer to the first heartbeat was lost.
  play.join("a");
  CHECK(play.join("a") == "1: t0 t1");
  play.topic("t", 3);
  play.beat("a");
  CHECK(play.join("a") == "2: t0 t1 t2");
  CHECK(play.group().members().size() == 1);
}

TEST_CASE("nobody is let in beyond what a group may have") {
  GroupOptions options;
  options.members_max = 1;
  Play play(options);
  play.topic("t", 1);
  play.join("a");
  CHECK(play.join("b") == "full");
  CHECK(play.group().members().size() == 1);
}

TEST_CASE("a member is answered when what it is told is durable") {
  Play play;
  play.topic("t", 1);
  std::string a;
  std::string b;
  play.begin_beat("a", a);
  CHECK(a.empty());
  auto first = play.begin_save();
  REQUIRE(first);
  // Also who changes nothing waits for what was changed before him.
  play.client("a").epoch = 1;
  play.begin_beat("a", b);
  CHECK(b.empty());
  play.end_save(*first, true);
  CHECK(a == "1: t0");
  CHECK(b == "1");
}

TEST_CASE("what could not be written is written with what comes next") {
  Play play;
  play.topic("t", 1);
  std::string a;
  play.begin_beat("a", a);
  play.save(false);
  CHECK(a == "not available");
  CHECK(play.record_count() == 0);
  // Not at once: whoever cannot write now cannot in the next instant.
  CHECK_FALSE(play.begin_save());
  CHECK(play.beat("a") == "1: t0");
  play.restart();
  CHECK(play.beat("a") == "1");
}

TEST_CASE("what was written behind something that could not be counts for nothing") {
  Play play;
  play.topic("t", 2);
  play.join("a");
  std::string told_a;
  std::string told_b;
  play.begin_beat("b", told_b);
  auto first = play.begin_save();
  play.client("a").has_to_say_all = true;
  play.begin_beat("a", told_a);
  auto second = play.begin_save();
  REQUIRE(second);
  play.end_save(*first, false);
  play.end_save(*second, true);
  CHECK(told_a == "not available");
  CHECK(told_b == "not available");
  play.beat_all();
  play.restart();
  CHECK(play.beat("b") == "2");
  CHECK(play.beat("a") == "2");
}

TEST_CASE("a restart changes nothing, and gives everybody a whole session") {
  Play play;
  play.topic("t", 6);
  play.join("a");
  play.join_static("b", "one");
  play.beat_all();
  std::string a = play.owned("a");
  play.wait(seconds(40));
  play.restart();
  CHECK(play.state() == "Stable");
  CHECK(play.group().epoch() == 2);
  play.wait(seconds(40));
  CHECK(play.beat("a") == "2");
  CHECK(play.beat("b") == "2");
  CHECK(play.owned("a") == a);
  CHECK(play.join_static("c", "one") == "unreleased");
  play.clients().erase("c");
  // What it has to be patient with is remembered, too.
  play.join("d");
  play.client("a").is_slow = true;
  CHECK(play.beat("a").starts_with("2: "));
  play.restart();
  play.wait(seconds(44));
  play.beat("a");
  play.wait(seconds(17));
  CHECK_FALSE(play.group().members().contains("a"));
}

TEST_CASE("an empty group leaves two records, and tombstones take them out") {
  Play play;
  play.topic("t", 1);
  play.join("a");
  CHECK(play.record_count() == 5);
  play.leave("a");
  CHECK(play.record_count() == 2);
  CHECK(play.group().tombstones().size() == 2);
  CHECK(play.group().memory_bytes() == 0);
}

TEST_CASE("tombstones take out also what of a member could not be taken out when it went") {
  Play play;
  play.topic("t", 1);
  play.join("a");
  play.join("b");
  std::string a;
  std::string b;
  play.begin_leave("a", a);
  play.save(false);
  CHECK(a == "not available");
  play.begin_leave("b", b);
  SUBCASE("and was not tried again") {
    play.save(false);
  }
  SUBCASE("and is on its way") {
    CHECK(play.begin_save());
  }
  play.write(play.group().tombstones());
  CHECK(play.record_count() == 0);
}

TEST_CASE("the names that expressions match are counted as memory, and given back") {
  Play play;
  std::uint64_t names = 0;
  for (int i = 0; i < 100; ++i) {
    std::string name = fmt::format("{}-{}", std::string(200, 'n'), i);
    names += name.size();
    play.topic(name, 1, 'n');
  }
  play.client("a").topics = {};
  play.client("a").regex = "n*-.*";
  play.beat("a");
  CHECK(play.group().memory_bytes() > names);
  play.client("b").topics = {};
  play.client("b").regex = "n+-.*";
  play.beat("b");
  CHECK(play.group().memory_bytes() > 2 * names);
  play.leave("b");
  play.beat("a");
  CHECK(play.group().memory_bytes() < 2 * names);
  play.leave("a");
  CHECK(play.group().memory_bytes() == 0);
}

TEST_CASE("records in which two have the same partition: who is behind has to join anew") {
  StoredConsumerGroup stored;
  stored.group = ConsumerGroupRecord{5, 1};
  stored.target_epoch = 5;
  Uuid t;
  t.bytes[0] = 't';
  for (const auto& [id, epoch] : {std::pair("a", 4), std::pair("b", 5)}) {
    auto& member = stored.members[id];
    member.about.emplace();
    member.current.epoch = epoch;
    member.current.assigned[t] = {0};
  }
  // And one of which only a half is left.
  stored.members["c"].target[t] = {1};
  ConsumerGroup group("g", GroupOptions{}, stored, seconds(1));
  CHECK_FALSE(group.members().contains("a"));
  CHECK(group.members().contains("b"));
  CHECK_FALSE(group.members().contains("c"));
  CHECK(group.state() == ConsumerGroupState::assigning);
}

TEST_CASE("a commit and a fetch need the epoch of a member") {
  Play play;
  play.topic("t", 1);
  auto commit = [&](const std::string& id, std::int32_t epoch, bool is_transactional = false,
                    bool knows_epochs = true) {
    return text(play.group().check_commit({id, {}, epoch}, is_transactional, knows_epochs));
  };
  auto fetch = [&](std::optional<std::string> id, std::int32_t epoch) {
    return text(play.group().check_fetch(id, epoch));
  };
  // An admin may set back who is not at work.
  CHECK(commit("", -1) == "ok");
  CHECK(commit("a", 1) == "unknown member");
  play.join("a");
  CHECK(commit("", -1) == "unknown member");
  CHECK(commit("a", 1) == "ok");
  CHECK(commit("a", 0) == "stale");
  CHECK(commit("a", 2) == "stale");
  CHECK(commit("a", 1, false, false) == "old client");
  CHECK(commit("a", 1, true, false) == "ok");
  CHECK(commit("a", 0, true, false) == "illegal generation");
  CHECK(fetch(std::nullopt, -1) == "ok");
  CHECK(fetch("b", 1) == "unknown member");
  CHECK(fetch("a", 1) == "ok");
  CHECK(fetch("a", 0) == "stale");
}

namespace {

/// A request that is well formed, to be spoilt.
ConsumerHeartbeat join_request() {
  ConsumerHeartbeat request;
  request.group_id = "g";
  request.member_id = "a";
  request.rebalance_timeout = seconds(60);
  request.topics = {"t"};
  request.owned = Assignment{};
  return request;
}

template <class Spoil>
ConsumerHeartbeatResult check_spoilt(Spoil spoil, bool has_id = true) {
  ConsumerHeartbeat request = join_request();
  spoil(request);
  return ConsumerGroup::check(request, has_id);
}

}  // namespace

TEST_CASE("requests that no client means are refused with Kafka's words") {
  auto message = [](auto spoil) {
    ConsumerHeartbeatResult result = check_spoilt(spoil);
    CHECK(result.error == GroupError::invalid_request);
    return result.message;
  };
  CHECK(check_spoilt([](auto&) {}).error == GroupError::none);
  CHECK(message([](auto& r) { r.group_id.clear(); }) == "GroupId can't be empty.");
  CHECK(message([](auto& r) { r.member_id.clear(); }) == "MemberId can't be empty.");
  CHECK(check_spoilt([](auto& r) { r.member_id.clear(); }, false).error == GroupError::none);
  CHECK(message([](auto& r) { r.instance_id = ""; }) == "InstanceId can't be empty.");
  CHECK(message([](auto& r) { r.rack_id = ""; }) == "RackId can't be empty.");
  CHECK(message([](auto& r) { r.rebalance_timeout.reset(); }) ==
        "RebalanceTimeoutMs must be provided in first request.");
  CHECK(message([](auto& r) { r.owned.reset(); }) ==
        "TopicPartitions must be empty when (re-)joining.");
  CHECK(message([](auto& r) { (*r.owned)[Uuid{}] = {1}; }) ==
        "TopicPartitions must be empty when (re-)joining.");
  CHECK(message([](auto& r) { r.topics.reset(); }) ==
        "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
  CHECK(message([](auto& r) { r.epoch = -2; }) == "InstanceId can't be null.");
  CHECK(message([](auto& r) { r.epoch = -3; }) == "MemberEpoch is invalid.");
}

TEST_CASE("assignors and expressions that there are not are refused by name") {
  auto assignor = check_spoilt([](auto& r) { r.assignor = "sticky"; });
  CHECK(assignor.error == GroupError::unsupported_assignor);
  CHECK(assignor.message ==
        "ServerAssignor sticky is not supported. Supported assignors: uniform, range.");
  auto regex = check_spoilt([](auto& r) { r.topic_regex = "a(b"; });
  CHECK(regex.error == GroupError::invalid_regular_expression);
  CHECK(regex.message.starts_with("SubscribedTopicRegex `a(b` is not a valid regular expression"));
}

TEST_SUITE_END();
