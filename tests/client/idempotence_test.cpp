// Sequences and epochs: what a broker needs to tell a batch that is sent again from a new one.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include "client/produce_queue.h"
#include "client/producer_identity.h"
#include "record/batch.h"
#include "record/record.h"

namespace leat::client {
namespace {

using namespace std::chrono_literals;
using wire::ErrorCode;
using Batch = ProduceQueue::Batch;

const ProducerId id{7};
const Error no_error{Errc::broker_error, ""};

/// A queue with one topic, "t", of one partition, where every record is a batch.
struct Sending {
  explicit Sending(std::int16_t epoch = 0, std::size_t batch_bytes = 1)
      : queue(options(batch_bytes), {10ms, 100ms}, Random(1)) {
    queue.set_topic("t", 1);
    queue.set_producer({id, epoch});
  }
  static ProducerOptions options(std::size_t batch_bytes) {
    ProducerOptions options;
    options.linger = 0ms;
    options.batch_bytes = batch_bytes;
    options.delivery_timeout = 10s;
    return options;
  }
  void append(std::string_view values) {
    for (const char& value : values) {
      OutRecord record;
      record.value = as_bytes(std::string_view(&value, 1));
      record.partition = 0;
      REQUIRE(queue.append("t", record, now));
    }
  }
  /// All that may be sent now, after any backoff.
  std::vector<Batch> take() {
    now += 1s;
    ready = queue.take(now, [this](std::string_view, std::int32_t) { return leader; });
    std::vector<Batch> batches;
    for (auto& request : ready.requests) {
      REQUIRE(request.batches.size() == 1);
      request.batches[0].seal(record::Compression::none);
      batches.push_back(std::move(request.batches[0]));
    }
    return batches;
  }
  Batch take_one() {
    auto batches = take();
    REQUIRE(batches.size() == 1);
    return std::move(batches[0]);
  }
  std::optional<Delivery> answer(Batch batch, ErrorCode code = ErrorCode::none) {
    ProduceAnswer answer;
    answer.code = code;
    answer.base_offset = code == ErrorCode::none ? 100 : -1;
    answer.error = {Errc::broker_error, std::string(wire::name(code))};
    return queue.answered(std::move(batch), std::move(answer), now);
  }
  std::optional<Delivery> lose(Batch batch, bool was_sent = true) {
    return queue.unanswered(std::move(batch), {Errc::connection_failed, "lost"}, was_sent, now);
  }
  /// Sends one record and has it acknowledged, as the first of an epoch must be before others.
  void establish() {
    append("0");
    answer(take_one());
  }
  /// Five batches under way, "a" to "e".
  std::vector<Batch> five() {
    establish();
    append("abcde");
    auto batches = take();
    REQUIRE(batches.size() == 5);
    return batches;
  }

