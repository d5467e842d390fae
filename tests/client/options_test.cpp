// Options that make no sense.
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "leat/blocking.h"
#include "leat/client.h"

namespace leat {
namespace {

using namespace std::chrono_literals;

struct All {
  ClientOptions client;
  ProducerOptions producer;
  ConsumerOptions consumer;
};

struct Row {
  std::string text;
  std::function<void(All&)> spoil;
};

const std::vector<Row> of_client{
    {"x:y", [](All& all) { all.client.brokers = "x:y"; }},
    {"ClientOptions::connect_timeout", [](All& all) { all.client.connect_timeout = 0ms; }},
    {"ClientOptions::request_timeout", [](All& all) { all.client.request_timeout = -1ms; }},
    {"ClientOptions::operation_timeout", [](All& all) { all.client.operation_timeout = 0ms; }},
    {"ClientOptions::request_timeout", [](All& all) { all.client.request_timeout = 1000h; }},
    {"ClientOptions::retry_backoff ", [](All& all) { all.client.retry_backoff = 0ms; }},
    {"ClientOptions::retry_backoff ", [](All& all) { all.client.retry_backoff = 2s; }},
    {"ClientOptions::retry_backoff_max", [](All& all) { all.client.retry_backoff_max = 0ms; }},
    {"ClientOptions::max_response_bytes", [](All& all) { all.client.max_response_bytes = 0; }},
};

const std::vector<Row> of_producer{
    {"ProducerOptions::transactional_id needs idempotence",
     [](All& all) {
       all.producer.transactional_id = "till";
       all.producer.idempotence = false;
     }},
    {"ProducerOptions::transaction_timeout",
     [](All& all) { all.producer.transaction_timeout = 0ms; }},
    {"ProducerOptions::batch_bytes", [](All& all) { all.producer.batch_bytes = 0; }},
    {"ProducerOptions::linger", [](All& all) { all.producer.linger = -1ms; }},
    {"ProducerOptions::request_bytes", [](All& all) { all.producer.request_bytes = 0; }},
    {"ProducerOptions::delivery_timeout", [](All& all) { all.producer.delivery_timeout = 0ms; }},
    {"ProducerOptions::buffer_bytes", [](All& all) { all.producer.buffer_bytes = 0; }},
};

const std::vector<Row> of_consumer{
    {"ConsumerOptions::group", [](All& all) { all.consumer.group = ""; }},
    {"ConsumerOptions::group_instance_id",
     [](All& all) {
       all.consumer.group = "";
       all.consumer.group_instance_id = "one";
     }},
    {"ConsumerOptions::assignors", [](All& all) { all.consumer.assignors = {}; }},
    {"ConsumerOptions::session_timeout", [](All& all) { all.consumer.session_timeout = 0ms; }},
    {"ConsumerOptions::heartbeat_interval",
     [](All& all) { all.consumer.heartbeat_interval = 0ms; }},
    {"ConsumerOptions::heartbeat_interval",
     [](All& all) { all.consumer.heartbeat_interval = all.consumer.session_timeout; }},
    {"ConsumerOptions::max_poll_interval", [](All& all) { all.consumer.max_poll_interval = 0ms; }},
    {"ConsumerOptions::auto_commit_interval",
     [](All& all) { all.consumer.auto_commit_interval = 0ms; }},
    {"ConsumerOptions::fetch_wait", [](All& all) { all.consumer.fetch_wait = -1ms; }},
    {"ConsumerOptions::fetch_bytes", [](All& all) { all.consumer.fetch_bytes = 0; }},
    {"ConsumerOptions::partition_fetch_bytes",
     [](All& all) { all.consumer.partition_fetch_bytes = std::size_t{1} << 31; }},
    {"ConsumerOptions::prefetch_bytes", [](All& all) { all.consumer.prefetch_bytes = 0; }},
    {"ConsumerOptions::unreachable_timeout",
     [](All& all) { all.consumer.unreachable_timeout = 0ms; }},
};

/// What every operation of an object with these options has to end with.
void check_refused(const std::string& text, const std::function<void()>& operation) {
  CAPTURE(text);
  try {
    operation();
    FAIL_CHECK("nothing was thrown");
  } catch (const Exception& exception) {
    CHECK(exception.code() == ClientError::invalid_argument);
    CHECK(std::string(exception.what()).find(text) != std::string::npos);
  }
}

TEST_SUITE_BEGIN("client");

TEST_CASE("an option that makes no sense fails the first operation, by its name") {
  for (const auto* rows : {&of_client, &of_producer, &of_consumer}) {
    for (const auto& [text, spoil] : *rows) {
      All all;
      all.consumer.group = "billing";
      spoil(all);
      bool is_of_all = rows == &of_client;
      if (is_of_all) {
        blocking::Admin admin(all.client);
        check_refused(text, [&] { admin.list_topics(); });
      }
      if (is_of_all || rows == &of_producer) {
        blocking::Producer producer(all.client, all.producer);
        OutRecord record{"orders", "k", "v"};
        if (!all.producer.transactional_id.empty()) {
          check_refused(text, [&] { producer.begin(); });
          continue;
        }
        check_refused(text, [&] { producer.send(record); });
        check_refused(text, [&] { producer.enqueue(record); });
      }
      if (is_of_all || rows == &of_consumer) {
        blocking::Consumer consumer(all.client, all.consumer);
        consumer.subscribe({"orders"});
        check_refused(text, [&] { consumer.poll(); });
        check_refused(text, [&] { consumer.poll(1ms); });
      }
    }
  }
}

TEST_CASE("an operation with a completion token is told of options as well") {
  boost::asio::io_context context;
  ConsumerOptions options;
  options.prefetch_bytes = 0;
  Consumer consumer(context.get_executor(), {}, options);
  consumer.assign({{{"orders", 0}, 0}});
  boost::system::error_code told;
  consumer.async_poll([&](boost::system::error_code code, Records) { told = code; });
  context.run();
  CHECK(told == ClientError::invalid_argument);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
