// How operations of public objects end: by every kind of token, cancelled, and with their objects
// and contexts destroyed under them.
#include "leat/client.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <optional>
#include <stop_token>
#include <thread>

#include "fake_cluster.h"

namespace leat {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using client::FakeCluster;
using client::Fault;
using client::quick_options;
using namespace std::chrono_literals;
using wire::ApiKey;
using wire::ErrorCode;

void never_answer(FakeCluster& fake) {
  fake.set_faults([](ApiKey, int) { return Fault{Fault::Kind::never, ErrorCode::none}; });
}

/// Runs `context` until `done`.
void run_until(asio::io_context& context, const std::function<bool()>& done) {
  context.restart();
  while (!done()) context.run_one_for(10ms);
}

TEST_SUITE_BEGIN("client");

TEST_CASE("a callback gets the error code and the value, never within the call") {
  FakeCluster fake(1);
  fake.add_topic("orders", 3);
  asio::io_context context;
  Admin admin(context.get_executor(), quick_options(fake));
  std::optional<TopicDescription> described;
  bool has_begun = false;
  admin.async_describe_topic("orders", [&](error_code code, TopicDescription topic) {
    CHECK(has_begun);
    CHECK_FALSE(code);
    described = std::move(topic);
  });
  has_begun = true;
  std::optional<error_code> refused;
  admin.async_describe_topic("nothing", [&](error_code code, TopicDescription topic) {
    refused = code;
    CHECK(topic.partitions.empty());
  });
  run_until(context, [&] { return described && refused; });
  CHECK(described->partitions.size() == 3);
  CHECK(*refused == KafkaError::unknown_topic_or_partition);
}

TEST_CASE("a coroutine gets the value, or an exception that says what happened") {
  FakeCluster fake(1);
  fake.add_topic("orders", 3);
  asio::io_context context;
  Admin admin(context.get_executor(), quick_options(fake));
  std::string thrown;
  bool is_done = false;
  auto use = [&]() -> asio::awaitable<void> {
    TopicDescription topic = co_await admin.async_describe_topic("orders");
    CHECK(topic.partitions.size() == 3);
    std::vector<TopicDescription> all = co_await admin.async_list_topics(asio::use_awaitable);
    CHECK(all.size() == 1);
    try {
      co_await admin.async_describe_topic("nothing");
    } catch (const Exception& exception) {
      CHECK(exception.code() == KafkaError::unknown_topic_or_partition);
      thrown = exception.what();
    }
    auto tuple = asio::as_tuple(asio::use_awaitable);
    auto [code, nothing] = co_await admin.async_describe_topic("nothing", tuple);
    CHECK(code == KafkaError::unknown_topic_or_partition);
    Diagnostics diagnostics;
    auto token = redirect_diagnostics(tuple, diagnostics);
    auto [same_code, still_nothing] = co_await admin.async_describe_topic("nothing", token);
    CHECK(same_code == code);
    CHECK(diagnostics.text == thrown);
    auto [no_code, there] = co_await admin.async_describe_topic("orders", token);
    CHECK_FALSE(no_code);
    CHECK(diagnostics.text.empty());
    is_done = true;
  };
  asio::co_spawn(context, use(), asio::detached);
  run_until(context, [&] { return is_done; });
  CHECK(thrown.find("topic nothing: UNKNOWN_TOPIC_OR_PARTITION (3) from broker 127.0.0.1:") == 0);
}

TEST_CASE("futures and deferred operations work, and the latter begin when they are started") {
  FakeCluster fake(1);
  fake.add_topic("orders", 3);
  asio::io_context context;
  auto work = asio::make_work_guard(context);
  std::thread thread([&] { context.run(); });
  {
    Admin admin(context.get_executor(), quick_options(fake));
    CHECK(admin.async_describe_topic("orders", asio::use_future).get().name == "orders");
    auto refused = admin.async_describe_topic("nothing", with_diagnostics(asio::use_future));
    CHECK_THROWS_AS(refused.get(), Exception);
    CHECK_THROWS_AS(admin.async_describe_topic("nothing", asio::use_future).get(),
                    boost::system::system_error);
    int asked = fake.requests(ApiKey::metadata);
    auto later = admin.async_describe_topic("orders", asio::deferred);
    CHECK(fake.requests(ApiKey::metadata) == asked);
    CHECK(std::move(later)(asio::use_future).get().name == "orders");
    admin.async_list_topics(asio::detached);
  }
  work.reset();
  thread.join();
}

TEST_CASE("the completion runs on its own executor, which is kept at work") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  asio::thread_pool pool(1);
  asio::io_context other;
  Admin admin(pool.get_executor(), quick_options(fake));
  std::thread::id ran_on;
  admin.async_list_topics(asio::bind_executor(
      other,
      [&](error_code, std::vector<TopicDescription>) { ran_on = std::this_thread::get_id(); }));
  other.run();
  CHECK(ran_on == std::this_thread::get_id());
  admin.close();
  pool.join();
}

