// What Admin changes and finds, against a server of this repository.
#include "leat/client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <functional>

#include "client/client_context.h"
#include "server/peer.h"

namespace leat {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A server and an Admin for it. Both take what the tests do on one thread.
class Fixture {
 public:
  explicit Fixture(std::function<void(server::ServerOptions&)> change =
                       [](server::ServerOptions&) {})
      : server(std::move(change)), admin(context_.get_executor(), options_for(server)) {}

  /// What the future gives, while the context runs.
  template <class T>
  T wait(std::future<T> future) {
    return leat::wait(context_, std::move(future));
  }
  /// What an operation throws.
  template <class T>
  std::error_code error_of(std::future<T> future, const std::string& text) {
    try {
      wait(std::move(future));
    } catch (const Exception& exception) {
      CHECK_MESSAGE(std::string(exception.what()).find(text) != std::string::npos,
                    exception.what());
      return exception.code();
    }
    FAIL("nothing was thrown");
    return {};
  }

  server::TestServer server;

 private:
  asio::io_context context_;

 public:
  Admin admin;
};

const auto token = with_diagnostics(asio::use_future);

TEST_SUITE_BEGIN("client");

TEST_CASE("topics are made, described, given more partitions, and deleted") {
  Fixture fixture;
  Admin& admin = fixture.admin;
  NewTopic orders("orders", 3);
  orders.configs = {{"cleanup.policy", "compact"}};
  fixture.wait(admin.async_create_topic(orders, token));
  auto error = fixture.error_of(admin.async_create_topic(orders, token), "topic orders");
  CHECK(error == KafkaError::topic_already_exists);
  fixture.wait(admin.async_create_partitions("orders", 5, token));
  auto described = fixture.wait(admin.async_describe_topic("orders", token));
  REQUIRE(described.partitions.size() == 5);
  CHECK(described.partitions[4].leader >= 0);
  CHECK_FALSE(described.is_internal);
  CHECK(fixture.wait(admin.async_list_topics(token)).size() == 1);
  error = fixture.error_of(admin.async_create_partitions("orders", 2, token), "topic orders");
  CHECK(error == KafkaError::invalid_partitions);
  fixture.wait(admin.async_delete_topic("orders", token));
  error = fixture.error_of(admin.async_delete_topic("orders", token), "topic orders");
  CHECK(error == KafkaError::unknown_topic_or_partition);
}

TEST_CASE("settings are changed one by one, and set back") {
  Fixture fixture;
  Admin& admin = fixture.admin;
  fixture.wait(admin.async_create_topic({"orders"}, token));
  auto retention = [&] {
    for (const ConfigEntry& config : fixture.wait(admin.async_topic_configs("orders", token)))
      if (config.name == "retention.ms") return config;
    return ConfigEntry();
  };
  ConfigEntry before = retention();
  CHECK(before.is_default);
  std::vector<ConfigChange> changes{{"retention.ms", "3600000"}};
  fixture.wait(admin.async_alter_topic_configs("orders", changes, token));
  CHECK(retention().value == "3600000");
  CHECK_FALSE(retention().is_default);
  changes[0].value.reset();
  fixture.wait(admin.async_alter_topic_configs("orders", changes, token));
  CHECK(retention().value == before.value);
  changes = {{"retention.ms", "soon"}};
  auto error =
      fixture.error_of(admin.async_alter_topic_configs("orders", changes, token), "retention.ms");
  CHECK(error == KafkaError::invalid_config);
}

TEST_CASE("offsets are found in all ways, and records deleted") {
  Fixture fixture;
  Admin& admin = fixture.admin;
  fixture.wait(admin.async_create_topic({"orders", 2}, token));
  server::Peer peer = fixture.server.connect();
  record::BatchBuilder builder;
  for (std::int64_t time : {100, 200, 300}) builder.append(time, std::nullopt, as_bytes("x"));
  CHECK(server::produce(peer, "orders", builder.build()).error_code == wire::ErrorCode::none);
  using Kind = OffsetQuery::Kind;
  std::vector<OffsetQuery> queries{{{"orders", 0}, Kind::start},
                                   {{"orders", 0}, Kind::end},
                                   {{"orders", 0}, Kind::stable_end},
                                   {{"orders", 0}, Kind::time, Timestamp(150ms)},
                                   {{"orders", 0}, Kind::time, Timestamp(301ms)},
                                   {{"orders", 1}, Kind::end}};
  using Offsets = std::vector<std::optional<std::int64_t>>;
  CHECK(fixture.wait(admin.async_list_offsets(queries, token)) ==
        Offsets{0, 3, 3, 1, std::nullopt, 0});
  std::vector<PartitionOffset> before{{{"orders", 0}, 2}, {{"orders", 1}, -1}};
  CHECK(fixture.wait(admin.async_delete_records(before, token)) == std::vector<std::int64_t>{2, 0});
  CHECK(fixture.wait(admin.async_list_offsets({queries[0]}, token)) == Offsets{2});
  before[0].offset = 4;
  auto error = fixture.error_of(admin.async_delete_records(before, token), "orders/0");
  CHECK(error == KafkaError::offset_out_of_range);
}

TEST_CASE("a group's offsets are set and read, and the group deleted") {
  Fixture fixture;
  Admin& admin = fixture.admin;
  fixture.wait(admin.async_create_topic({"orders", 2}, token));
  auto error = fixture.error_of(admin.async_describe_group("billing", token), "billing");
  CHECK(error == KafkaError::group_id_not_found);
  // In no order: a request has to name each topic once.
  std::vector<CommittedOffset> offsets{
      {{"orders", 1}, 7, "here"}, {{"other", 0}, 1}, {{"orders", 0}, 5}};
  fixture.wait(admin.async_create_topic({"other", 1}, token));
  fixture.wait(admin.async_alter_group_offsets("billing", offsets, token));
  auto committed = fixture.wait(admin.async_group_offsets("billing", token));
  REQUIRE(committed.size() == 3);
  CHECK(committed[0].offset == 5);
  CHECK(committed[1].offset == 7);
  CHECK(committed[1].metadata == "here");
  CHECK(committed[2].partition == Partition{"other", 0});
  auto groups = fixture.wait(admin.async_list_groups(token));
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].id == "billing");
  CHECK(fixture.wait(admin.async_describe_group("billing", token)).state == "Empty");
  fixture.wait(admin.async_delete_group("billing", token));
  error = fixture.error_of(admin.async_delete_group("billing", token), "billing");
  CHECK(error == KafkaError::group_id_not_found);
}

TEST_CASE("a cluster says which brokers it has") {
  Fixture fixture;
  auto cluster = fixture.wait(fixture.admin.async_describe_cluster(token));
  CHECK_FALSE(cluster.id.empty());
  REQUIRE(cluster.brokers.size() == 1);
  CHECK(cluster.brokers[0].port == fixture.server.server().kafka_address().port);
}

TEST_CASE("a cluster that nobody answers for is told at once") {
  asio::io_context context;
  ClientOptions options;
  {
    server::TestServer server;
    options = options_for(server);
  }
  Admin admin(context.get_executor(), options);
  int failed = 0;
  auto count = [&](boost::system::error_code code) {
    CHECK(code == ClientError::connection_failed);
    ++failed;
  };
  admin.async_create_topic({"orders"}, count);
  admin.async_delete_group("billing", count);
  context.run();
  CHECK(failed == 2);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
