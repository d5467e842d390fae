// A broker on a simulated disk, whose groups are asked for things: what the tests of the
// coordinator share.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/sim_executor.h"
#include "broker/broker.h"
#include "broker/topic_name.h"
#include "broker/transaction_log.h"
#include "broker/transactions.h"
#include "file/fake_file_system.h"
#include "record/builder.h"
#include "shards.h"

namespace leat::broker {

using std::chrono::milliseconds;
using Errors = std::vector<GroupError>;

class World {
 public:
  explicit World(GroupOptions groups = {}) {
    options_.store.directory = "/data";
    options_.groups = groups;
    open();
    make_topic("t");
  }

  void open() {
    auto opened =
        Broker::open({files_, sim_, sim_, metrics_, shards_.executors()}, options_, Random(1));
    REQUIRE_MESSAGE(opened, opened.error().what);
    broker_ = std::move(*opened);
  }
  void wait_until_ready(GroupError error = GroupError::none) {
    std::optional<GroupError> ready;
    groups().when_ready([&](GroupError outcome) { ready = outcome; });
    run_until([&] { return ready.has_value(); });
    CHECK(*ready == error);
  }
  void close_and_open() {
    std::optional<Result<void>> closed;
    broker_->close([&](Result<void> result) { closed = result; });
    run_until([&] { return closed.has_value(); });
    REQUIRE(*closed);
    broker_.reset();
    open();
    wait_until_ready();
  }
  void run_steps(int steps) {
    for (int i = 0; i < steps && sim_.run_one(); ++i) {
    }
  }
  void run_for(std::chrono::milliseconds time) { sim_.run_for(time); }
  void kill_and_open() {
    sim_.drop_all();
    files_.kill();
    broker_.reset();
    open();
    wait_until_ready();
  }
  void cut_power_and_open() {
    sim_.drop_all();
    files_.power_loss();
    broker_.reset();
    open();
    wait_until_ready();
  }

  void make_topic(const std::string& name) {
    std::optional<Result<TopicInfo>> made;
    broker_->create_topic({name, 2, {}, {}}, [&](Result<TopicInfo> info) { made = info; });
    run_until([&] { return made.has_value(); });
    REQUIRE(*made);
  }
  void delete_topic(const std::string& name) {
    bool is_deleted = false;
    broker_->delete_topic(broker_->find_topic(name)->info.id,
                          [&](const Result<void>&) { is_deleted = true; });
    run_until([&] { return is_deleted; });
  }

