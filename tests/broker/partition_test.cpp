// When a partition answers what was appended to it: not before its topic is durable, nor before it
// is noted that the transaction has it.
#include "broker/partition.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "log/store.h"
#include "record/builder.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

/// A coordinator that lets everybody in, and notes when the test says so.
class Gate final : public TransactionGate {
 public:
  void admit(ProducerId, std::int16_t, bool, const TopicPartition&, Executor&, Verdict verdict,
             Noted noted) override {
    asked.push_back(std::move(noted));
    verdict({});
  }
  void adopt(ProducerId, std::int32_t, const TopicPartition&, Executor&, Verdict verdict) override {
    verdict({});
  }
  void decided(ProducerId, const TopicPartition&, bool, Offset) override {}

  std::vector<Noted> asked;
};

class Lone {
 public:
  Lone() : files_(sim_, 1) {
    log::StoreOptions options;
    options.directory = "/data";
    auto opened = log::Store::open({files_, sim_, sim_, metrics_}, options);
    REQUIRE(opened);
    store_ = std::move(*opened);
    Uuid id;
    id.bytes[0] = 1;
    TopicSettings settings = parse_topic_settings({});
    auto log = store_->log({id, PartitionId{0}}, settings.log);
    REQUIRE(log);
    Partition::Environment environment{sim_, sim_, scratch_, &gate};
    partition = std::make_shared<Partition>(*log, environment, "t", settings);
    partition->load_producers([](const Result<void>&) {});
    run();
  }
  ~Lone() {
    sim_.drop_all();
    partition.reset();
    store_.reset();
  }

  using Answer = std::shared_ptr<std::optional<Result<Appended>>>;
  Answer send(std::int32_t sequence) {
    record::BatchBuilder builder;
    builder.append(sim_.wall_ms(), {}, as_bytes("value"));
    record::BatchOptions options;
    options.producer_id = ProducerId{1};
    options.producer_epoch = 0;
    options.base_sequence = sequence;
    options.is_transactional = true;
    auto bytes = std::make_shared<Bytes>(builder.build(options));
    auto answer = std::make_shared<std::optional<Result<Appended>>>();
    partition->append(bytes, MutableBytes(*bytes), 9,
                      [answer](Result<Appended> given) { *answer = std::move(given); });
    return answer;
  }
  void run() { sim_.run_for(std::chrono::milliseconds(100)); }

  Gate gate;
  std::shared_ptr<Partition> partition;

 private:
  SimExecutor sim_;
  file::FakeFileSystem files_;
  Metrics metrics_;
  record::Scratch scratch_;
  std::unique_ptr<log::Store> store_;
};

bool is_refused(const Lone::Answer& answer, Errc code) {
  return answer->has_value() && !**answer && (*answer)->error().code == code;
}

bool is_taken(const Lone::Answer& answer) {
  return answer->has_value() && answer->value().has_value();
}

}  // namespace

TEST_CASE("what is appended to a topic that is being made is answered when that is durable") {
  Lone world;
  world.partition->begin_making();
  auto early = world.send(0);
  REQUIRE(world.gate.asked.size() == 1);
  world.gate.asked[0]({});
  world.run();
  CHECK_FALSE(early->has_value());
  SUBCASE("or refused with it") {
    world.partition->end_making(fail(Errc::storage_error, "a sync failed"));
    CHECK(is_refused(early, Errc::storage_error));
    auto late = world.send(1);
    world.run();
    CHECK(is_refused(late, Errc::storage_error));
    // One of the server's own is made again.
    world.partition->begin_making();
    auto again = world.send(2);
    world.run();
    CHECK_FALSE(again->has_value());
    world.partition->end_making({});
    CHECK(is_taken(again));
  }
  SUBCASE("or refused when it goes") {
    world.partition->set_gone();
    CHECK(is_refused(early, Errc::unknown_topic_or_partition));
  }
  SUBCASE("and then at once") {
    world.partition->end_making({});
    CHECK(is_taken(early));
    auto late = world.send(1);
    world.run();
    CHECK(is_taken(late));
  }
}

TEST_CASE("who writes in a transaction that cannot be noted is refused, until it is noted") {
  Lone world;
  auto first = world.send(0);
  REQUIRE(world.gate.asked.size() == 1);
  world.run();
  CHECK_FALSE(first->has_value());
  world.gate.asked[0](fail(Errc::request_timed_out, "not yet"));
  CHECK(is_refused(first, Errc::request_timed_out));
  // Sent again, it is there, and yet not noted.
  auto again = world.send(0);
  world.run();
  CHECK_FALSE(again->has_value());
  world.gate.asked[0](fail(Errc::request_timed_out, "not yet"));
  CHECK(is_refused(again, Errc::request_timed_out));
  auto last = world.send(0);
  world.run();
  world.gate.asked[0]({});
  CHECK(is_taken(last));
  CHECK(world.gate.asked.size() == 1);
}

TEST_CASE("what a transaction has appended does not wait for the note of the next one") {
  Lone world;
  auto first = world.send(0);
  world.partition->append_marker(ProducerId{1}, 0, {true, 7}, [](const Result<Offset>&) {});
  auto next = world.send(1);
  REQUIRE(world.gate.asked.size() == 2);
  world.run();
  CHECK(is_taken(first));
  CHECK_FALSE(next->has_value());
  world.gate.asked[0]({});  // too late: it speaks of the one before
  CHECK_FALSE(next->has_value());
  world.gate.asked[1]({});
  CHECK(is_taken(next));
}

TEST_SUITE_END();
