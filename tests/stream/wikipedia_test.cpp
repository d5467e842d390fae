// The promise of the first pipeline: the counts of a day of edits, computed by other means, come
// out of any arrangement of the same records.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "base/sim_executor.h"
#include "stream/memory_topics.h"
#include "record/partitioner.h"
#include "stream/task.h"
#include "stream/wikipedia.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

/// The text of a JSON field, quotes taken off.
std::string field_of(std::string_view json, std::string_view name) {
  std::size_t from = json.find("\"" + std::string(name) + "\":") + name.size() + 3;
  bool quoted = json[from] == '"';
  std::size_t end = quoted ? json.find('"', from + 1) : json.find_first_of(",}", from);
  from += quoted ? 1 : 0;
  return std::string(json.substr(from, end - from));
}

std::string csv_of(const PlainRecord& record) {
  std::string line;
  for (auto name : {"window_start", "window_end", "channel", "edits", "added"}) {
    line += (line.empty() ? "" : ",") + field_of(*record.value, name);
  }
  return line;
}

void produce(MemoryTopics& topics, std::int32_t partitions, std::size_t batch_records,
             record::Compression compression) {
  Topic topic = *topics.create_topic("edits", partitions);
  std::vector<record::BatchBuilder> builders(static_cast<std::size_t>(partitions));
  auto flush = [&](std::size_t partition) {
    if (builders[partition].empty()) return;
    TopicPartition id{topic.id, PartitionId{static_cast<std::int32_t>(partition)}};
    topics.append(id, builders[partition].build({.compression = compression}), [](auto) {});
  };
  for (const auto& edit : wikipedia_edits()) {
    std::string channel = field_of(edit, "channel");
    auto partition =
        static_cast<std::size_t>(record::partition_of_key(as_bytes(channel), partitions).value());
    builders[partition].append(1'500'000'000'000, as_bytes(channel), as_bytes(edit));
    if (static_cast<std::size_t>(builders[partition].record_count()) == batch_records) {
      flush(partition);
    }
  }
  for (std::size_t i = 0; i < builders.size(); ++i) flush(i);
}

std::vector<PlainRecord> run(MemoryTopics& topics, const plan::Plan& plan,
                             const Task::Options& options) {
  SimExecutor clock;
  auto task = Task::open(plan, topics, nullptr, clock, options);
  REQUIRE_MESSAGE(task, task.error().what);
  OutputBatches out;
  while (true) {
    auto stepped = (*task)->step(out);
    REQUIRE_MESSAGE(stepped, stepped.error().what);
    if (!*stepped) break;
  }
  REQUIRE((*task)->flush(out));
  for (auto& batch : out.take())
    topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
  const auto& sink = std::get<plan::Sink>(plan.nodes.back().body);
  std::vector<PlainRecord> records;
  for (std::int32_t i = 0; i < topics.find_topic(sink.topic)->partitions; ++i) {
    auto part = topics.records(sink.topic, i);
    records.insert(records.end(), part.begin(), part.end());
  }
  return records;
}

}  // namespace

TEST_CASE("edits per channel and five minutes are what they are, however the edits are laid out") {
  using record::Compression;
  struct Case {
    std::int32_t partitions;
    std::size_t batch_records;
    Compression compression;
    Task::Options options;
  };
  const std::vector<Case> cases{
      {1, 1000, Compression::none, {}},
      {4, 500, Compression::none, {}},
      {4, 100, Compression::zstd, {.block_rows = 37, .read_bytes = 1}},
  };
  for (const auto& [partitions, batch_records, compression, options] : cases) {
    CAPTURE(partitions);
    CAPTURE(batch_records);
    MemoryTopics topics;
    produce(topics, partitions, batch_records, compression);
    plan::Plan plan = *edits_per_channel().into("edits-per-channel", 1);
    auto records = run(topics, plan, options);
    std::vector<std::string> lines;
    for (const auto& record : records) {
      lines.push_back(csv_of(record));
      CHECK(*record.key == field_of(*record.value, "channel"));
    }
    // By window and then by channel, which is how the expected lines are sorted.
    CHECK(lines == wikipedia_tumble_5m());
    CHECK(topics.records("edits.late", 0).empty());
    CHECK(topics.records("edits.dead", 0).empty());
    CHECK(run(topics, shadow_of(plan, ".again"), {}) == records);
  }
}

TEST_CASE("the number of workers changes nothing of what comes out") {
  MemoryTopics topics;
  produce(topics, 4, 500, record::Compression::none);
  plan::Plan plan =
      *edits_per_channel()
           .filter(plan::call(
               ">", {plan::col("added"), plan::literal(column::Type::bigint, std::int64_t{0})}))
           .into("edits-per-channel", 3);
  // Rows that go through without a window keep their common order.
  plan::Plan rows = *Pipeline::from("edits")
                         .json({{"time", column::Type::timestamp}, {"channel", column::Type::text}})
                         .event_time("time")
                         .into("rows", 2);
  for (const auto& [of, least] : {std::pair(plan, 4'000u), std::pair(rows, 39'244u)}) {
    auto alone = run(topics, of, {.block_rows = 500});
    CHECK(alone.size() >= least);
    for (std::size_t workers : {2, 4, 7}) {
      CAPTURE(workers);
      plan::Plan shadow = shadow_of(of, "." + std::to_string(workers));
      CHECK(run(topics, shadow, {.block_rows = 500, .workers = workers}) == alone);
    }
  }
}

TEST_SUITE_END();
