// Raises alerts when cards look stolen, each exactly once: detector HOST:PORT NAME
//
//   g++ -std=c++20 detector.cpp $(pkg-config --cflags --libs leat) -lboost_json -o detector
//
// Reads `transactions`, keyed by customer, and writes `fraud-alerts`; fraud.h has the rule. Start
// several, each with a NAME of its own, and they share the partitions. The alerts of one poll and
// how far it came are one transaction: whatever is killed whenever, readers of committed records
// see each alert once. Committed is where the windows begin, with how far was judged as metadata:
// so whoever goes on with a partition fills its windows again, and raises nothing twice. After an
// error all is forgotten, and it goes on from what is committed.
#include <leat/client.h>

#include <boost/asio.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "fraud.h"

namespace asio = boost::asio;
using namespace std::chrono_literals;

volatile std::sig_atomic_t is_over = 0;

asio::awaitable<void> detect(leat::ClientOptions connect, std::string name) {
  auto executor = co_await asio::this_coro::executor;
  fraud::Judge judge;
  leat::ConsumerOptions reading;
  reading.group = "fraud";
  reading.group_instance_id = name;  // started again, it finds its partitions again
  reading.session_timeout = 6s;      // and if it is not, another one is given them
  reading.offset_reset = leat::OffsetReset::earliest;
  reading.auto_commit = false;
  reading.on_revoked = [&](auto partitions, bool) { judge.leave(partitions); };
  leat::Consumer consumer(executor, connect, reading);
  consumer.subscribe({"transactions"});
  leat::ProducerOptions writing{.transactional_id = name, .transaction_timeout = 10s};
  leat::Producer producer(executor, connect, writing);

  while (!is_over) {
    leat::Records records = co_await consumer.async_poll_for(200ms);
    if (records.empty()) continue;
    co_await producer.async_begin();
    for (const leat::InRecord& record : records) {
      leat::Partition partition{std::string(record.topic), record.partition};
      if (!judge.knows(partition)) {
        auto committed = co_await consumer.async_committed();
        judge.take(partition, committed);
      }
      std::optional<std::string> alert = judge.judge(partition, record);
      if (!alert) continue;
      co_await producer.async_enqueue(
          {.topic = "fraud-alerts", .key = record.key, .value = *alert});
    }
    auto progress = judge.progress();
    auto member = co_await consumer.async_group_metadata();
    co_await producer.async_send_offsets(progress, member);
    co_await producer.async_commit();
  }
  co_await consumer.async_close();
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  for (int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { is_over = 1; });
  while (!is_over) {
    try {
      asio::io_context context;
      asio::co_spawn(context, detect({.brokers = arguments[1]}, arguments[2]), [](auto thrown) {
        if (thrown) std::rethrow_exception(thrown);
      });
      context.run();
    } catch (const leat::Exception& exception) {
      std::fprintf(stderr, "%s\n", exception.what());
      std::this_thread::sleep_for(1s);
    }
  }
}
