// What pipelines read of topics that are written in transactions.
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "leat/blocking.h"
#include "record/batch.h"
#include "record/record.h"
#include "server/peer.h"
#include "stream/broker_topics.h"

TEST_SUITE_BEGIN("client");

using namespace leat;

namespace {

/// The values that a pipeline may see, by offset.
std::vector<std::string> readable_values(stream::TopicReader& reader) {
  std::vector<std::string> values;
  Offset next = reader.readable()->at(0).start;
  while (next < *reader.known_end(PartitionId{0})) {
    auto batches = reader.read(PartitionId{0}, next, 1);
    REQUIRE_MESSAGE(batches.has_value(), batches.error().what);
    BytesView left = batches->bytes;
    while (!left.empty()) {
      auto batch = record::BatchView::parse(left);
      left = left.subspan(batch->size_bytes());
      next = batch->next_offset();
      if (batch->is_control()) continue;
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        values.push_back(std::to_string(record->offset.value()) + ":" +
                         std::string(as_text(*record->value)));
      }
    }
  }
  return values;
}

class Transactions {
 public:
  Transactions() {
    server_.create_topic("orders");
    topics_.emplace(server_.server().broker());
    reader_ = *topics_->open(*topics_->find_topic("orders"));
  }

  blocking::Producer producer(const std::string& id) {
    ClientOptions client;
    client.brokers = server_.server().kafka_address().to_string();
    ProducerOptions options;
    options.transactional_id = id;
    return blocking::Producer(client, options);
  }
  stream::TopicReader& reader() { return *reader_; }

 private:
  server::TestServer server_;
  std::optional<stream::BrokerTopics> topics_;
  std::unique_ptr<stream::TopicReader> reader_;
};

OutRecord order(const std::string& value) {
  OutRecord record;
  record.topic = "orders";
  record.value = value;
  return record;
}

}  // namespace

TEST_CASE("pipelines see neither records of aborted transactions nor of open ones") {
  Transactions all;
  auto producer = all.producer("first");
  auto transaction = [&](const std::string& value, bool commits) {
    producer.begin();
    producer.send(order(value));
    commits ? producer.commit() : producer.abort();
  };
  transaction("kept", true);
  transaction("given up", false);
  transaction("kept too", true);
  auto other = all.producer("second");
  other.begin();
  other.send(order("open"));
  transaction("behind an open one", true);
  std::vector<std::string> committed{"0:kept", "4:kept too"};
  CHECK(readable_values(all.reader()) == committed);

  other.commit();
  committed.insert(committed.end(), {"6:open", "7:behind an open one"});
  while (readable_values(all.reader()).size() < committed.size()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(readable_values(all.reader()) == committed);
}

TEST_CASE("who waits for a record in an open transaction is woken when that has ended") {
  Transactions all;
  auto producer = all.producer("first");
  producer.begin();
  producer.send(order("x"));
  std::atomic<bool> woken{false};
  all.reader().when_readable(PartitionId{0}, Offset{0}, [&] {
    woken = true;
    woken.notify_all();
  });
  CHECK(!woken);
  producer.commit();
  woken.wait(false);
  CHECK(readable_values(all.reader()) == std::vector<std::string>{"0:x"});
}

TEST_SUITE_END();