  CommitRequest request(const std::string& group, const std::string& topic, std::int64_t offset) {
    CommitRequest request;
    request.group_id = group;
    request.partitions.push_back({topic, 0, offset, 7, "note"});
    return request;
  }
  Errors commit(CommitRequest request) {
    std::optional<Errors> errors;
    groups().commit(std::move(request), [&](Errors given) { errors = std::move(given); });
    CHECK_FALSE(errors.has_value());
    run_until([&] { return errors.has_value(); });
    return *errors;
  }
  GroupError commit(const std::string& group, const std::string& topic, std::int64_t offset) {
    return commit(request(group, topic, offset)).front();
  }
  /// Opens a transaction for the group's offsets, unless one is open.
  ProducerIdentity begin(std::int64_t producer) {
    std::string id = fmt::format("id-{}", producer);
    REQUIRE(groups().ensure_partition());
    if (!producers_.contains(producer)) {
      std::optional<Result<ProducerIdentity>> given;
      transactions().init_producer(id, 60'000, {}, [&](auto result) { given = result; });
      run_until([&] { return given.has_value(); });
      REQUIRE(*given);
      producers_[producer] = **given;
    }
    std::optional<Result<void>> added;
    transactions().add_partitions(id, producers_[producer],
                                  {{std::string(group_topic), {PartitionId{0}}}},
                                  [&](Result<void> result) { added = result; });
    run_until([&] { return added.has_value(); });
    REQUIRE(*added);
    return producers_[producer];
  }
  Errors commit_in_transaction(std::int64_t producer, CommitRequest request) {
    ProducerIdentity identity = begin(producer);
    std::optional<Errors> errors;
    groups().commit_in_transaction(std::move(request), {identity.id, identity.epoch},
                                   [&](Errors given) { errors = std::move(given); });
    run_until([&] { return errors.has_value(); });
    return *errors;
  }
  /// Appends what `builder` has, past the coordinator.
  void append(record::BatchBuilder& builder, const record::BatchOptions& options) {
    std::int32_t count = builder.record_count();
    auto bytes = std::make_shared<Bytes>(builder.build(options));
    auto partition = broker_->find_partition(group_topic, PartitionId{0});
    bool is_loaded = false;
    partition->log().load_producers([&](const Result<void>&) { is_loaded = true; });
    run_until([&] { return is_loaded; });
    bool is_done = false;
    REQUIRE(partition->log().append({bytes, MutableBytes(*bytes), count, sim_.wall_ms()},
                                    [&](const Result<Offset>&) { is_done = true; }));
    run_until([&] { return is_done; });
  }
  /// Decides it; its markers are under way then.
  void begin_end(std::int64_t producer, bool is_committed) {
    std::optional<Result<void>> ended;
    transactions().end(fmt::format("id-{}", producer), producers_[producer], is_committed,
                       [&](Result<void> result) { ended = result; });
    run_until([&] { return ended.has_value(); });
    REQUIRE(*ended);
  }
  void end_transaction(std::int64_t producer, bool is_committed) {
    begin_end(producer, is_committed);
    std::string id = fmt::format("id-{}", producer);
    // Its markers are durable when it is complete.
    run_until([&] {
      auto state = transactions().describe(id)->state;
      return state == TransactionState::complete_commit ||
             state == TransactionState::complete_abort;
    });
  }
  /// Takes it from the coordinator, as a crash does with one whose note was not durable.
  void lose_transaction(std::int64_t producer) {
    auto log = broker_->find_partition(transaction_partition().topic_id, PartitionId{0});
    REQUIRE(log);
    std::optional<Result<void>> written;
    append_transaction(*log, fmt::format("id-{}", producer), std::nullopt, sim_.wall_ms(),
                       [&](Result<void> result) { written = std::move(result); });
    run_until([&] { return written.has_value(); });
    REQUIRE(*written);
    kill_and_open();
  }
  /// -1: there is none, -2: it is not stable.
  std::int64_t committed(const std::string& group, const std::string& topic = "t",
                         bool require_stable = false) {
    FetchedOffset found = groups().fetch(group, topic, 0, require_stable);
    if (found.error == GroupError::unstable_offset_commit) return -2;
    return found.value ? found.value->offset : -1;
  }
  GroupError remove(const std::string& group) {
    std::optional<GroupError> outcome;
    groups().remove(group, [&](GroupError error) { outcome = error; });
    run_until([&] { return outcome.has_value(); });
    return *outcome;
  }
  Errors forget(const std::string& group, const std::string& topic) {
    std::optional<Errors> errors;
    groups().forget_offsets(group, {{topic, 0}}, [&](Errors given) { errors = std::move(given); });
    run_until([&] { return errors.has_value(); });
    return *errors;
  }

  JoinResult join(const std::string& group, const std::string& member = "",
                  const std::vector<std::string>& topics = {"t"}) {
    std::optional<JoinResult> joined;
    groups().join(join_request(group, member, topics),
                  [&](JoinResult result) { joined = std::move(result); });
    run_until([&] { return joined.has_value(); });
    return *joined;
  }
  JoinRequest join_request(const std::string& group, const std::string& member,
                           const std::vector<std::string>& topics = {"t"}) {
    JoinRequest request;
    request.group_id = group;
    request.member_id = member;
    request.client_id = "test";
    request.session_timeout = milliseconds(10'000);
    request.rebalance_timeout = milliseconds(10'000);
    request.protocol_type = "consumer";
    Bytes subscription;
    ByteWriter writer(subscription);
    writer.write(std::int16_t{0});
    writer.write(static_cast<std::int32_t>(topics.size()));
    for (const std::string& topic : topics) {
      writer.write(static_cast<std::int16_t>(topic.size()));
      writer.write_bytes(as_bytes(topic));
    }
    request.protocols = {{"range", subscription}};
    return request;
  }
  SyncResult sync(const std::string& group, const JoinResult& joined) {
    SyncRequest request;
    request.group_id = group;
    request.member = {joined.member_id, {}, joined.generation};
    BytesView work = as_bytes("work");
    request.assignments.push_back({joined.member_id, Bytes(work.begin(), work.end())});
    std::optional<SyncResult> synced;
    groups().sync(std::move(request), [&](SyncResult result) { synced = std::move(result); });
    run_until([&] { return synced.has_value(); });
    return *synced;
  }
  /// One member in a stable group of its own.
  JoinResult make_stable(const std::string& group) {
    JoinResult joined = join(group);
    REQUIRE(joined.error == GroupError::none);
    REQUIRE(sync(group, joined).error == GroupError::none);
    return joined;
  }

  ConsumerHeartbeatResult beat(ConsumerHeartbeat request) {
    if (request.group_id.empty()) request.group_id = "g";
    std::optional<ConsumerHeartbeatResult> result;
    groups().heartbeat(std::move(request), true,
                       [&](ConsumerHeartbeatResult given) { result = std::move(given); });
    CHECK_FALSE(result.has_value());
    run_until([&] { return result.has_value(); });
    return *result;
  }
  /// A consumer's first heartbeat.
  ConsumerHeartbeatResult join_consumers(const std::string& member,
                                         const std::string& group = "g") {
    ConsumerHeartbeat request;
    request.group_id = group;
    request.member_id = member;
    request.rebalance_timeout = milliseconds(60'000);
    request.topics = {"t"};
    request.owned = Assignment{};
    return beat(std::move(request));
  }
  /// A later one.
  ConsumerHeartbeatResult beat(const std::string& member, std::int32_t epoch,
                               std::optional<Assignment> owned = {}) {
    ConsumerHeartbeat request;
    request.member_id = member;
    request.epoch = epoch;
    request.owned = std::move(owned);
    return beat(std::move(request));
  }

  Broker& broker() { return *broker_; }
  Groups& groups() { return broker_->groups(); }
  Transactions& transactions() { return broker_->transactions(); }
  SimExecutor& sim() { return sim_; }
  file::FakeFileSystem& files() { return files_; }
  template <class Condition>
  void run_until(Condition condition) {
    while (!condition()) REQUIRE(sim_.run_one());
  }

 private:
  BrokerOptions options_;
  SimExecutor sim_;
  leat::testing::SimShards shards_{sim_, 7};
  file::FakeFileSystem files_{sim_, 1};
  Metrics metrics_;
  std::unique_ptr<Broker> broker_;
  std::map<std::int64_t, ProducerIdentity> producers_;
};

}  // namespace leat::broker
