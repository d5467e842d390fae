// Consumer, as programs use it, in a group whose members come and go: what its callbacks are told,
// and when.
#include "leat/client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/client_context.h"
#include "server/peer.h"

namespace leat {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

const auto token = with_diagnostics(asio::use_future);

/// A server, and a context that its clients share.
class Group {
 public:
  explicit Group(std::int32_t partitions) : partitions_(partitions) {
    server.create_topic("orders", partitions);
  }

  ClientOptions connect() { return options_for(server); }
  void run_until(const std::function<bool()>& done) { leat::run_until(context, done); }
  template <class T>
  T wait(std::future<T> future) {
    return leat::wait(context, std::move(future));
  }
  /// Sends "x" so many times to each partition.
  void send(int count) {
    Producer producer(context.get_executor(), connect());
    for (std::int32_t partition = 0; partition < partitions_; ++partition) {
      OutRecord record;
      record.topic = "orders";
      record.value = "x";
      record.partition = partition;
      for (int i = 0; i < count; ++i) wait(producer.async_enqueue(record, 0, token));
    }
    wait(producer.async_flush(token));
  }

  server::TestServer server;
  asio::io_context context;

 private:
  std::int32_t partitions_;
};

/// A member that writes down what its callbacks are told.
class Member {
 public:
  explicit Member(Group& group, std::chrono::milliseconds max_poll_interval = 300s)
      : group_(group) {
    ConsumerOptions options;
    options.group = "billing";
    options.offset_reset = OffsetReset::earliest;
    options.heartbeat_interval = 20ms;
    options.fetch_wait = 20ms;
    options.max_poll_interval = max_poll_interval;
    options.auto_commit = false;
    options.on_assigned = [this](std::span<const Partition> partitions) {
      CHECK(is_polling);
      for (const Partition& partition : partitions) CHECK(ours.insert(partition).second);
      if (when_assigned) when_assigned(partitions);
    };
    options.on_revoked = [this](std::span<const Partition> partitions, bool is_lost) {
      CHECK(is_polling);
      for (const Partition& partition : partitions) CHECK(ours.erase(partition) == 1);
      ++(is_lost ? lost : revoked);
      if (when_revoked) when_revoked();
    };
    consumer.emplace(group.context.get_executor(), group.connect(), options);
    consumer->subscribe({"orders"});
  }

  /// Polls, and gives how many records came.
  std::size_t poll(std::chrono::milliseconds timeout = 10ms) {
    is_polling = true;
    Records records = group_.wait(consumer->async_poll_for(timeout, token));
    is_polling = false;
    std::size_t count = 0;
    for (const InRecord& record : records) {
      CHECK(ours.contains({std::string(record.topic), record.partition}));
      first_offset = std::min(first_offset, record.offset);
      ++count;
    }
    return count;
  }
  void close() {
    is_polling = true;
    group_.wait(consumer->async_close(token));
    is_polling = false;
  }

  std::optional<Consumer> consumer;
  std::set<Partition> ours;
  int revoked = 0;
  int lost = 0;
  std::int64_t first_offset = 1000;
  bool is_polling = false;
  std::function<void(std::span<const Partition>)> when_assigned;
  std::function<void()> when_revoked;

