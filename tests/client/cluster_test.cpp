// Connections to a cluster's brokers, and how they end.
#include "client/cluster.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>
#include "client/admin.h"
#include "fake_cluster.h"

namespace leat::client {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using wire::ApiKey;
using wire::ErrorCode;

/// Runs `operation(cluster)` to its end.
template <class Operation>
auto run(asio::io_context& context, std::shared_ptr<Cluster> cluster, Operation operation) {
  using Value = typename std::invoke_result_t<Operation&, std::shared_ptr<Cluster>>::value_type;
  std::optional<Value> result;
  asio::co_spawn(context, operation(std::move(cluster)), [&](std::exception_ptr, Value value) {
    result = std::move(value);
    context.stop();
  });
  context.restart();
  context.run();
  REQUIRE(result);
  return std::move(*result);
}

TEST_SUITE_BEGIN("client");

TEST_CASE("a broker has a connection for each lane") {
  FakeCluster fake(1);
  asio::io_context context;
  auto cluster = std::make_shared<Cluster>(context.get_executor(), quick_options(fake));
  std::vector<Connection::Ptr> opened;
  auto open_all = [&](std::shared_ptr<Cluster> shared) -> net::Task<Result<void>> {
    Result<void> refreshed = co_await shared->refresh(std::nullopt);
    if (!refreshed) co_return refreshed;
    for (Lane lane : {Lane::shared, Lane::coordinator, Lane::coordinator, Lane::shared}) {
      Result<Connection::Ptr> connection = co_await shared->broker(1, lane);
      if (!connection) co_return fail(connection);
      opened.push_back(*connection);
    }
    co_return Result<void>{};
  };
  REQUIRE(run(context, cluster, open_all));
  CHECK(opened[0] == opened[3]);
  CHECK(opened[1] == opened[2]);
  CHECK(opened[0] != opened[1]);
  CHECK(fake.connections() == 2);
}

TEST_CASE("addresses that do not parse fail whatever is asked") {
  asio::io_context context;
  for (std::string brokers : {"", "host:port", ","}) {
    ClientOptions options;
    options.brokers = brokers;
    auto cluster = std::make_shared<Cluster>(context.get_executor(), options);
    auto listed = run(context, cluster, list_topics);
    REQUIRE_FALSE(listed);
    CHECK(listed.error().code == Errc::invalid_argument);
    CHECK(listed.error().what.find("'" + brokers + "'") == 0);
  }
}

TEST_CASE("what is under way holds the cluster, and ends when it is closed") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  fake.set_faults([](ApiKey, int) { return Fault{Fault::Kind::never, ErrorCode::none}; });
  asio::io_context context;
  auto cluster = std::make_shared<Cluster>(context.get_executor(), quick_options(fake));
  std::weak_ptr<Cluster> watched = cluster;
  std::optional<Error> error;
  asio::co_spawn(context, list_topics(cluster), [&](std::exception_ptr, auto listed) {
    if (!listed) error = listed.error();
  });
  while (fake.requests(ApiKey::metadata) == 0) context.run_one_for(10ms);
  asio::post(context, [shared = std::move(cluster)] {
    shared->close({Errc::cancelled, "enough"});
  });
  context.run();
  REQUIRE(error);
  CHECK(error->code == Errc::cancelled);
  CHECK(watched.expired());
}

TEST_CASE("a cluster may be waiting for anything when its executor's context ends") {
  FakeCluster fake(1);
  // Nothing answers, and answers that say "later": the one waits for an answer, the other one for a
  // further attempt.
  for (auto kind : {Fault::Kind::never, Fault::Kind::none}) {
    fake.set_faults([kind](ApiKey, int) { return Fault{kind, ErrorCode::none}; });
    std::weak_ptr<Cluster> watched;
    {
      asio::io_context context;
      auto cluster = std::make_shared<Cluster>(context.get_executor(), quick_options(fake));
      watched = cluster;
      std::string missing = "orders";
      asio::co_spawn(context, describe_topic(cluster, missing, true), asio::detached);
      cluster.reset();
      while (fake.requests(ApiKey::metadata) < 3 && context.run_one_for(20ms) > 0) {
      }
      CHECK_FALSE(watched.expired());
    }
    CHECK(watched.expired());
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
