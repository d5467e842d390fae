// detector.cpp for programs without an event loop: detector_blocking HOST:PORT NAME
//
//   g++ -std=c++20 detector_blocking.cpp $(pkg-config --cflags --libs leat) -lboost_json
#include <leat/blocking.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "fraud.h"

using namespace std::chrono_literals;

volatile std::sig_atomic_t is_over = 0;

void detect(const leat::ClientOptions& connect, const std::string& name) {
  fraud::Judge judge;
  leat::ConsumerOptions reading;
  reading.group = "fraud";
  reading.group_instance_id = name;  // started again, it finds its partitions again
  reading.session_timeout = 6s;      // and if it is not, another one is given them
  reading.offset_reset = leat::OffsetReset::earliest;
  reading.auto_commit = false;
  reading.on_revoked = [&](auto partitions, bool) { judge.leave(partitions); };
  leat::blocking::Consumer consumer(connect, reading);
  consumer.subscribe({"transactions"});
  leat::ProducerOptions writing{.transactional_id = name, .transaction_timeout = 10s};
  leat::blocking::Producer producer(connect, writing);

  while (!is_over) {
    leat::Records records = consumer.poll(200ms);
    if (records.empty()) continue;
    producer.begin();
    for (const leat::InRecord& record : records) {
      leat::Partition partition{std::string(record.topic), record.partition};
      if (!judge.knows(partition)) judge.take(partition, consumer.committed());
      std::optional<std::string> alert = judge.judge(partition, record);
      if (alert) producer.enqueue({.topic = "fraud-alerts", .key = record.key, .value = *alert});
    }
    producer.send_offsets(judge.progress(), consumer.group_metadata());
    producer.commit();
  }
  consumer.close();
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  for (int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { is_over = 1; });
  while (!is_over) {
    try {
      detect({.brokers = arguments[1]}, arguments[2]);
    } catch (const leat::Exception& exception) {
      std::fprintf(stderr, "%s\n", exception.what());
      std::this_thread::sleep_for(1s);
    }
  }
}