TEST_CASE("one operation is cancelled by its slot, the others go on") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  never_answer(fake);
  asio::io_context context;
  Admin admin(context.get_executor(), quick_options(fake));
  asio::cancellation_signal signal;
  std::optional<error_code> cancelled;
  std::optional<error_code> other;
  admin.async_create_topic({"new"}, asio::bind_cancellation_slot(
                                        signal.slot(), [&](error_code code) { cancelled = code; }));
  admin.async_list_topics([&](error_code code, std::vector<TopicDescription>) { other = code; });
  run_until(context, [&] { return fake.requests(ApiKey::metadata) > 0; });
  signal.emit(asio::cancellation_type::terminal);
  CHECK_FALSE(cancelled);
  run_until(context, [&] { return cancelled.has_value(); });
  CHECK(*cancelled == ClientError::cancelled);
  // The broker may make the topic all the same.
  CHECK(possibly_persisted(*cancelled));
  CHECK_FALSE(other);
  // What comes too late has no effect.
  signal.emit(asio::cancellation_type::terminal);
  admin.close();
  run_until(context, [&] { return other.has_value(); });
  CHECK(*other == ClientError::cancelled);
  CHECK_FALSE(possibly_persisted(*other));
}

TEST_CASE("closing and destroying end what is under way, soon") {
  FakeCluster fake(1);
  never_answer(fake);
  for (bool destroys : {false, true}) {
    asio::io_context context;
    std::optional<Admin> admin(std::in_place, context.get_executor(), quick_options(fake));
    int ended = 0;
    auto count = [&](error_code code, std::vector<TopicDescription>) {
      CHECK(code == ClientError::cancelled);
      ++ended;
    };
    int asked = fake.requests(ApiKey::metadata);
    admin->async_list_topics(count);
    admin->async_list_topics(count);
    if (destroys) {
      run_until(context, [&] { return fake.requests(ApiKey::metadata) > asked; });
      admin.reset();
    } else {
      admin->close();
      admin->async_list_topics(count);
    }
    context.restart();
    context.run();
    CHECK(ended == (destroys ? 2 : 3));
  }
}

TEST_CASE("a request to stop ends what is under way and what is begun") {
  FakeCluster fake(1);
  never_answer(fake);
  std::stop_source stop;
  ClientOptions options = quick_options(fake);
  options.stop = stop.get_token();
  asio::io_context context;
  Admin admin(context.get_executor(), options);
  int ended = 0;
  auto count = [&](error_code code, std::vector<TopicDescription>) {
    CHECK(code == ClientError::cancelled);
    ++ended;
  };
  admin.async_list_topics(count);
  run_until(context, [&] { return fake.requests(ApiKey::metadata) > 0; });
  stop.request_stop();
  admin.async_list_topics(count);
  context.restart();
  context.run();
  CHECK(ended == 2);
}

TEST_CASE("an object may outlive the context, with operations in any state") {
  FakeCluster fake(1);
  never_answer(fake);
  for (int steps = 0; steps < 12; ++steps) {
    std::optional<Admin> admin;
    auto alive = std::make_shared<int>();
    {
      asio::io_context context;
      // With an executor that has a state of its own in the context.
      admin.emplace(asio::make_strand(context), quick_options(fake));
      admin->async_list_topics([alive](error_code, std::vector<TopicDescription>) {
        FAIL("a completion ran when nobody ran its context");
      });
      for (int step = 0; step < steps && fake.requests(ApiKey::metadata) < steps; ++step)
        context.run_one_for(5ms);
      context.stop();
    }
    // The completion was destroyed with the context, and what it held.
    CHECK(alive.use_count() == 1);
    admin.reset();
  }
}

TEST_CASE("an object that moved away holds nothing, one that is moved to goes on") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  asio::io_context context;
  std::optional<Admin> admin;
  {
    Admin first(context.get_executor(), quick_options(fake));
    admin.emplace(std::move(first));
  }
  bool is_done = false;
  admin->async_list_topics([&](error_code code, std::vector<TopicDescription> topics) {
    CHECK_FALSE(code);
    CHECK(topics.size() == 1);
    is_done = true;
  });
  run_until(context, [&] { return is_done; });
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
