// How fast the first pipeline is: edits per channel in windows of five minutes, from record batches
// in memory to record batches in memory, beside simdjson reading the same three fields of the same
// events and doing nothing else.
//
//   bench-pipeline [COPIES]     of the day of edits, each a day later; 25 by default, about 1 M
//   events
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <simdjson.h>
#include <zlib.h>

#include "base/sim_executor.h"
#include "column/timestamp.h"
#include "record/builder.h"
#include "record/record.h"
#include "record/partitioner.h"
#include "stream/pipeline.h"
#include "stream/task.h"

using namespace leat;
using namespace leat::stream;
using column::Type;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

/// Extents of batches, each of about a megabyte and padded; output is counted and dropped.
class BenchTopics final : public TopicStore {
 public:
  explicit BenchTopics(std::int32_t partitions)
      : partitions_(static_cast<std::size_t>(partitions)) {}

  void add(std::int32_t partition, const Bytes& batch) {
    Partition& to = partitions_[static_cast<std::size_t>(partition)];
    constexpr std::size_t extent_bytes = 1 << 20;
    if (to.extents.empty() || to.extents.back().bytes.size() + batch.size() > extent_bytes) {
      to.extents.push_back({to.next, {}});
      to.extents.back().bytes.reserve(extent_bytes + column::json_padding_bytes);
    }
    Bytes& bytes = to.extents.back().bytes;
    std::size_t at = bytes.size();
    bytes.insert(bytes.end(), batch.begin(), batch.end());
    MutableBytes copy = MutableBytes(bytes).subspan(at);
    record::set_base_offset(copy, to.next);
    to.next = record::BatchView::parse(copy)->next_offset();
  }

  Result<Topic> find_topic(const std::string& name) override {
    return Topic{id(name), name, static_cast<std::int32_t>(partitions_.size())};
  }
  Result<Topic> create_topic(const std::string& name, std::int32_t partitions) override {
    return Topic{id(name), name, partitions};
  }
  Result<Readable> readable(const TopicPartition& partition) override {
    return Readable{Offset{0}, of(partition).next};
  }
  Result<Batches> read(const TopicPartition& partition, Offset from, std::size_t) override {
    const Partition& in = of(partition);
    if (from == in.next) return Batches{};
    auto behind = std::upper_bound(in.extents.begin(), in.extents.end(), from,
                                   [](Offset offset, const Extent& e) { return offset < e.base; });
    const Bytes& bytes = std::prev(behind)->bytes;
    return Batches{std::shared_ptr<const void>(std::shared_ptr<void>(), bytes.data()), bytes};
  }
  void when_readable(const TopicPartition&, Offset, Work wake) override { wake(); }
  void append(const TopicPartition&, Bytes, AppendDone done) override { done(Offset{0}); }

  /// The values of all records.
  std::vector<std::string_view> values() const {
    std::vector<std::string_view> all;
    for (const auto& partition : partitions_) {
      for (const auto& extent : partition.extents) {
        BytesView left = extent.bytes;
        while (!left.empty()) {
          auto batch = record::BatchView::parse(left);
          left = left.subspan(batch->size_bytes());
          record::RecordIterator records(*batch);
          while (const record::Record* record = records.next()) {
            all.push_back(as_text(*record->value));
          }
        }
      }
    }
    return all;
  }

 private:
  struct Extent {
    Offset base;
    Bytes bytes;
  };
  struct Partition {
    std::vector<Extent> extents;
    Offset next;
  };
  static Uuid id(const std::string& name) {
    Uuid id;
    id.bytes[0] = static_cast<std::uint8_t>(name[0]);
    return id;
  }
  const Partition& of(const TopicPartition& partition) const {
    return partitions_[static_cast<std::size_t>(partition.partition.value())];
  }

  std::vector<Partition> partitions_;
};

std::vector<std::string> read_edits() {
  gzFile file = gzopen("tests/data/wikipedia-edits.jsonl.gz", "rb");
  if (file == nullptr) {
    fmt::print(stderr, "run it at the root of the repository\n");
    std::exit(1);
  }
  std::vector<std::string> lines;
  std::string line(1 << 20, '\0');
  while (gzgets(file, line.data(), static_cast<int>(line.size())) != nullptr) {
    lines.emplace_back(line.c_str());
    if (lines.back().ends_with('\n')) lines.back().pop_back();
  }
  gzclose(file);
  return lines;
}

