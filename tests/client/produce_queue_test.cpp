#include "client/produce_queue.h"

#include <doctest/doctest.h>

#include <fmt/core.h>

#include <algorithm>

#include "record/batch.h"
#include "record/partitioner.h"
#include "record/record.h"

namespace leat::client {
namespace {

using namespace std::chrono_literals;
using wire::ErrorCode;
using Batch = ProduceQueue::Batch;
using Requests = std::vector<ProduceQueue::Request>;

const Error some_error{Errc::connection_failed, "t/0: lost"};

/// A queue with one topic, "t", whose partitions are all led by broker 1 unless said otherwise.
struct Producing {
  explicit Producing(ProducerOptions options = {}, int partitions = 1)
      : queue(options, {10ms, 100ms}, Random(1)) {
    queue.set_producer({ProducerId{7}, 0});
    queue.set_topic("t", partitions);
  }
  bool append(std::string_view value, int partition = 0) {
    OutRecord record;
    record.value = as_bytes(value);
    record.partition = partition;
    auto wake = queue.append("t", record, now);
    REQUIRE(wake);
    return *wake;
  }
  ProduceQueue::Ready take() {
    return queue.take(now, [this](std::string_view, std::int32_t) { return leader; });
  }
  /// The only batch that is ready. REQUIRES: there is one.
  Batch take_one() {
    auto ready = take();
    REQUIRE(ready.requests.size() == 1);
    REQUIRE(ready.requests[0].batches.size() == 1);
    Batch batch = std::move(ready.requests[0].batches[0]);
    batch.seal(record::Compression::none);
    return batch;
  }
  bool ready() { return !take().requests.empty(); }
  Delivery acknowledge(Batch batch, std::int64_t base_offset) {
    auto delivery =
        queue.answered(std::move(batch), {ErrorCode::none, base_offset, -1, some_error}, now);
    REQUIRE(delivery);
    CHECK_FALSE(delivery->error);
    CHECK(delivery->base_offset == base_offset);
    return std::move(*delivery);
  }
  std::optional<Delivery> lose(Batch batch) {
    return queue.unanswered(std::move(batch), some_error, true, now);
  }
  std::optional<Delivery> too_large(Batch batch) {
    const Error error{Errc::message_too_large, "t/0: MESSAGE_TOO_LARGE"};
    return queue.answered(std::move(batch), {ErrorCode::message_too_large, -1, -1, error}, now);
  }

