#include "client/group_member.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

TEST_SUITE_BEGIN("client");

using namespace leat;
using namespace leat::client;
using namespace std::chrono_literals;
using wire::ErrorCode;

namespace {

std::string text_of(const TopicPartitions& partitions) {
  std::string out;
  for (const auto& [topic, numbers] : partitions) {
    out += fmt::format(" {} {}", topic, fmt::join(numbers, " "));
  }
  return out;
}

std::string text_of(const wire::FindCoordinatorRequest& request) {
  return "find " + request.coordinator_key;
}

std::string text_of(const wire::JoinGroupRequest& request) {
  std::string out = fmt::format("join '{}'", request.member_id);
  if (request.group_instance_id) out += " as " + *request.group_instance_id;
  for (const auto& protocol : request.protocols) {
    Subscription subscription = decode_subscription(protocol.metadata).value();
    out += fmt::format(" {}({}", protocol.name, fmt::join(subscription.topics, " "));
    if (!subscription.owned.empty()) {
      out += fmt::format(";{} of {}", text_of(subscription.owned), subscription.generation);
    }
    if (protocol.name == "sticky" && subscription.user_data) {
      Possession had = decode_possession(*subscription.user_data).value();
      out += fmt::format(";{} of {}", text_of(had.partitions), had.generation);
    }
    out += ")";
  }
  return out;
}

std::string text_of(const wire::SyncGroupRequest& request) {
  std::string out = fmt::format("sync '{}' {}", request.member_id, request.generation_id);
  for (const auto& part : request.assignments) {
    out +=
        fmt::format(" {}:{}", part.member_id, text_of(decode_assignment(part.assignment).value()));
  }
  return out;
}

std::string text_of(const wire::HeartbeatRequest& request) {
  return fmt::format("heartbeat '{}' {}", request.member_id, request.generation_id);
}

std::string text_of(const wire::LeaveGroupRequest& request) {
  return fmt::format("leave '{}'", request.members.at(0).member_id);
}

GroupMemberOptions options_of(std::vector<Assignor> assignors) {
  GroupMemberOptions options;
  options.group = "g";
  options.topics = {"t"};
  options.assignors = std::move(assignors);
  options.session_timeout = 10s;
  options.heartbeat_interval = 3s;
  options.retry_backoff = options.retry_backoff_max = 100ms;
  return options;
}

/// A member, its clock, and what its coordinator says to it.
class Story {
 public:
  explicit Story(GroupMemberOptions options) : member(std::move(options)) {}

  /// What it sends next; "" for nothing.
  std::string sends() {
    auto outgoing = member.next_request(now);
    if (!outgoing) return "";
    ticket = outgoing->ticket;
    broker = outgoing->broker;
    return std::visit([](const auto& request) { return text_of(request); }, outgoing->request);
  }
  std::string sends_after(GroupMember::Time wait) {
    now += wait;
    return sends();
  }

  void found(int node, ErrorCode code = ErrorCode::none) {
    wire::FindCoordinatorResponse response;
    response.coordinators.push_back({"g", node, "", 0, code, {}});
    member.answered(ticket, response, now);
  }
  void joined(std::int32_t generation, std::string id, std::string leader = "other",
              std::vector<std::pair<std::string, TopicPartitions>> members = {}) {
    wire::JoinGroupResponse response;
    response.generation_id = generation;
    response.member_id = std::move(id);
    response.leader = std::move(leader);
    response.protocol_name = std::string(name(member.options().assignors[0]));
    for (auto& [other, owned] : members) {
      Subscription subscription{topics, {}, owned, generation - 1, {}};
      response.members.push_back({other, {}, encode_subscription(subscription)});
    }
    member.answered(ticket, response, now);
  }
  void join_refused(ErrorCode code, std::string id = "") {
    wire::JoinGroupResponse response;
    response.error_code = code;
    response.member_id = std::move(id);
    member.answered(ticket, response, now);
  }
  void synced(const TopicPartitions& partitions) {
    wire::SyncGroupResponse response;
    response.assignment = encode_assignment(partitions);
    member.answered(ticket, response, now);
  }
  void sync_refused(ErrorCode code) {
    wire::SyncGroupResponse response;
    response.error_code = code;
    member.answered(ticket, response, now);
  }
  void beat(ErrorCode code = ErrorCode::none) {
    member.answered(ticket, wire::HeartbeatResponse{0, code}, now);
  }