 private:
  Group& group_;
};

void poll_until(std::vector<Member*> members, const std::function<bool()>& done) {
  for (int turns = 0; !done(); ++turns) {
    REQUIRE(turns < 3000);
    for (Member* member : members) member->poll();
  }
}

TEST_SUITE_BEGIN("client");

TEST_CASE("what seeks when partitions are assigned comes before what was fetched of them") {
  Group group(2);
  group.send(20);
  Member member(group);
  member.when_assigned = [&](std::span<const Partition> partitions) {
    for (const Partition& partition : partitions) member.consumer->seek({partition, 15});
  };
  // Nobody polls yet, and much is fetched.
  group.context.restart();
  group.context.run_for(300ms);
  CHECK(member.ours.empty());
  std::size_t count = 0;
  poll_until({}, [&] { return (count += member.poll()) >= 10; });
  CHECK(count == 10);
  CHECK(member.first_offset == 15);
}

TEST_CASE("partitions are told to be revoked before another member is told to have them") {
  Group group(4);
  Member first(group);
  poll_until({&first}, [&] { return first.ours.size() == 4; });
  Member second(group);
  second.when_assigned = [&](std::span<const Partition> partitions) {
    for (const Partition& partition : partitions) CHECK_FALSE(first.ours.contains(partition));
  };
  poll_until({&first, &second}, [&] { return first.ours.size() + second.ours.size() == 4; });
  CHECK(first.revoked == 0);
  poll_until({&first, &second}, [&] { return second.ours.size() == 2; });
  CHECK(first.revoked == 1);
  CHECK(first.ours.size() == 2);
  second.close();
  CHECK(second.ours.empty());
  CHECK(second.revoked == 1);
  poll_until({&first}, [&] { return first.ours.size() == 4; });
  CHECK(first.lost + second.lost == 0);
}

TEST_CASE("commits that are begun when partitions are revoked end before others have them") {
  Group group(2);
  group.send(10);
  Member first(group);
  std::size_t count = 0;
  poll_until({}, [&] { return (count += first.poll()) == 20; });
  int committed = 0;
  first.when_revoked = [&] {
    first.consumer->async_commit([&](error_code code) { committed += code ? 100 : 1; });
  };
  Member second(group);
  poll_until({&first, &second}, [&] { return second.ours.size() == 1; });
  CHECK(committed == 1);
  // Nothing of it is read again.
  for (int turns = 0; turns < 10; ++turns) CHECK(second.poll() == 0);
  first.close();
  CHECK(committed == 2);
}

TEST_CASE("who polls too late is told what it lost, joins again, and is told of what comes then") {
  constexpr auto max_poll_interval = 300ms;
  Group group(2);
  Member first(group, max_poll_interval);
  std::optional<Member> second(std::in_place, group);
  poll_until({&first, &*second},
             [&] { return first.ours.size() == 1 && second->ours.size() == 1; });
  int revoked = first.revoked;
  second->close();
  second.reset();
  poll_until({&first}, [&] { return first.ours.size() == 2; });
  CHECK(first.lost == 0);
  group.context.restart();
  group.context.run_for(max_poll_interval + 1500ms);
  CHECK(first.ours.size() == 2);
  CHECK(first.lost == 0);
  poll_until({&first}, [&] { return first.lost == 1; });
  poll_until({&first}, [&] { return first.ours.size() == 2; });
  second.emplace(group);
  poll_until({&first, &*second}, [&] { return second->ours.size() == 1; });
  CHECK(first.ours.size() == 1);
  CHECK(first.revoked == revoked + 1);
  CHECK(first.lost == 1);
}

TEST_CASE("nothing is polled of a partition while it is paused, and all of it afterwards") {
  Group group(2);
  Member member(group);
  poll_until({&member}, [&] { return member.ours.size() == 2; });
  member.consumer->pause({"orders", 1});
  member.consumer->pause({"no topic", 7});
  group.send(10);
  std::size_t count = 0;
  poll_until({}, [&] { return (count += member.poll()) >= 10; });
  for (int turns = 0; turns < 10; ++turns) CHECK(member.poll() == 0);
  CHECK(count == 10);
  CHECK(group.wait(member.consumer->async_position({"orders", 0}, token)) == 10);
  CHECK(group.wait(member.consumer->async_position({"orders", 1}, token)) == 0);
  member.consumer->resume({"orders", 1});
  poll_until({}, [&] { return (count += member.poll()) >= 20; });
  CHECK(count == 20);
}

TEST_CASE("a member's word of itself waits for a rebalance, and is not given after a loss") {
  Group group(2);
  Member first(group, 300ms);
  poll_until({&first}, [&] { return first.ours.size() == 2; });
  auto before = group.wait(first.consumer->async_group_metadata(token));
  Member second(group);
  poll_until({&first, &second}, [&] { return second.ours.size() == 1; });
  auto after = group.wait(first.consumer->async_group_metadata(token));
  CHECK(after.member_id == before.member_id);
  CHECK(after.generation > before.generation);
  group.context.restart();
  group.context.run_for(1800ms);
  std::optional<error_code> late;
  first.consumer->async_group_metadata([&](error_code code, GroupMetadata) { late = code; });
  group.run_until([&] { return late.has_value(); });
  CHECK(*late == ClientError::cancelled);
  poll_until({&first, &second}, [&] { return first.lost == 1 && first.ours.size() == 1; });
  CHECK(group.wait(first.consumer->async_group_metadata(token)).member_id != before.member_id);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