/// The edits `copies` times, each time a day later, in batches of 500.
BenchTopics make_topics(const std::vector<std::string>& edits, int copies,
                        std::int32_t partitions) {
  BenchTopics topics(partitions);
  std::vector<record::BatchBuilder> builders(static_cast<std::size_t>(partitions));
  const std::string first_day = "2015-09-12";
  for (int copy = 0; copy < copies; ++copy) {
    std::string day;
    column::append_timestamp(
        day, {column::parse_timestamp(first_day + "T00:00:00Z")->ms + copy * day_ms});
    day.resize(first_day.size());
    for (std::string edit : edits) {
      edit.replace(edit.find(first_day), first_day.size(), day);
      std::size_t channel = edit.find("\"channel\":\"") + 11;
      auto key = std::string_view(edit).substr(channel, edit.find('"', channel) - channel);
      std::int32_t partition = record::partition_of_key(as_bytes(key), partitions).value();
      auto& builder = builders[static_cast<std::size_t>(partition)];
      builder.append(0, as_bytes(key), as_bytes(edit));
      if (builder.record_count() == 500) topics.add(partition, builder.build());
    }
  }
  for (std::int32_t i = 0; i < partitions; ++i) {
    auto& builder = builders[static_cast<std::size_t>(i)];
    if (!builder.empty()) topics.add(i, builder.build());
  }
  return topics;
}

// Of this thread's CPU time: both sides compute only, and the machine is shared.
double seconds_of(auto work) {
  auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  };
  double start = now();
  work();
  return now() - start;
}

std::uint64_t read_fields(const std::vector<std::string_view>& values) {
  simdjson::ondemand::parser parser;
  std::uint64_t sum = 0;
  for (std::string_view value : values) {
    simdjson::padded_string_view padded(value.data(), value.size(),
                                        value.size() + column::json_padding_bytes);
    auto document = parser.iterate(padded);
    std::string_view time, channel;
    std::int64_t added = 0;
    if (document["time"].get(time) || document["channel"].get(channel) ||
        document["added"].get(added)) {
      std::exit(1);
    }
    sum += time.size() + channel.size() + static_cast<std::uint64_t>(added);
  }
  return sum;
}

Progress run(BenchTopics& topics, const Plan& plan) {
  SimExecutor clock;
  auto task = Task::open(plan, topics, clock, {});
  OutputBatches out;
  for (bool more = true; more;) {
    auto stepped = (*task)->step(out);
    if (!stepped) {
      fmt::print(stderr, "{}\n", stepped.error().what);
      std::exit(1);
    }
    more = *stepped;
    out.take();
  }
  if (!(*task)->flush(out)) std::exit(1);
  return (*task)->progress();
}

}  // namespace

int main(int argc, char** argv) {
  int copies = argc > 1 ? std::atoi(argv[1]) : 25;
  auto edits = read_edits();
  auto plan =
      Pipeline::from("edits")
          .json({{"time", Type::timestamp}, {"channel", Type::text}, {"added", Type::bigint}})
          .event_time("time")
          .key_by({"channel"})
          .tumble(std::chrono::minutes(5))
          .aggregate({count("edits"), sum("added", "added")})
          .into("per-channel");
  constexpr int rounds = 5;
  for (std::int32_t partitions : {1, 4}) {
    BenchTopics topics = make_topics(edits, copies, partitions);
    auto values = topics.values();
    auto events = static_cast<double>(values.size());
    double fields_s = 1e9;
    double pipeline_s = 1e9;
    std::uint64_t sum = 0;
    Progress progress;
    // In turn, so that a slow moment of the machine meets both.
    for (int round = 0; round < rounds; ++round) {
      fields_s = std::min(fields_s, seconds_of([&] { sum += read_fields(values); }));
      pipeline_s = std::min(pipeline_s, seconds_of([&] { progress = run(topics, *plan); }));
    }
    fmt::print(
        "{} partition(s), {} events: simdjson fields {:.2f} M/s, pipeline {:.2f} M/s, ratio {:.2f} "
        "({} rows out, {} late, checksum {})\n",
        partitions, values.size(), events / fields_s / 1e6, events / pipeline_s / 1e6,
        fields_s / pipeline_s, progress.rows_out, progress.late, sum);
  }
}