  /// "assigned t 0 1; revoked t 0; "
  std::string changes() {
    std::string out;
    for (const auto& change : member.take_changes()) {
      const char* kinds[] = {"assigned", "revoked", "lost"};
      out +=
          fmt::format("{}{}; ", kinds[static_cast<int>(change.kind)], text_of(change.partitions));
      if (change.kind == GroupMember::Change::Kind::revoked) revocation = change.number;
    }
    return out;
  }
  void give_up() { member.given_up(revocation); }

  /// Through to where it has these partitions in that generation.
  void settle(std::int32_t generation, const TopicPartitions& partitions) {
    if (member.coordinator() < 0) {
      sends();
      found(1);
    }
    sends();
    joined(generation, "m");
    sends();
    synced(partitions);
    changes();
  }

  GroupMember member;
  GroupMember::Time now{1000s};
  std::uint64_t ticket = 0;
  std::int32_t broker = 0;
  std::uint64_t revocation = 0;
  std::vector<std::string> topics{"t"};
};

const std::vector<Assignor> eager{Assignor::range};
const std::vector<Assignor> cooperative{Assignor::cooperative_sticky};

}  // namespace

TEST_CASE("a member finds its coordinator, joins in two steps, and is given partitions") {
  Story story(options_of(eager));
  CHECK(story.sends() == "find g");
  CHECK(story.broker == -1);
  CHECK(story.sends() == "");
  story.found(7);
  CHECK(story.sends() == "join '' range(t)");
  CHECK(story.broker == 7);
  story.join_refused(ErrorCode::member_id_required, "m");
  CHECK(story.sends() == "join 'm' range(t)");
  CHECK_FALSE(story.member.identity());
  story.joined(3, "m");
  CHECK(story.sends() == "sync 'm' 3");
  story.synced({{"t", {1, 0}}});
  CHECK(story.changes() == "assigned t 0 1; ");
  CHECK(story.member.identity()->generation == 3);
}

TEST_CASE("a member says that it lives, at its interval") {
  Story story(options_of(eager));
  story.settle(3, {{"t", {0}}});
  CHECK(story.sends() == "");
  CHECK(story.member.next_due() == story.now + 3s);
  CHECK(story.sends_after(3s) == "heartbeat 'm' 3");
  story.beat();
  CHECK(story.sends_after(2s) == "");
  CHECK(story.sends_after(1s) == "heartbeat 'm' 3");
  CHECK(story.changes() == "");
}

TEST_CASE("the one that leads shares out what there is, also by the words of others") {
  Story story(options_of(cooperative));
  story.sends();
  story.found(1);
  story.sends();
  story.topics = {"t", "u"};
  story.joined(5, "m", "m", {{"m", {}}, {"n", {{"t", {1}}}}});
  CHECK(story.sends() == "");
  CHECK(story.member.wants_counts() == std::vector<std::string>{"t", "u"});
  story.member.take_counts({{"t", 2}, {"elsewhere", 9}});
  CHECK_FALSE(story.member.wants_counts());
  CHECK(story.sends() == "sync 'm' 5 m: t 0 n: t 1");
}

TEST_CASE("an eager member gives up all before it joins again, and lives on meanwhile") {
  Story story(options_of(eager));
  story.settle(3, {{"t", {0, 1}}});
  story.sends_after(3s);
  story.beat(ErrorCode::rebalance_in_progress);
  CHECK(story.changes() == "revoked t 0 1; ");
  CHECK(story.member.identity()->generation == 3);
  CHECK(story.sends() == "");
  CHECK(story.sends_after(3s) == "heartbeat 'm' 3");
  story.beat(ErrorCode::rebalance_in_progress);
  CHECK(story.changes() == "");
  story.give_up();
  CHECK(story.sends() == "join 'm' range(t)");
  story.joined(4, "m");
  story.sends();
  story.synced({{"t", {1}}});
  CHECK(story.changes() == "assigned t 1; ");
}

TEST_CASE("a cooperative member keeps what it has, gives up what others get, and joins once more") {
  Story story(options_of(cooperative));
  story.settle(3, {{"t", {0, 1}}});
  story.sends_after(3s);
  story.beat(ErrorCode::rebalance_in_progress);
  CHECK(story.changes() == "");
  CHECK(story.sends() == "join 'm' cooperative-sticky(t; t 0 1 of 3)");
  story.joined(4, "m");
  CHECK(story.sends() == "sync 'm' 4");
  story.synced({{"t", {1, 2}}});
  CHECK(story.changes() == "revoked t 0; assigned t 2; ");
  CHECK(story.sends() == "");
  story.give_up();
  CHECK(story.sends() == "join 'm' cooperative-sticky(t; t 1 2 of 4)");
  story.joined(5, "m");
  story.sends();
  story.synced({{"t", {1, 2}}});
  CHECK(story.changes() == "assigned; ");
  CHECK(story.sends_after(3s) == "heartbeat 'm' 5");
}