  ProduceQueue queue;
  ProduceQueue::Ready ready;
  ProduceQueue::Time now = 0ms;
  std::optional<std::int32_t> leader = 1;
};

/// "a 3/0": the value, sequence and epoch of a batch.
std::string told(const Batch& batch) {
  auto view = record::BatchView::parse(batch.bytes.view());
  REQUIRE(view);
  CHECK(view->crc_matches());
  CHECK(view->producer_id() == id);
  record::RecordIterator records(*view);
  std::string values;
  while (const record::Record* record = records.next()) values += as_text(*record->value);
  return fmt::format("{} {}/{}", values, view->base_sequence(), view->producer_epoch());
}

std::string told(const std::vector<Batch>& batches) {
  std::string all;
  for (const Batch& batch : batches) all += (all.empty() ? "" : ", ") + told(batch);
  return all;
}

TEST_SUITE_BEGIN("client");

TEST_CASE("five batches of a partition are under way, numbered one after the other") {
  Sending sending;
  sending.establish();
  sending.append("abcdefg");
  auto batches = sending.take();
  CHECK(told(batches) == "a 1/0, b 2/0, c 3/0, d 4/0, e 5/0");
  CHECK(sending.take().empty());
  sending.answer(std::move(batches[0]));
  CHECK(told(sending.take()) == "f 6/0");
}

TEST_CASE("until a broker knows the producer, one batch is under way") {
  Sending sending;
  sending.append("ab");
  Batch first = sending.take_one();
  CHECK(told(first) == "a 0/0");
  CHECK(sending.take().empty());
  CHECK_FALSE(sending.lose(std::move(first)));
  first = sending.take_one();
  CHECK(told(first) == "a 0/0");
  sending.answer(std::move(first));
  CHECK(told(sending.take()) == "b 1/0");
}

TEST_CASE("after a long silence the broker may have forgotten the producer") {
  Sending sending;
  sending.establish();
  sending.now += 6min;
  sending.append("ab");
  Batch first = sending.take_one();
  CHECK(told(first) == "a 1/0");
  CHECK(sending.take().empty());
}

TEST_CASE("nothing is sent without a producer id, which is then asked for") {
  Sending sending;
  sending.queue.set_producer({});
  sending.append("a");
  CHECK(sending.take().empty());
  CHECK(sending.ready.needs_producer);
  sending.queue.set_producer({id, 3});
  CHECK(told(sending.take()) == "a 0/3");
}

TEST_CASE("what failed goes again in order, one by one, with its sequences") {
  Sending sending;
  auto batches = sending.five();
  sending.append("f");
  // The answers for the others may come before, and after.
  CHECK_FALSE(sending.answer(std::move(batches[1]), ErrorCode::out_of_order_sequence_number));
  CHECK(sending.take().empty());
  CHECK_FALSE(sending.lose(std::move(batches[0])));
  CHECK_FALSE(sending.answer(std::move(batches[3]), ErrorCode::out_of_order_sequence_number));
  CHECK_FALSE(sending.lose(std::move(batches[4])));
  CHECK(sending.take().empty());
  CHECK_FALSE(sending.answer(std::move(batches[2]), ErrorCode::out_of_order_sequence_number));
  for (const char* expected : {"a 1/0", "b 2/0", "c 3/0", "d 4/0"}) {
    auto again = sending.take();
    CHECK(told(again) == expected);
    REQUIRE(sending.answer(std::move(again[0])));
  }
  // Those that were never sent do not wait for the last one's answer.
  CHECK(told(sending.take()) == "e 5/0, f 6/0");
}

TEST_CASE("a batch of which nobody knows holds up those over which the broker would forget it") {
  Sending sending;
  auto batches = sending.five();
  sending.append("fg");
  CHECK_FALSE(sending.answer(std::move(batches[0]), ErrorCode::not_enough_replicas_after_append));
  for (int i : {1, 2, 3, 4})
    REQUIRE(sending.answer(std::move(batches[static_cast<std::size_t>(i)])));
  auto again = sending.take();
  CHECK(told(again) == "a 1/0");
  REQUIRE(sending.answer(std::move(again[0])));
  CHECK(told(sending.take()) == "f 6/0, g 7/0");
}

TEST_CASE("a batch that the broker had already is acknowledged, its offset unknown") {
  Sending sending;
  auto batches = sending.five();
  auto delivery = sending.answer(std::move(batches[0]), ErrorCode::duplicate_sequence_number);
  REQUIRE(delivery);
  CHECK_FALSE(delivery->error);
  CHECK_FALSE(delivery->base_offset);
}

TEST_CASE("behind a batch that is refused for good, sequences begin anew in another epoch") {
  Sending sending;
  auto batches = sending.five();
  auto refused = sending.answer(std::move(batches[1]), ErrorCode::invalid_record);
  REQUIRE(refused);
  CHECK_FALSE(refused->possibly_persisted);
  REQUIRE(sending.answer(std::move(batches[0])));
  for (int i = 2; i < 5; ++i) {
    CHECK(sending.take().empty());
    CHECK_FALSE(sending.answer(std::move(batches[static_cast<std::size_t>(i)]),
                               ErrorCode::out_of_order_sequence_number));
  }
  CHECK(told(sending.take()) == "c 0/1, d 1/1, e 2/1");
}

TEST_CASE("what may be there keeps its sequence until its fate is known") {
  Sending sending;
  auto batches = sending.five();
  REQUIRE(sending.answer(std::move(batches[0]), ErrorCode::invalid_record));
  for (int i : {1, 2, 3, 4})
    CHECK_FALSE(sending.lose(std::move(batches[static_cast<std::size_t>(i)])));
  // A broker that forgot the producer may have taken it all the same.
  auto again = sending.take();
  CHECK(told(again) == "b 2/0");
  REQUIRE(sending.answer(std::move(again[0])));
  again = sending.take();
  CHECK(told(again) == "c 3/0");
  CHECK_FALSE(sending.answer(std::move(again[0]), ErrorCode::out_of_order_sequence_number));
  // So c is not there, nor can anything behind it be.
  CHECK(told(sending.take()) == "c 0/1, d 1/1, e 2/1");
}

TEST_CASE("the broker lost what it had acknowledged: what follows goes on in another epoch") {
  for (auto code : {ErrorCode::out_of_order_sequence_number, ErrorCode::unknown_producer_id}) {
    Sending sending;
    sending.establish();
    sending.append("a");
    CHECK_FALSE(sending.answer(sending.take_one(), code));
    CHECK(told(sending.take()) == "a 0/1");
  }
}

TEST_CASE("what a broker that forgot the producer may have is not sent under another sequence") {
  Sending sending;
  sending.establish();
  sending.append("a");
  CHECK_FALSE(sending.lose(sending.take_one()));
  auto given_up = sending.answer(sending.take_one(), ErrorCode::unknown_producer_id);
  REQUIRE(given_up);
  CHECK(given_up->error);
  CHECK(given_up->possibly_persisted);
  sending.append("b");
  CHECK(told(sending.take()) == "b 0/1");
}

TEST_CASE(
    "a batch whose time is over, and that may be there, takes a doubtful one behind it along") {
  Sending sending;
  sending.establish();
  sending.append("ab");
  auto batches = sending.take();
  CHECK_FALSE(sending.lose(std::move(batches[0])));
  CHECK_FALSE(sending.lose(std::move(batches[1])));
  Batch again = sending.take_one();
  CHECK(told(again) == "a 1/0");
  sending.now = 10995ms;
  auto given_up = sending.lose(std::move(again));
  REQUIRE(given_up);
  CHECK(given_up->possibly_persisted);
  // b is over as well, a moment later; c is not.
  sending.append("c");
  auto next = sending.take();
  REQUIRE(sending.ready.expired.size() == 1);
  CHECK(sending.ready.expired[0].possibly_persisted);
  CHECK(told(next) == "c 0/1");
}

TEST_CASE("an attempt that is still on its way may get there behind one that was given up") {
  Sending sending;
  sending.establish();
  sending.append("a");
  auto a = sending.take();
  sending.now += 5s;
  sending.append("b");
  auto b = sending.take();
  CHECK_FALSE(sending.lose(std::move(b[0])));
  sending.now += 5s;
  REQUIRE(sending.lose(std::move(a[0])));
  b = sending.take();
  CHECK(told(b) == "b 2/0");
  auto given_up = sending.answer(std::move(b[0]), ErrorCode::out_of_order_sequence_number);
  REQUIRE(given_up);
  CHECK(given_up->possibly_persisted);
}

TEST_CASE("a batch that was never sent leaves no gap when its time is over") {
  Sending sending;
  sending.establish();
  sending.leader = std::nullopt;
  sending.append("a");
  sending.now += 11s;
  sending.take();
  CHECK(sending.ready.expired.size() == 1);
  CHECK_FALSE(sending.ready.expired[0].possibly_persisted);
  sending.leader = 1;
  sending.append("b");
  CHECK(told(sending.take()) == "b 1/0");
}

TEST_CASE("a new leader gets nothing before the one before has answered") {
  Sending sending;
  sending.establish();
  sending.append("a");
  Batch first = sending.take_one();
  sending.leader = 2;
  sending.append("b");
  CHECK(sending.take().empty());
  CHECK_FALSE(sending.answer(std::move(first), ErrorCode::not_leader_or_follower));
  CHECK(told(sending.take()) == "a 1/0, b 2/0");
}

TEST_CASE("the halves of a batch that was too large have the sequences of its records") {
  Sending sending(0, 1000);
  sending.establish();
  sending.append("abc");
  Batch whole = sending.take_one();
  sending.append("d");
  Batch behind = sending.take_one();
  CHECK(told(behind) == "d 4/0");
  CHECK_FALSE(sending.answer(std::move(whole), ErrorCode::message_too_large));
  CHECK_FALSE(sending.answer(std::move(behind), ErrorCode::out_of_order_sequence_number));
  for (const char* expected : {"a 1/0", "bc 2/0", "d 4/0"}) {
    auto again = sending.take();
    CHECK(told(again) == expected);
    REQUIRE(sending.answer(std::move(again[0])));
  }
}

TEST_CASE("an id that has no epochs left is given up for another one") {
  constexpr auto last = std::numeric_limits<std::int16_t>::max();
  Sending sending(last);
  sending.establish();
  sending.append("ab");
  auto batches = sending.take();
  CHECK(told(batches) == fmt::format("a 1/{}, b 2/{}", last, last));
  REQUIRE(sending.answer(std::move(batches[0]), ErrorCode::invalid_record));
  CHECK_FALSE(sending.answer(std::move(batches[1]), ErrorCode::out_of_order_sequence_number));
  CHECK(sending.take().empty());
  CHECK(sending.ready.needs_producer);
  sending.queue.set_producer({ProducerId{8}, 0});
  Batch again = sending.take_one();
  CHECK(again.numbering == Numbering{{ProducerId{8}, 0}, 0});
}

TEST_CASE("a sequence follows on 2147483647 with 0") {
  CHECK(sequence_after(2147483646, 1) == 2147483647);
  CHECK(sequence_after(2147483647, 1) == 0);
  CHECK(sequence_after(2147483640, 10) == 2);
}

TEST_CASE("a flush is over when what was appended before it is delivered") {
  Sending sending;
  sending.append("a");
  std::uint64_t flush = sending.queue.flush();
  Batch batch = sending.take_one();
  sending.append("b");
  CHECK_FALSE(sending.queue.is_flushed(flush));
  sending.answer(std::move(batch));
  CHECK(sending.queue.is_flushed(flush));
  CHECK_FALSE(sending.queue.is_flushed(sending.queue.flush()));
}

TEST_CASE("who waits for a record is told with its batch, its halves if it is split") {
  ProduceQueue queue(Sending::options(1000), {10ms, 100ms}, Random(1));
  queue.set_topic("t", 1);
  queue.set_producer({id, 0});
  std::vector<std::string> heard;
  for (int i = 0; i < 3; ++i) {
    OutRecord record;
    Hook hook;
    hook.tag = static_cast<std::uint64_t>(10 + i);
    if (i != 1)
      hook.done = [&heard, i](const Delivery& delivery, std::int32_t at) {
        heard.push_back(fmt::format("{} at {}", i, *delivery.base_offset + at));
      };
    REQUIRE(queue.append("t", record, 0ms, std::move(hook)));
  }
  auto take = [&] {
    auto ready = queue.take(1s, [](std::string_view, std::int32_t) { return 1; });
    REQUIRE(ready.requests.size() == 1);
    Batch batch = std::move(ready.requests[0].batches[0]);
    batch.seal(record::Compression::none);
    return batch;
  };
  CHECK_FALSE(queue.answered(take(), {ErrorCode::message_too_large, -1, -1, no_error}, 0ms));
  auto first = queue.answered(take(), {ErrorCode::none, 40, -1, no_error}, 0ms);
  auto second = queue.answered(take(), {ErrorCode::none, 41, -1, no_error}, 0ms);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->tags == std::vector<std::uint64_t>{10});
  CHECK(second->tags == std::vector<std::uint64_t>{11, 12});
  for (Delivery* delivery : {&*first, &*second})
    for (Waiter& waiter : delivery->waiters) waiter.done(*delivery, waiter.record);
  CHECK(heard == std::vector<std::string>{"0 at 40", "2 at 42"});
}

TEST_CASE("a producer id is asked for until there is one") {
  ProducerIdentity identity({10ms, 100ms}, Random(1));
  REQUIRE(identity.ask(0ms));
  CHECK_FALSE(identity.ask(0ms));
  auto lost = identity.unanswered({Errc::connection_failed, "lost"}, 0ms);
  CHECK_FALSE(lost.producer);
  CHECK_FALSE(lost.error);
  REQUIRE(identity.next());
  CHECK_FALSE(identity.ask(*identity.next() - 1ns));
  REQUIRE(identity.ask(*identity.next()));
  wire::InitProducerIdResponse response;
  response.error_code = ErrorCode::coordinator_load_in_progress;
  CHECK_FALSE(identity.answered(response, "b", 1s).error);
  REQUIRE(identity.ask(2s));
  response.error_code = ErrorCode::cluster_authorization_failed;
  auto refused = identity.answered(response, "b", 2s);
  REQUIRE(refused.error);
  CHECK(refused.error->what == "a producer id: CLUSTER_AUTHORIZATION_FAILED (31) from broker b");
  REQUIRE(identity.ask(2s));
  response = {
      .throttle_time_ms = 0, .error_code = ErrorCode::none, .producer_id = 5, .producer_epoch = 0};
  CHECK(identity.answered(response, "b", 2s).producer == ProducerEpoch{ProducerId{5}, 0});
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
