// The client's consumers against a server in this process.
#include "client/consumer_driver.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "client/group_admin.h"
#include "client/record_reader.h"
#include "server/peer.h"
#include "wire/leave_group.h"
#include "wire/list_offsets.h"

namespace leat::client {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Everything runs on one thread, between the steps of a test.
class Programs {
 public:
  explicit Programs(server::TestServer& server) : server_(server.server()) {}

  bool run_until(const std::function<bool()>& condition) {
    auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      context_.restart();
      context_.run_for(10ms);
    }
    return condition();
  }
  std::shared_ptr<Cluster> connect() {
    ClientOptions options;
    options.brokers = server_.kafka_address().to_string();
    return std::make_shared<Cluster>(context_.get_executor(), options);
  }
  template <class Operation>
  auto run(Operation operation) {
    using Value = typename std::invoke_result_t<Operation&>::value_type;
    std::optional<Value> result;
    asio::co_spawn(context_, operation(),
                   [&](std::exception_ptr, Value value) { result = std::move(value); });
    REQUIRE(run_until([&] { return result.has_value(); }));
    return std::move(*result);
  }
  template <class Task>
  void spawn(Task task) {
    asio::co_spawn(context_, std::move(task), asio::detached);
  }

 private:
  const server::Server& server_;
  asio::io_context context_{1};
};

std::vector<std::string> values_of(const std::vector<Fetched>& all) {
  std::vector<std::string> values;
  record::Scratch scratch;
  for (const Fetched& fetched : all) {
    RecordReader reader(fetched, scratch);
    while (const record::Record* record = reader.next()) {
      values.emplace_back(as_text(*record->value));
    }
    CHECK_FALSE(reader.error());
  }
  return values;
}

ConsumerDriverOptions options_of(Assignor assignor) {
  ConsumerDriverOptions options;
  options.consumer.group = "g";
  options.consumer.assignors = {assignor};
  options.consumer.offset_reset = OffsetReset::earliest;
  options.consumer.heartbeat_interval = 20ms;
  options.consumer.fetch_wait = 20ms;
  return options;
}

/// A program that reads as a member of "g" until it is told to end.
class Reader {
 public:
  Reader(Programs& programs, ConsumerDriverOptions options) : cluster_(programs.connect()) {
    options.consumer.on_revoked = [this](std::span<const leat::Partition> gone, bool is_lost) {
      has_lost |= is_lost;
      revoked += gone.size();
    };
    driver = std::make_shared<ConsumerDriver>(cluster_, std::move(options));
    driver->subscribe({"t"});
    programs.spawn(read());
  }

  std::size_t partitions() const { return count_of(driver->assignment()); }

  std::shared_ptr<ConsumerDriver> driver;
  std::vector<std::string> values;
  std::size_t revoked = 0;
  bool has_lost = false;
  bool is_to_end = false;
  bool has_ended = false;
  std::optional<Error> error;

 private:
  net::Task<void> read() {
    auto timeout = std::optional(20ms);
    while (!is_to_end && !error) {
      driver->all_done();
      auto polled = co_await driver->poll(1, timeout);
      if (!polled) {
        error = polled.error();
        break;
      }
      for (std::string& value : values_of(*polled)) values.push_back(std::move(value));
    }
    driver->all_done();
    auto closed = co_await driver->close();
    CHECK(closed);
    cluster_->close({Errc::cancelled, "the test is over"});
    has_ended = true;
  }

  std::shared_ptr<Cluster> cluster_;
};

/// Ten records in each of the four partitions of "t".
void produce_forty(server::Peer& peer, int& next) {
  for (std::int32_t p = 0; p < 4; ++p) {
    std::vector<std::string> values;
    for (int i = 0; i < 10; ++i) values.push_back(std::to_string(next++));
    auto produced = server::produce(peer, "t", server::batch_of(values), p);
    CHECK(produced.error_code == wire::ErrorCode::none);
  }
}

std::int64_t committed(Programs& programs) {
  auto cluster = programs.connect();
  auto offsets = programs.run([&] { return group_offsets(cluster, "g"); });
  cluster->close({Errc::cancelled, "the test is over"});
  REQUIRE(offsets);
  std::int64_t sum = 0;
  for (const GroupOffset& offset : *offsets) sum += offset.offset;
  return sum;
}

TEST_SUITE_BEGIN("client");