TEST_CASE("what a member owns is of the generation that gave it, not of one that came to nothing") {
  Story story(options_of(cooperative));
  story.settle(3, {{"t", {0}}});
  story.sends_after(3s);
  story.beat(ErrorCode::rebalance_in_progress);
  story.sends();
  story.joined(4, "m");
  story.sends();
  story.sync_refused(ErrorCode::rebalance_in_progress);
  CHECK(story.sends() == "join 'm' cooperative-sticky(t; t 0 of 3)");
  CHECK(story.changes() == "");
}

TEST_CASE("sticky tells what it had last, even after it was lost") {
  Story story(options_of({Assignor::sticky}));
  story.settle(3, {{"t", {0, 2}}});
  story.sends_after(3s);
  story.beat(ErrorCode::unknown_member_id);
  CHECK(story.changes() == "lost t 0 2; ");
  CHECK(story.sends() == "join '' sticky(t; t 0 2 of 3)");
}

TEST_CASE("answers that get lost are asked for again, of whoever coordinates now") {
  Story story(options_of(cooperative));
  story.settle(3, {{"t", {0}}});
  story.sends_after(3s);
  story.member.failed(story.ticket, story.now);
  CHECK(story.sends() == "");
  CHECK(story.sends_after(100ms) == "find g");
  story.found(2, ErrorCode::coordinator_not_available);
  CHECK(story.sends_after(100ms) == "find g");
  story.found(2);
  CHECK(story.sends_after(3s) == "heartbeat 'm' 3");
  CHECK(story.broker == 2);
  story.beat(ErrorCode::rebalance_in_progress);
  CHECK(story.sends() == "join 'm' cooperative-sticky(t; t 0 of 3)");
  story.member.failed(story.ticket, story.now);
  CHECK(story.sends_after(100ms) == "find g");
  story.found(1);
  CHECK(story.sends() == "join 'm' cooperative-sticky(t; t 0 of 3)");
  story.joined(4, "m");
  story.sends();
  story.member.failed(story.ticket, story.now);
  CHECK(story.sends_after(100ms) == "find g");
  story.found(1);
  CHECK(story.sends() == "sync 'm' 4");
  CHECK(story.changes() == "");
}

TEST_CASE("a coordinator that moves is found again, one that loads is waited for") {
  Story story(options_of(eager));
  story.settle(3, {{"t", {0}}});
  story.sends_after(3s);
  story.beat(ErrorCode::not_coordinator);
  CHECK(story.sends_after(100ms) == "find g");
  story.found(2);
  CHECK(story.sends_after(3s) == "heartbeat 'm' 3");
  story.beat(ErrorCode::coordinator_load_in_progress);
  CHECK(story.sends_after(3s) == "heartbeat 'm' 3");
  CHECK(story.broker == 2);
  story.beat();
  CHECK(story.changes() == "");
}

TEST_CASE("a member that is none any more has lost what it had, and begins anew") {
  struct Row {
    ErrorCode code;
    const char* joins;
  };
  const Row rows[] = {
      {ErrorCode::unknown_member_id, "join '' cooperative-sticky(t)"},
      {ErrorCode::illegal_generation, "join 'm' cooperative-sticky(t)"},
  };
  for (const Row& row : rows) {
    Story beating(options_of(cooperative));
    beating.settle(3, {{"t", {0}}});
    beating.sends_after(3s);
    beating.beat(row.code);
    CHECK(beating.changes() == "lost t 0; ");
    CHECK(beating.sends() == row.joins);

    Story syncing(options_of(cooperative));
    syncing.settle(3, {{"t", {0}}});
    syncing.sends_after(3s);
    syncing.beat(ErrorCode::rebalance_in_progress);
    syncing.sends();
    syncing.joined(4, "m");
    syncing.sends();
    syncing.sync_refused(row.code);
    CHECK(syncing.changes() == "lost t 0; ");
    CHECK(syncing.sends() == row.joins);

    Story committing(options_of(cooperative));
    committing.settle(3, {{"t", {0}}});
    committing.member.refused(row.code, 2, committing.now);
    CHECK(committing.changes() == "");
    committing.member.refused(row.code, 3, committing.now);
    CHECK(committing.changes() == "lost t 0; ");
    CHECK(committing.sends() == row.joins);
  }
}

