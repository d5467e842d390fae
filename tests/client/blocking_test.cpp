// The blocking client: what it gives and throws, and how it ends.
#include "leat/blocking.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "fake_cluster.h"
#include "client/client_context.h"
#include "server/peer.h"

namespace leat::blocking {
namespace {

using client::FakeCluster;
using client::Fault;
using wire::ApiKey;
using wire::ErrorCode;

ClientOptions options_for(const FakeCluster& fake) {
  ClientOptions options;
  options.brokers = fmt::format("127.0.0.1:{}", fake.port(1));
  return options;
}

void never_answer(FakeCluster& fake) {
  fake.set_faults([](ApiKey, int) { return Fault{Fault::Kind::never, ErrorCode::none}; });
}

TEST_SUITE_BEGIN("client");

TEST_CASE("a blocking call gives its result, or throws what went wrong") {
  server::TestServer server;
  ClientOptions options = leat::options_for(server);
  Admin admin(options);
  admin.create_topic({"orders", 3});
  admin.create_partitions("orders", 4);
  TopicDescription orders = admin.describe_topic("orders");
  CHECK(orders.partitions.size() == 4);
  CHECK(orders.id.size() == 32);
  CHECK(admin.list_topics().size() == 1);
  admin.alter_topic_configs("orders", {{"retention.ms", "3600000"}});
  CHECK_FALSE(admin.topic_configs("orders").empty());
  CHECK(admin.list_offsets({{{"orders", 3}}}).at(0) == 0);
  CHECK(admin.delete_records({{{"orders", 3}, -1}}).at(0) == 0);
  CHECK(admin.describe_cluster().brokers.size() == 1);
  admin.alter_group_offsets("billing", {{{"orders", 1}, 7}});
  CHECK(admin.group_offsets("billing").at(0).offset == 7);
  CHECK(admin.list_groups().at(0).id == "billing");
  CHECK(admin.describe_group("billing").members.empty());
  admin.delete_group("billing");
  admin.delete_topic("orders");
  try {
    admin.describe_topic("orders");
    FAIL("nothing was thrown");
  } catch (const Exception& exception) {
    CHECK(exception.code() == KafkaError::unknown_topic_or_partition);
    CHECK(std::string(exception.what()).find("topic orders: UNKNOWN_TOPIC_OR_PARTITION (3)") == 0);
  }
}

TEST_CASE("a partition that is not there is told from one without a leader") {
  server::TestServer server;
  server.create_topic("orders", 2);
  ClientOptions options = leat::options_for(server);
  options.operation_timeout = std::chrono::milliseconds(1);
  Admin admin(options);
  for (Partition missing : {Partition{"nothing", 0}, Partition{"orders", 2}}) {
    auto is_missing = [&](const std::function<void()>& call) {
      try {
        call();
      } catch (const Exception& exception) {
        std::string place = fmt::format("{}/{}: ", missing.topic, missing.number);
        CHECK(std::string(exception.what()) == place + "there is no such partition");
        return exception.code() == KafkaError::unknown_topic_or_partition;
      }
      return false;
    };
    CHECK(is_missing([&] { admin.list_offsets({{missing}}); }));
    CHECK(is_missing([&] { admin.delete_records({{missing, -1}}); }));
  }
}

TEST_CASE("something else than a broker is named by its address") {
  server::TestServer server;
  ClientOptions options;
  options.brokers = server.server().http_address()->to_string();
  try {
    Admin(options).list_topics();
    FAIL("nothing was thrown");
  } catch (const Exception& exception) {
    CHECK(exception.code() == ClientError::malformed);
    CHECK(std::string(exception.what()).find(options.brokers + ": ") == 0);
  }
}

TEST_CASE("a blocking producer sends, queues and flushes, also in transactions") {
  server::TestServer server;
  server.create_topic("orders");
  ClientOptions options = leat::options_for(server);
  ProducerOptions producer_options;
  std::atomic<std::int64_t> delivered{0};
  producer_options.on_delivery = [&](const BatchDelivery& batch) {
    if (!batch.error) delivered += batch.record_count;
  };
  OutRecord record;
  record.topic = "orders";
  record.value = "x";
  {
    Producer producer(options, producer_options);
    CHECK(producer.partition_count("orders") == 1);
    CHECK(producer.send(record).offset == 0);
    for (int i = 0; i < 1000; ++i) producer.enqueue(record);
    CHECK(producer.try_send(record));
    producer.flush();
    CHECK(delivered == 1002);
    record.topic = "not a topic";
    CHECK_THROWS_AS(producer.send(record), Exception);
  }
  record.topic = "orders";
  producer_options.transactional_id = "till";
  Producer producer(options, producer_options);
  producer.begin();
  producer.enqueue(record);
  producer.send_offsets({{{"orders", 0}, 5}}, {"billing", -1, "", std::nullopt});
  producer.commit();
  Admin admin(options);
  // It is decided; its markers are on their way.
  CHECK(server::wait_for([&] {
    auto offsets = admin.group_offsets("billing");
    return !offsets.empty() && offsets[0].offset == 5;
  }));
  // The records and the marker.
  CHECK(server::wait_for([&] { return admin.list_offsets({{{"orders", 0}}}).at(0) == 1004; }));
  producer.begin();
  producer.enqueue(record);
  producer.abort();
}

TEST_CASE(
    "offsets that no group could commit are refused, and a transaction goes on without them") {
  server::TestServer server;
  server.create_topic("orders");
  ClientOptions options = leat::options_for(server);
  ProducerOptions transactional;
  transactional.transactional_id = "till";
  Producer producer(options, transactional);
  GroupMetadata member{"billing", -1, "", std::nullopt};
  auto send = [&](CommittedOffset offset, GroupMetadata who) -> std::error_code {
    try {
      producer.send_offsets({std::move(offset)}, std::move(who));
    } catch (const Exception& exception) {
      return exception.code();
    }
    return {};
  };
  producer.begin();
  CHECK(send({{"orders", 0}, 4}, {}) == ClientError::invalid_argument);
  CHECK(send({{"orders", 0}, -1}, member) == ClientError::invalid_argument);
  CHECK(send({{"orders", 0}, 4, std::string(40'000, 'x')}, member) ==
        ClientError::invalid_argument);
  CHECK_FALSE(send({{"orders", 0}, 4}, member));
  producer.commit();
  // Its markers come behind the answer.
  Admin admin(options);
  std::vector<CommittedOffset> committed;
  while (committed.empty()) committed = admin.group_offsets("billing");
  CHECK(committed.at(0).offset == 4);
}

TEST_CASE("a request to stop ends a call that waits") {
  FakeCluster fake(1);
  never_answer(fake);
  std::stop_source stop;
  ClientOptions options = options_for(fake);
  options.stop = stop.get_token();
  Admin admin(options);
  std::thread stopper([&] {
    while (fake.requests(ApiKey::metadata) == 0) std::this_thread::yield();
    stop.request_stop();
  });
  try {
    admin.list_topics();
    FAIL("nothing was thrown");
  } catch (const Exception& exception) {
    CHECK(exception.code() == ClientError::cancelled);
  }
  stopper.join();
}

TEST_CASE("a request to stop ends a producer that waits for room") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  fake.set_faults([](ApiKey key, int) {
    return Fault{key == ApiKey::produce ? Fault::Kind::never : Fault::Kind::none, ErrorCode::none};
  });
  std::stop_source stop;
  ClientOptions options = options_for(fake);
  options.stop = stop.get_token();
  ProducerOptions producer_options;
  producer_options.batch_bytes = producer_options.buffer_bytes = 10;
  Producer producer(options, producer_options);
  OutRecord record;
  record.topic = "orders";
  record.value = "x";
  std::thread stopper([&] {
    while (fake.requests(ApiKey::produce) == 0) std::this_thread::yield();
    stop.request_stop();
  });
  try {
    while (true) producer.enqueue(record);
  } catch (const Exception& exception) {
    CHECK(exception.code() == ClientError::cancelled);
  }
  stopper.join();
}

TEST_CASE("a blocking object that moved goes on, and any may end at any time") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  Admin first(options_for(fake));
  CHECK(first.list_topics().size() == 1);
  Admin second(std::move(first));
  CHECK(second.list_topics().size() == 1);
  second = Admin(options_for(fake));
  CHECK(second.list_topics().size() == 1);
  Admin unused(options_for(fake));
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::blocking