TEST_CASE("members come and go, and every record is read once, whatever shares them out") {
  for (Assignor assignor :
       {Assignor::range, Assignor::round_robin, Assignor::sticky, Assignor::cooperative_sticky}) {
    CAPTURE(name(assignor));
    server::TestServer server;
    server.create_topic("t", 4);
    server::Peer peer = server.connect();
    Programs programs(server);
    int next = 0;
    produce_forty(peer, next);
    std::list<Reader> readers;
    auto all_values = [&] {
      std::multiset<std::string> all;
      for (const Reader& reader : readers) all.insert(reader.values.begin(), reader.values.end());
      return all;
    };
    auto have_read = [&] { return static_cast<int>(all_values().size()) >= next; };

    Reader& first = readers.emplace_back(programs, options_of(assignor));
    CHECK(programs.run_until(have_read));
    Reader& second = readers.emplace_back(programs, options_of(assignor));
    CHECK(programs.run_until([&] { return first.partitions() == 2 && second.partitions() == 2; }));
    CHECK(first.revoked == (is_cooperative(assignor) ? 2 : 4));
    produce_forty(peer, next);
    CHECK(programs.run_until(have_read));
    second.is_to_end = true;
    CHECK(programs.run_until([&] { return second.has_ended && first.partitions() == 4; }));
    produce_forty(peer, next);
    CHECK(programs.run_until(have_read));
    first.is_to_end = true;
    CHECK(programs.run_until([&] { return first.has_ended; }));

    auto all = all_values();
    CHECK(static_cast<int>(all.size()) == next);
    CHECK(std::set(all.begin(), all.end()).size() == all.size());
    CHECK(committed(programs) == next);
    for (const Reader& reader : readers) {
      CHECK_FALSE(reader.has_lost);
      CHECK_FALSE(reader.error);
    }
  }
}

TEST_CASE("no callback begins, and nothing is given, before the callback before has ended") {
  server::TestServer server;
  server.create_topic("t", 4);
  server::Peer peer = server.connect();
  Programs programs(server);
  int next = 0;
  produce_forty(peer, next);
  std::deque<std::function<void()>> begun;
  ConsumerDriverOptions options = options_of(Assignor::range);
  options.consumer.on_assigned = [](auto) {};
  options.call = [&](std::function<void()> callback) { begun.push_back(std::move(callback)); };
  Reader first(programs, options);
  REQUIRE(programs.run_until([&] { return begun.size() == 1; }));
  // All is to be given back for it: some heartbeats later the first one knows.
  Reader second(programs, options_of(Assignor::range));
  auto soon = std::chrono::steady_clock::now() + 300ms;
  programs.run_until([&] { return begun.size() > 1 || std::chrono::steady_clock::now() > soon; });
  CHECK(begun.size() == 1);
  CHECK(first.values.empty());
  CHECK(first.revoked == 0);

  auto are_all_read = [&] {
    for (; !begun.empty(); begun.pop_front()) begun.front()();
    return first.values.size() + second.values.size() == 40;
  };
  CHECK(programs.run_until(are_all_read));
  CHECK(first.revoked == 4);
  for (Reader* reader : {&first, &second}) reader->is_to_end = true;
  CHECK(programs.run_until([&] {
    are_all_read();
    return first.has_ended && second.has_ended;
  }));
}

TEST_CASE("a partition is read from where it is sought, and not while it is paused") {
  server::TestServer server;
  server.create_topic("t", 2);
  server::Peer peer = server.connect();
  for (std::int32_t p = 0; p < 2; ++p) {
    for (int i = 0; i < 3; ++i) {
      server::produce(peer, "t", server::batch_of({fmt::format("{}-{}", p, i)}), p);
    }
  }
  Programs programs(server);
  auto cluster = programs.connect();
  ConsumerDriverOptions options;
  options.consumer.fetch_wait = 20ms;
  options.consumer.partition_fetch_bytes = 1;  // a batch at a time
  auto driver = std::make_shared<ConsumerDriver>(cluster, options);
  auto wait = [&] {
    programs.run([&]() -> net::Task<bool> {
      for (int i = 1; i < 4; ++i) co_await cluster->back_off(i);
      co_return true;
    });
  };
  /// What comes until `count` records have.
  auto read = [&](std::size_t count) {
    std::vector<std::string> values;
    while (values.size() < count) {
      auto polled = programs.run([&] { return driver->poll(1, 10s); });
      REQUIRE(polled);
      REQUIRE_FALSE(polled->empty());
      for (std::string& value : values_of(*polled)) values.push_back(std::move(value));
    }
    std::sort(values.begin(), values.end());
    return fmt::format("{}", fmt::join(values, " "));
  };
  driver->assign({{"t", 0, 1}, {"t", 1, 0}});
  CHECK(read(5) == "0-1 0-2 1-0 1-1 1-2");
  driver->seek({"t", 1}, 2);
  CHECK(read(1) == "1-2");
  CHECK(driver->position({"t", 1}) == 3);

  driver->pause({"t", 0});
  driver->seek({"t", 0}, 0);
  driver->seek({"t", 1}, 1);
  CHECK(read(2) == "1-1 1-2");
  driver->resume({"t", 0});
  CHECK(read(3) == "0-0 0-1 0-2");

  // What was fetched before is not given out.
  driver->seek({"t", 1}, 0);
  CHECK(programs.run_until([&] { return driver->position({"t", 1}) == 0; }));
  wait();
  driver->seek({"t", 1}, 2);
  CHECK(read(1) == "1-2");
  driver->seek_to_time({"t", 0}, wire::earliest_timestamp);
  CHECK(read(3) == "0-0 0-1 0-2");

  // And where that is paused, it is when it goes on.
  driver->seek({"t", 0}, 0);
  CHECK(read(1) == "0-0");
  wait();
  driver->pause({"t", 0});
  driver->resume({"t", 0});
  CHECK(read(2) == "0-1 0-2");
  driver->stop();
  cluster->close({Errc::cancelled, "the test is over"});
}