TEST_CASE("a session that is over without a word from the coordinator has lost all") {
  Story story(options_of(cooperative));
  story.settle(3, {{"t", {0}}});
  CHECK(story.sends_after(3s) == "heartbeat 'm' 3");
  story.beat();
  CHECK(story.sends_after(3s) == "heartbeat 'm' 3");
  CHECK(story.member.next_due() == story.now + 7s);
  CHECK(story.sends_after(6'999ms) == "");
  CHECK(story.changes() == "");
  std::uint64_t late = story.ticket;
  CHECK(story.sends_after(1ms) == "find g");
  CHECK(story.changes() == "lost t 0; ");
  story.member.answered(late, wire::HeartbeatResponse(), story.now);
  CHECK(story.sends() == "");
  story.found(1);
  CHECK(story.sends() == "join 'm' cooperative-sticky(t)");
}

TEST_CASE("a session does not end while a rebalance takes its time") {
  Story story(options_of(cooperative));
  story.settle(3, {{"t", {0}}});
  story.sends_after(3s);
  story.beat(ErrorCode::rebalance_in_progress);
  story.sends();
  CHECK(story.sends_after(60s) == "");
  story.joined(4, "m");
  CHECK(story.sends() == "sync 'm' 4");
  CHECK(story.changes() == "");
}

TEST_CASE("a member that another one of the same instance has replaced ends for good") {
  GroupMemberOptions options = options_of(cooperative);
  options.instance_id = "i";
  Story story(options);
  story.sends();
  story.found(1);
  CHECK(story.sends() == "join '' as i cooperative-sticky(t)");
  story.joined(3, "m");
  story.sends();
  story.synced({{"t", {0}}});
  story.sends_after(3s);
  story.member.hears("10.0.0.1:9092");
  story.beat(ErrorCode::fenced_instance_id);
  CHECK(story.changes() == "assigned t 0; lost t 0; ");
  REQUIRE(story.member.error());
  CHECK(story.member.error()->what == "group g: FENCED_INSTANCE_ID (82) from broker 10.0.0.1:9092");
  CHECK(story.sends_after(60s) == "");
  CHECK_FALSE(story.member.next_due());
}

TEST_CASE("who leaves says so, but for static members") {
  Story story(options_of(eager));
  story.settle(3, {{"t", {0}}});
  story.member.leave();
  CHECK(story.sends() == "leave 'm'");
  story.member.failed(story.ticket, story.now);
  CHECK(story.sends_after(100ms) == "find g");
  story.found(1);
  CHECK(story.sends() == "leave 'm'");
  CHECK_FALSE(story.member.has_left());
  wire::LeaveGroupResponse gone;
  gone.error_code = ErrorCode::unknown_member_id;
  story.member.answered(story.ticket, gone, story.now);
  CHECK(story.member.has_left());

  Story nobody(options_of(eager));
  nobody.member.leave();
  CHECK(nobody.member.has_left());

  GroupMemberOptions options = options_of(eager);
  options.instance_id = "i";
  Story instance(options);
  instance.settle(3, {{"t", {0}}});
  instance.member.leave();
  CHECK(instance.member.has_left());
  CHECK(instance.sends() == "");
}

TEST_CASE("a leader joins again when topics have other partitions than it has shared out") {
  Story story(options_of(cooperative));
  story.sends();
  story.found(1);
  story.sends();
  story.topics = {"t", "later"};
  story.joined(3, "m", "m", {{"m", {}}});
  story.member.take_counts({{"t", 1}});
  story.sends();
  story.synced({{"t", {0}}});
  CHECK(story.member.watched_topics() == std::vector<std::string>{"later", "t"});
  story.member.take_counts({{"t", 1}, {"elsewhere", 1}});
  CHECK(story.sends() == "");
  story.member.take_counts({{"t", 1}, {"later", 2}});
  CHECK(story.sends() == "join 'm' cooperative-sticky(t; t 0 of 3)");
}

namespace {

/// The next instance of a static leader, "m", which has been told to share out nothing.
Story leader_that_came_back() {
  GroupMemberOptions options = options_of(cooperative);
  options.instance_id = "i";
  Story story(options);
  story.sends();
  story.found(1);
  story.sends();
  wire::JoinGroupResponse response;
  response.generation_id = 3;
  response.member_id = response.leader = "m";
  response.protocol_name = "cooperative-sticky";
  response.skip_assignment = true;
  response.members.push_back({"m", "i", encode_subscription({{"t"}, {}, {}, -1, {}})});
  story.member.answered(story.ticket, response, story.now);
  return story;
}

}  // namespace

TEST_CASE("a leader that came back as the same instance shares out nothing, and watches on") {
  Story story = leader_that_came_back();
  CHECK(story.sends() == "sync 'm' 3");
  story.synced({{"t", {0}}});
  story.member.take_counts({{"t", 1}});
  CHECK(story.sends() == "");
  story.member.take_counts({{"t", 2}});
  CHECK(story.sends() == "join 'm' as i cooperative-sticky(t; t 0 of 3)");
}

TEST_CASE("a leader that comes back as the same instance sees what was added while it was away") {
  Story story = leader_that_came_back();
  story.sends();
  wire::SyncGroupResponse sync;
  sync.assignment = encode_assignment({{"t", {0}}}, {{"t", 1}});
  story.member.answered(story.ticket, sync, story.now);
  story.member.take_counts({{"t", 2}});
  CHECK(story.sends() == "join 'm' as i cooperative-sticky(t; t 0 of 3)");
}

TEST_CASE("a leader that held something back joins again if nobody else does") {
  Story story(options_of(cooperative));
  story.sends();
  story.found(1);
  story.sends();
  // Who has partition 1 is to give it up, and is replaced by its next instance meanwhile.
  story.joined(3, "m", "m", {{"m", {}}, {"n", {{"t", {0, 1}}}}});
  story.member.take_counts({{"t", 2}});
  CHECK(story.sends() == "sync 'm' 3 m: n: t 0");
  story.synced({});
  for (int i = 0; i < 3; ++i) {
    CHECK(story.sends_after(3s) == "heartbeat 'm' 3");
    story.beat();
  }
  CHECK(story.member.next_due() == story.now + 1s);
  CHECK(story.sends_after(1s) == "join 'm' cooperative-sticky(t)");
  story.joined(4, "m", "m", {{"m", {}}, {"n", {{"t", {0}}}}});
  story.member.take_counts({{"t", 2}});
  CHECK(story.sends() == "sync 'm' 4 m: t 1 n: t 0");
  story.synced({{"t", {1}}});
  CHECK(story.sends_after(3s) == "heartbeat 'm' 4");
  story.beat();
  CHECK(story.member.next_due() == story.now + 3s);
}

TEST_CASE("who subscribes to other topics gives up those that it had, and joins again") {
  Story story(options_of(cooperative));
  story.settle(3, {{"t", {0}}, {"u", {1}}});
  story.member.subscribe({"u", "v"});
  CHECK(story.changes() == "revoked t 0; ");
  story.give_up();
  CHECK(story.sends() == "join 'm' cooperative-sticky(u v; u 1 of 3)");
  story.member.subscribe({"v"});
  CHECK(story.sends() == "join 'm' cooperative-sticky(v; u 1 of 3)");
}

TEST_CASE("what was given up before is not what is to be given up now") {
  Story story(options_of(eager));
  story.settle(3, {{"t", {0}}});
  story.sends_after(3s);
  story.beat(ErrorCode::rebalance_in_progress);
  CHECK(story.changes() == "revoked t 0; ");
  std::uint64_t before = story.revocation;
  story.sends_after(3s);
  story.beat(ErrorCode::unknown_member_id);
  CHECK(story.changes() == "lost t 0; ");
  story.settle(4, {{"t", {0}}});
  story.sends_after(3s);
  story.beat(ErrorCode::rebalance_in_progress);
  CHECK(story.changes() == "revoked t 0; ");
  story.member.given_up(before);
  CHECK(story.sends() == "");
  story.give_up();
  CHECK(story.sends() == "join 'm' range(t)");
}

TEST_CASE("answers to what was given up waiting for change nothing") {
  Story story(options_of(eager));
  story.sends();
  story.found(1);
  story.sends();
  std::uint64_t before = story.ticket;
  story.member.failed(story.ticket, story.now);
  story.sends_after(100ms);
  story.found(1);
  story.sends();
  std::uint64_t now = std::exchange(story.ticket, before);
  story.joined(3, "ghost");
  CHECK(story.sends() == "");
  story.ticket = now;
  story.joined(4, "m");
  CHECK(story.sends() == "sync 'm' 4");
}

TEST_CASE("what a group cannot do ends the membership, and says why") {
  Story story(options_of(eager));
  story.sends();
  story.found(1);
  story.sends();
  story.join_refused(ErrorCode::inconsistent_group_protocol);
  REQUIRE(story.member.error());
  CHECK(story.member.error()->what.find("INCONSISTENT_GROUP_PROTOCOL") != std::string::npos);
}

TEST_SUITE_END();
