#include "client/fetch_plan.h"

#include <doctest/doctest.h>

#include <fmt/core.h>

#include "client/record_reader.h"
#include "record/builder.h"

namespace leat::client {
namespace {

using wire::ErrorCode;

/// A batch of `count` records, whose values are their offsets.
Bytes batch(std::int64_t base, int count, record::BatchOptions options = {}) {
  record::BatchBuilder builder;
  for (int i = 0; i < count; ++i)
    builder.append(0, std::nullopt, as_bytes(std::to_string(base + i)));
  options.base_offset = Offset{base};
  return builder.build(options);
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// The end of a transaction: type 0 aborts it, 1 commits it.
Bytes marker(std::int64_t base, std::int64_t producer, std::int16_t type) {
  record::BatchBuilder builder;
  Bytes key;
  ByteWriter writer(key);
  writer.write<std::int16_t>(0);
  writer.write(type);
  builder.append(0, BytesView(key), as_bytes("ignored"));
  return builder.build({.base_offset = Offset{base},
                        .producer_id = ProducerId{producer},
                        .producer_epoch = 0,
                        .is_transactional = true,
                        .is_control = true});
}

Bytes transactional(std::int64_t base, int count, std::int64_t producer) {
  return batch(base, count,
               {.producer_id = ProducerId{producer},
                .producer_epoch = 0,
                .base_sequence = 0,
                .is_transactional = true});
}

wire::FetchResponse answer(const Bytes& records, ErrorCode error = ErrorCode::none,
                           std::int32_t partition = 0) {
  wire::FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = "t";
  auto& part = topic.partitions.emplace_back();
  part.partition_index = partition;
  part.error_code = error;
  part.log_start_offset = 7;
  part.records = wire::Records(records);
  return response;
}

std::optional<FetchPlan::Leader> leader(std::string_view, std::int32_t) {
  return FetchPlan::Leader{1, 4};
}

FetchPlan plan_of(std::vector<Assignment> assignments, const ConsumerOptions& options = {}) {
  FetchPlan plan(options);
  for (Assignment& assignment : assignments) plan.add(std::move(assignment));
  return plan;
}

/// Asks, and is answered with that.
FetchPlan::Outcome answered(FetchPlan& plan, const wire::FetchResponse& response) {
  std::uint64_t ticket = plan.ask(1, leader).ticket;
  return plan.take_answer(ticket, response, nullptr, "b:1");
}

/// What is asked for next, as "partition@offset …".
std::string asked(FetchPlan& plan) {
  std::string out;
  for (const auto& topic : plan.ask(1, leader).request.topics)
    for (const auto& partition : topic.partitions)
      out += fmt::format("{}@{} ", partition.partition, partition.fetch_offset);
  return out;
}

/// The values in what came, or "error: …".
std::string values(const Fetched& fetched) {
  record::Scratch scratch;
  RecordReader reader(fetched, scratch);
  std::string out;
  while (const record::Record* record = reader.next())
    out += std::string(as_text(*record->value)) + " ";
  if (reader.error()) out += "error: " + reader.error()->what;
  return out;
}

/// What a reader from there on sees of `records`.
std::string read(const Bytes& records, std::int64_t begin,
                 std::vector<wire::FetchResponse::AbortedTransaction> aborted = {}) {
  FetchPlan plan = plan_of({{"t", 0, begin}});
  auto response = answer(records);
  response.responses[0].partitions[0].aborted_transactions = std::move(aborted);
  auto outcome = answered(plan, response);
  if (outcome.error) return outcome.error->what;
  if (!outcome.out_of_range.empty()) return outcome.out_of_range[0].error.what;
  return outcome.fetched.empty() ? "nothing" : values(outcome.fetched[0]);
}

TEST_SUITE_BEGIN("client");

TEST_CASE("fetching goes on behind the last whole batch") {
  FetchPlan plan = plan_of({{"t", 0, 3}});
  CHECK(asked(plan) == "0@3 ");
  Bytes cut = batch(8, 5);
  cut.resize(cut.size() - 1);
  Bytes records = batch(0, 5) + batch(5, 3) + cut;
  auto outcome = answered(plan, answer(records));
  REQUIRE(outcome.fetched.size() == 1);
  CHECK(values(outcome.fetched[0]) == "3 4 5 6 7 ");
  CHECK(asked(plan) == "0@8 ");
}

TEST_CASE("each request asks for another partition first") {
  FetchPlan plan = plan_of({{"t", 0, 0}, {"t", 1, 0}});
  CHECK(asked(plan) == "1@0 0@0 ");
  CHECK(asked(plan) == "0@0 1@0 ");
}

TEST_CASE("of a new leader a position is asked for once its log is known to have it") {
  FetchPlan plan = plan_of({{"t", 0, 0}});
  std::int32_t epoch = 4;
  auto leader_of = [&](std::string_view, std::int32_t) { return FetchPlan::Leader{1, epoch}; };
  auto fetch = [&](const Bytes& records) {
    std::uint64_t ticket = plan.ask(1, leader_of).ticket;
    return plan.take_answer(ticket, answer(records), nullptr, "b:1");
  };
  auto told = [&](std::uint64_t ticket, std::int64_t end, std::int32_t of,
                  ErrorCode error = ErrorCode::none) {
    wire::OffsetForLeaderEpochResponse response;
    response.topics.push_back({"t", {{error, 0, of, end}}});
    return plan.take_answer(ticket, response, "b:1");
  };
  // Nothing is known of what was before, and nothing is to be asked of who gave it.
  CHECK_FALSE(plan.check(1, leader_of));
  Bytes records = batch(0, 10, {.leader_epoch = LeaderEpoch{3}});
  CHECK(fetch(records).fetched.size() == 1);
  CHECK_FALSE(plan.check(1, leader_of));

  epoch = 5;
  CHECK(plan.ask(1, leader_of).request.topics.empty());
  auto check = plan.check(1, leader_of);
  REQUIRE(check);
  const auto& asked = check->request.topics.at(0).partitions.at(0);
  CHECK(asked.leader_epoch == 3);
  CHECK(asked.current_leader_epoch == 5);
  CHECK(told(check->ticket, 0, 0, ErrorCode::fenced_leader_epoch).moved.size() == 1);
  check = plan.check(1, leader_of);
  CHECK(told(check->ticket, 10, 3).out_of_range.empty());
  CHECK_FALSE(plan.check(1, leader_of));
  CHECK(plan.ask(1, leader_of).request.topics.size() == 1);

  epoch = 6;
  check = plan.check(1, leader_of);
  auto cut = told(check->ticket, 7, 2);
  REQUIRE(cut.out_of_range.size() == 1);
  CHECK(cut.out_of_range[0].cut->offset == 7);
  CHECK(cut.out_of_range[0].cut->leader_epoch == 2);
  CHECK(cut.out_of_range[0].error.what.find("not there any more from offset 7 on") !=
        std::string::npos);
  CHECK_FALSE(plan.check(1, leader_of));
  CHECK(plan.ask(1, leader_of).request.topics.empty());
  plan.add({"t", 0, 7, 2});
  check = plan.check(1, leader_of);
  CHECK(told(check->ticket, 7, 2).out_of_range.empty());
  CHECK(plan.ask(1, leader_of).request.topics.size() == 1);
}

TEST_CASE("positions are taken as they are where a broker cannot be asked about them") {
  FetchPlan plan = plan_of({{"t", 0, 5, 1}});
  auto check = plan.check(1, leader);
  REQUIRE(check);
  plan.cannot_check(check->ticket);
  CHECK(asked(plan) == "0@5 ");
  // Nor is one waited for that leaves it out.
  plan.add({"t", 0, 5, 1});
  check = plan.check(1, leader);
  CHECK(plan.take_answer(check->ticket, wire::OffsetForLeaderEpochResponse(), "b:1").retry_later);
}

TEST_CASE("a position that was set elsewhere meanwhile is not moved by what is said of the last") {
  FetchPlan plan = plan_of({{"t", 0, 5, 1}});
  auto check = plan.check(1, leader);
  plan.add({"t", 0, 9});
  wire::OffsetForLeaderEpochResponse response;
  response.topics.push_back({"t", {{ErrorCode::none, 0, 1, 2}}});
  CHECK(plan.take_answer(check->ticket, response, "b:1").out_of_range.empty());
  CHECK(asked(plan) == "0@9 ");
}

TEST_CASE("partitions come, go and rest while others are read") {
  FetchPlan plan = plan_of({{"t", 1, 5}});
  plan.add({"t", 0, 3});
  plan.add({"s", 9, 1});
  CHECK(asked(plan) == "1@5 0@3 9@1 ");
  CHECK(plan.topics() == std::vector<std::string>{"s", "t"});
  plan.pause("t", 1, true);
  plan.remove("s", 9);
  CHECK(asked(plan) == "0@3 ");
  plan.pause("t", 0, true);
  CHECK(plan.brokers(leader).empty());
  plan.pause("t", 1, false);
  CHECK(asked(plan) == "1@5 ");
  plan.add({"t", 1, 7});
  CHECK(asked(plan) == "1@7 ");
}

TEST_CASE("what was asked for before a partition was moved, paused or taken away is not taken") {
  FetchPlan plan = plan_of({{"t", 0, 0}});
  auto take = [&](std::uint64_t ticket) {
    Bytes records = batch(0, 5);
    auto outcome = plan.take_answer(ticket, answer(records), nullptr, "b:1");
    CHECK_FALSE(outcome.error);
    return outcome.fetched.size();
  };
  std::uint64_t ticket = plan.ask(1, leader).ticket;
  plan.seek("t", 0, 2);
  CHECK(take(ticket) == 0);
  CHECK(asked(plan) == "0@2 ");
  ticket = plan.ask(1, leader).ticket;
  plan.remove("t", 0);
  CHECK(take(ticket) == 0);
  plan.add({"t", 0, 1});
  CHECK(take(ticket) == 0);
  ticket = plan.ask(1, leader).ticket;
  plan.pause("t", 0, true);
  plan.pause("t", 0, false);
  CHECK(take(ticket) == 0);
  CHECK(asked(plan) == "0@1 ");
  // Two brokers were asked, since the leader moved: the last one counts, and once.
  ticket = plan.ask(1, leader).ticket;
  std::uint64_t last = plan.ask(1, leader).ticket;
  CHECK(take(ticket) == 0);
  CHECK(take(last) == 1);
  CHECK(take(last) == 0);
}

TEST_CASE("a position that is not there rests until it is set") {
  FetchPlan plan = plan_of({{"t", 0, 3}});
  auto outcome = answered(plan, answer({}, ErrorCode::offset_out_of_range));
  REQUIRE(outcome.out_of_range.size() == 1);
  CHECK(*outcome.out_of_range[0].topic == "t");
  CHECK(asked(plan) == "");
  CHECK_FALSE(plan.needs_leader(leader));
  plan.seek("t", 0, 7);
  CHECK(asked(plan) == "0@7 ");
}

TEST_CASE("brokers are told which leader's epoch is known, and tell which a batch is of") {
  FetchPlan plan = plan_of({{"t", 0, 0}});
  CHECK(plan.ask(1, leader).request.topics[0].partitions[0].current_leader_epoch == 4);
  Bytes records = batch(0, 1);
  record::set_leader_epoch(records, LeaderEpoch{3});
  auto outcome = answered(plan, answer(records));
  REQUIRE(outcome.fetched.size() == 1);
  CHECK(outcome.fetched[0].leader_epoch == 3);
}

TEST_CASE("a batch that a broker cuts is asked for with more room") {
  ConsumerOptions options;
  options.partition_fetch_bytes = 100;
  FetchPlan plan = plan_of({{"t", 0, 0}}, options);
  Bytes cut = batch(0, 50);
  cut.resize(100);
  auto outcome = answered(plan, answer(cut));
  CHECK(outcome.fetched.empty());
  CHECK_FALSE(outcome.error);
  CHECK(plan.ask(1, leader).request.topics[0].partitions[0].partition_max_bytes == 200);
}

TEST_CASE("errors move the partition, ask for patience, or end the reading") {
  struct Row {
    ErrorCode error;
    const char* outcome;
  };
  const Row rows[] = {
      {ErrorCode::not_leader_or_follower, "moved"},
      {ErrorCode::unknown_topic_or_partition, "moved"},
      {ErrorCode::fenced_leader_epoch, "moved"},
      {ErrorCode::unknown_leader_epoch, "moved"},
      {ErrorCode::offset_not_available, "later"},
      {ErrorCode::offset_out_of_range,
       "t/0 at offset 3: OFFSET_OUT_OF_RANGE (1) from broker b:1: the partition begins at offset "
       "7"},
      {ErrorCode::corrupt_message, "t/0 at offset 3: CORRUPT_MESSAGE (2) from broker b:1"},
      {ErrorCode::topic_authorization_failed,
       "t/0 at offset 3: TOPIC_AUTHORIZATION_FAILED (29) from broker b:1"},
  };
  for (const Row& row : rows) {
    FetchPlan plan = plan_of({{"t", 0, 3}});
    auto outcome = answered(plan, answer({}, row.error));
    bool is_out = !outcome.out_of_range.empty();
    std::string text = outcome.error            ? outcome.error->what
                       : is_out                 ? outcome.out_of_range[0].error.what
                       : outcome.retry_later    ? "later"
                       : !outcome.moved.empty() ? "moved"
                                                : "nothing";
    CHECK(text == row.outcome);
    CHECK(asked(plan) == (is_out ? "" : "0@3 "));
  }
}

TEST_CASE("a broker that sends what is no batch, or only what lies behind, is refused") {
  Bytes wrong_magic = batch(0, 1);
  wrong_magic[record::batch_field::magic] = std::byte{1};
  CHECK(read(wrong_magic, 0).find("t/0 at offset 0: ") == 0);
  CHECK(read(batch(0, 3), 3) ==
        "t/0 at offset 3: only records before the offset asked for came (from broker b:1)");
}

TEST_CASE("a reader sees the offsets that were asked for") {
  Bytes records = batch(0, 3) + batch(3, 3) + batch(6, 3);
  CHECK(read(records, 0) == "0 1 2 3 4 5 6 7 8 ");
  CHECK(read(records, 4) == "4 5 6 7 8 ");
  CHECK(read(records, 8) == "8 ");
}

TEST_CASE("compressed batches are unpacked") {
  for (auto codec : {record::Compression::gzip, record::Compression::snappy,
                     record::Compression::lz4, record::Compression::zstd})
    CHECK(read(batch(0, 3, {.compression = codec}) + batch(3, 1), 0) == "0 1 2 3 ");
}

TEST_CASE("a batch that does not match its checksum ends the reading, behind what was good") {
  Bytes bad = batch(3, 3);
  bad.back() ^= std::byte{1};
  CHECK(read(batch(0, 3) + bad + batch(6, 1), 0) ==
        "0 1 2 error: t/0: batch at offset 3: the batch does not match its checksum");
}

TEST_CASE("control records are nobody's business") {
  CHECK(read(transactional(0, 2, 9) + marker(2, 9, 1) + batch(3, 1), 0) == "0 1 3 ");
  CHECK(read(marker(0, 9, 1), 0) == "");
}

TEST_CASE("records of aborted transactions are left out, and no others") {
  Bytes records = transactional(0, 1, 9) + transactional(1, 1, 8) + batch(2, 1) + marker(3, 9, 0) +
                  transactional(4, 1, 9) + marker(5, 9, 1) + marker(6, 8, 1);
  CHECK(read(records, 0, {{9, 0}}) == "1 2 4 ");
  CHECK(read(records, 0, {{8, 1}, {9, 0}}) == "2 4 ");
  CHECK(read(records, 0) == "0 1 2 4 ");
  // The transaction began before what was asked for.
  CHECK(read(transactional(4, 2, 9) + marker(6, 9, 0) + transactional(7, 1, 9), 5, {{9, 1}}) ==
        "7 ");
  // Nothing is left of it but its marker: what its producer did next is of another one.
  CHECK(read(marker(6, 9, 0) + transactional(7, 1, 9) + marker(8, 9, 1), 6, {{9, 1}}) == "7 ");
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