TEST_CASE("an offset that is not there is told once where nobody says what then, or is looked up") {
  server::TestServer server;
  server.create_topic("t", 1);
  server::Peer peer = server.connect();
  server::produce(peer, "t", server::batch_of({"a", "b"}), 0);
  Programs programs(server);
  for (OffsetReset reset : {OffsetReset::none, OffsetReset::earliest}) {
    auto cluster = programs.connect();
    ConsumerDriverOptions options;
    options.consumer.offset_reset = reset;
    auto driver = std::make_shared<ConsumerDriver>(cluster, options);
    driver->assign({{"t", 0, 9}});
    auto polled = programs.run([&] { return driver->poll(1, 10s); });
    if (reset == OffsetReset::none) {
      REQUIRE_FALSE(polled);
      CHECK(polled.error().code == Errc::offset_out_of_range);
      driver->seek({"t", 0}, 0);
      polled = programs.run([&] { return driver->poll(1, 10s); });
    }
    REQUIRE(polled);
    CHECK(values_of(*polled) == std::vector<std::string>{"a", "b"});
    driver->stop();
    cluster->close({Errc::cancelled, "the test is over"});
  }
}

TEST_CASE("a member that the group has sent away is told that its commit came too late") {
  // Its heartbeat tells it before the commit is answered, or the commit's own answer does.
  for (auto heartbeat_interval : std::vector<std::chrono::milliseconds>{1ms, 20ms, 1min}) {
    CAPTURE(heartbeat_interval.count());
    server::TestServer server;
    server.create_topic("t", 1);
    server::Peer peer = server.connect();
    server::produce(peer, "t", server::batch_of({"a", "b"}));
    Programs programs(server);
    ConsumerDriverOptions options = options_of(Assignor::range);
    options.consumer.auto_commit = false;
    options.consumer.heartbeat_interval = heartbeat_interval;
    auto cluster = programs.connect();
    auto driver = std::make_shared<ConsumerDriver>(cluster, options);
    driver->subscribe({"t"});
    auto is_member = [&] { return driver->identity() && !driver->assignment().empty(); };
    for (int round = 0; round < 10; ++round) {
      for (int polls = 0; !is_member() && polls < 1000; ++polls) {
        REQUIRE(programs.run([&] { return driver->poll(1, 20ms); }));
      }
      REQUIRE(is_member());
      wire::LeaveGroupRequest leave;
      leave.group_id = "g";
      leave.members.push_back({driver->identity()->id, {}, {}});
      REQUIRE(peer.ask(leave).error_code == wire::ErrorCode::none);
      std::vector<CommittedOffset> offsets{{{"t", 0}, 1}};
      Result<void> late = programs.run([&] { return driver->commit(offsets); });
      REQUIRE_FALSE(late);
      CHECK(late.error().code == Errc::cancelled);
    }
    CHECK(committed(programs) == 0);
    driver->stop();
    cluster->close({Errc::cancelled, "the test is over"});
  }
}

TEST_CASE("a consumer may be stopped at any time, and then nothing of it is left to run") {
  server::TestServer server;
  server.create_topic("t", 4);
  for (int steps = 0; steps < 30; ++steps) {
    asio::io_context context{1};
    ClientOptions connect;
    connect.brokers = server.server().kafka_address().to_string();
    auto cluster = std::make_shared<Cluster>(context.get_executor(), connect);
    auto driver =
        std::make_shared<ConsumerDriver>(cluster, options_of(Assignor::cooperative_sticky));
    driver->subscribe({"t"});
    for (int i = 0; i < steps; ++i) context.run_one_for(5ms);
    driver->stop();
    cluster->close({Errc::cancelled, "the test is over"});
    std::weak_ptr<ConsumerDriver> left = driver;
    driver.reset();
    cluster.reset();
    context.restart();
    context.run();
    CHECK(left.expired());
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