  ProduceQueue queue;
  ProduceQueue::Time now = 0ms;
  std::optional<std::int32_t> leader = 1;
};

std::string values(const Batch& batch) {
  auto view = record::BatchView::parse(batch.bytes.view());
  REQUIRE(view);
  CHECK(view->crc_matches());
  std::string out;
  record::RecordIterator records(*view);
  while (const record::Record* record = records.next()) out += as_text(*record->value);
  return out;
}

ProducerOptions linger(std::chrono::milliseconds time) {
  ProducerOptions options;
  options.linger = time;
  return options;
}

TEST_SUITE_BEGIN("client");

TEST_CASE("a batch waits for more until it has lingered") {
  Producing producing(linger(5ms));
  CHECK(producing.append("a"));
  CHECK_FALSE(producing.append("b"));
  auto early = producing.take();
  CHECK(early.requests.empty());
  CHECK(early.next == 5ms);
  producing.now = 5ms;
  CHECK(values(producing.take_one()) == "ab");
}

TEST_CASE("a batch that is full, or flushed, does not linger") {
  ProducerOptions options = linger(1h);
  options.batch_bytes = 100;
  Producing producing(options);
  producing.append(std::string(20, 'a'));
  CHECK(producing.append(std::string(60, 'b')));
  CHECK(values(producing.take_one()) == std::string(20, 'a'));
  Producing flushed(linger(1h));
  flushed.append("a");
  flushed.queue.flush();
  CHECK(values(flushed.take_one()) == "a");
}

TEST_CASE("for room what fills is sent only where nothing else makes room") {
  Producing producing(linger(1h), 2);
  producing.append("a", 0);
  CHECK(producing.queue.flush_for_room());
  CHECK_FALSE(producing.queue.flush_for_room());
  Batch first = producing.take_one();
  producing.append("b", 1);
  CHECK_FALSE(producing.queue.flush_for_room());
  CHECK_FALSE(producing.ready());
  producing.acknowledge(std::move(first), 0);
  CHECK(producing.queue.flush_for_room());
  CHECK(values(producing.take_one()) == "b");
}

TEST_CASE("without idempotence one batch of a partition is under way, and the next one fills") {
  ProducerOptions options = linger(0ms);
  options.idempotence = false;
  Producing producing(options);
  producing.append("a");
  Batch first = producing.take_one();
  producing.append("b");
  CHECK_FALSE(producing.ready());
  producing.append("c");
  producing.acknowledge(std::move(first), 0);
  CHECK(values(producing.take_one()) == "bc");
}

TEST_CASE("partitions do not wait for each other") {
  Producing producing(linger(0ms), 2);
  producing.append("a", 0);
  Batch first = producing.take_one();
  producing.append("b", 1);
  CHECK(values(producing.take_one()) == "b");
}

TEST_CASE("a batch that failed is sent again before those behind it") {
  Producing producing(linger(0ms));
  producing.append("a");
  Batch first = producing.take_one();
  producing.append("b");
  CHECK_FALSE(producing.lose(std::move(first)));
  CHECK_FALSE(producing.ready());
  producing.now += 12ms;  // the backoff, and a fifth of it
  Batch again = producing.take_one();
  CHECK(values(again) == "a");
  CHECK(again.attempts == 1);
  producing.acknowledge(std::move(again), 0);
  CHECK(values(producing.take_one()) == "b");
}

TEST_CASE("each further attempt waits longer, up to a bound") {
  Producing producing(linger(0ms));
  producing.append("a");
  std::vector<std::int64_t> waits;
  for (int attempt = 0; attempt < 8; ++attempt) {
    Batch batch = producing.take_one();
    CHECK_FALSE(producing.lose(std::move(batch)));
    auto next = producing.take().next;
    REQUIRE(next);
    waits.push_back(
        std::chrono::duration_cast<std::chrono::milliseconds>(*next - producing.now).count());
    producing.now = *next;
  }
  const std::int64_t expected[] = {10, 20, 40, 80, 100, 100, 100, 100};
  for (int i = 0; i < 8; ++i) {
    CHECK(waits[i] >= expected[i] * 8 / 10 - 1);
    CHECK(waits[i] <= expected[i] * 12 / 10);
  }
}

TEST_CASE("a batch is given up when its time is over, sent or not") {
  ProducerOptions options = linger(0ms);
  options.delivery_timeout = 1s;
  Producing producing(options);
  producing.append("a");
  Batch batch = producing.take_one();
  producing.now = 995ms;
  auto given_up = producing.lose(std::move(batch));
  REQUIRE(given_up);
  CHECK(given_up->possibly_persisted);
  CHECK(given_up->error->what == "t/0: lost (after 1 attempts)");

  producing.leader = std::nullopt;
  producing.append("b");
  producing.append("c");
  CHECK(producing.take().needs_leader);
  producing.now = 1995ms;
  auto expired = producing.take().expired;
  REQUIRE(expired.size() == 1);
  CHECK(expired[0].record_count == 2);
  CHECK_FALSE(expired[0].possibly_persisted);
  CHECK(expired[0].error->code == Errc::request_timed_out);
  CHECK(producing.queue.pending_records() == 0);
  CHECK(producing.queue.buffered_bytes() == 0);
}

TEST_CASE("a batch that is too large is sent in halves, down to a single record") {
  Producing producing(linger(0ms));
  for (const char* value : {"a", "b", "c"}) producing.append(value);
  CHECK_FALSE(producing.too_large(producing.take_one()));
  CHECK(producing.queue.pending_records() == 3);
  Batch half = producing.take_one();
  CHECK(values(half) == "a");
  producing.acknowledge(std::move(half), 0);
  Batch rest = producing.take_one();
  CHECK(values(rest) == "bc");
  CHECK_FALSE(producing.too_large(std::move(rest)));
  auto refused = producing.too_large(producing.take_one());
  REQUIRE(refused);
  CHECK(refused->error->what == "t/0: MESSAGE_TOO_LARGE");
  producing.acknowledge(producing.take_one(), 1);
  CHECK(producing.queue.pending_records() == 0);
  CHECK(producing.queue.buffered_bytes() == 0);
}

TEST_CASE("who waits for a batch of its own making is told when all of its parts are settled") {
  Producing producing;
  record::BatchBuilder builder;
  for (const char* value : {"a", "b", "c"}) builder.append(0, {}, as_bytes(std::string(value)));
  Bytes built = builder.build();
  auto memory = std::make_shared<std::byte[]>(built.size());
  std::copy(built.begin(), built.end(), memory.get());
  std::vector<std::string> told;
  producing.append("before");
  producing.queue.append_batch(
      "t", 0, {memory, built.size()}, producing.now, [&](const Delivery& delivery, std::int32_t) {
        std::string error = delivery.error ? delivery.error->what : "";
        told.push_back(fmt::format("{}+{} {}", delivery.base_offset.value_or(-1),
                                   delivery.record_count, error));
      });
  producing.append("behind");
  auto tell = [](Delivery delivery) {
    for (Waiter& waiter : delivery.waiters) waiter.done(delivery, waiter.record);
  };
  tell(producing.acknowledge(producing.take_one(), 10));  // what was filling goes first
  CHECK_FALSE(producing.too_large(producing.take_one()));
  SUBCASE("well") {
    tell(producing.acknowledge(producing.take_one(), 11));
    CHECK(told.empty());
    tell(producing.acknowledge(producing.take_one(), 12));
    CHECK(told == std::vector<std::string>{"11+3 "});
  }
  SUBCASE("badly") {
    auto refused = producing.too_large(producing.take_one());
    REQUIRE(refused);
    tell(std::move(*refused));
    CHECK(told.empty());
    tell(producing.acknowledge(producing.take_one(), 11));
    CHECK(told == std::vector<std::string>{"11+3 t/0: MESSAGE_TOO_LARGE"});
  }
}

TEST_CASE("what is not acknowledged takes room") {
  ProducerOptions options = linger(0ms);
  options.buffer_bytes = 200;
  Producing producing(options);
  CHECK(producing.queue.has_room(1000));
  producing.append(std::string(150, 'a'));
  CHECK_FALSE(producing.queue.has_room(100));
  Batch batch = producing.take_one();
  CHECK_FALSE(producing.queue.has_room(100));
  producing.acknowledge(std::move(batch), 0);
  CHECK(producing.queue.has_room(100));
}

TEST_CASE("batches for one broker go in one request, within its bytes") {
  ProducerOptions options = linger(0ms);
  options.request_bytes = 250;
  Producing producing(options, 5);
  for (int partition = 0; partition < 5; ++partition)
    producing.append(std::string(80, 'a'), partition);
  auto ready = producing.take();
  REQUIRE(ready.requests.size() == 3);
  CHECK(ready.requests[0].batches.size() == 2);
  CHECK(ready.requests[1].batches.size() == 2);
  CHECK(ready.requests[2].batches.size() == 1);
}

TEST_CASE("a record goes where its key says, or where it is told") {
  Producing producing(linger(0ms), 7);
  OutRecord record;
  record.key = as_bytes("abc");
  REQUIRE(producing.queue.append("t", record, 0ms));
  auto ready = producing.take();
  REQUIRE(ready.requests.size() == 1);
  CHECK(ProduceQueue::partition_of(ready.requests[0].batches[0]) ==
        record::partition_of_key(as_bytes("abc"), 7).value());
  for (int partition : {-1, 7}) {
    record.partition = partition;
    auto refused = producing.queue.append("t", record, 0ms);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::invalid_argument);
  }
}

TEST_CASE("records without a key stay together until their batch goes") {
  ProducerOptions options = linger(0ms);
  Producing producing(options, 100);
  std::vector<int> partitions;
  for (int batch = 0; batch < 10; ++batch) {
    for (int i = 0; i < 20; ++i) {
      OutRecord record;
      record.value = as_bytes("x");
      REQUIRE(producing.queue.append("t", record, producing.now));
    }
    Batch taken = producing.take_one();
    CHECK(taken.record_count == 20);
    partitions.push_back(ProduceQueue::partition_of(taken));
    producing.acknowledge(std::move(taken), 0);
  }
  std::sort(partitions.begin(), partitions.end());
  CHECK(partitions.front() != partitions.back());
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
