// Tasks against a model that takes one row at a time: random rows with disorder, late ones, NULLs
// and bad JSON, in random batches, chunks, reads and speeds of arrival.
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "base/sim_executor.h"
#include "column/timestamp.h"
#include "stream/memory_topics.h"
#include "record/partitioner.h"
#include "stream/pipeline.h"
#include "stream/task.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using namespace std::chrono_literals;
using column::Type;

namespace {

using Records = std::vector<std::vector<PlainRecord>>;  // by partition

std::string time_text(std::int64_t ms) {
  std::string out;
  column::append_timestamp(out, {ms});
  return out;
}

/// One record of the source, as the model sees it.
struct Input {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  bool bad = false;
  std::int64_t time_ms = 0;
  std::optional<std::string> user;
  std::optional<std::int64_t> amount;
  std::optional<double> weight;
  std::string json;
};

struct Scenario {
  std::int32_t partitions = 1;
  std::int32_t sink_partitions = 1;
  std::int64_t size_ms = 0;
  std::int64_t disorder_ms = 0;
  bool filter = false;
  bool keyed = true;
  std::vector<Input> inputs;  // in the order of their appends
};

plan::Plan plan_of(const Scenario& scenario) {
  Pipeline pipeline = Pipeline::from("in").json({{"time", Type::timestamp},
                                                 {"user", Type::text},
                                                 {"amount", Type::bigint},
                                                 {"weight", Type::double_precision}});
  pipeline.event_time("time").disorder(std::chrono::milliseconds(scenario.disorder_ms));
  if (scenario.filter) {
    auto zero = plan::literal(Type::bigint, std::int64_t{0});
    auto negative = plan::call("<", {plan::col("amount"), zero});
    auto no_user = plan::call("is_null", {plan::col("user")});
    pipeline.filter(
        plan::call("and", {plan::call("not", {negative}), plan::call("not", {no_user})}));
  }
  pipeline.project({{"who", plan::col("user")},
                    {"amount", plan::col("amount")},
                    {"weight", plan::col("weight")}});
  if (scenario.keyed) pipeline.key_by({"who"});
  pipeline.tumble(std::chrono::milliseconds(scenario.size_ms))
      .aggregate({count("n"), count("amount", "amounts"), sum("amount", "sum"),
                  min("amount", "least"), max("who", "last"), avg("amount", "mean"),
                  sum("weight", "weights"), max("weight", "heaviest")})
      .late_to("late")
      .dead_letters_to("dead");
  auto plan = *pipeline.into("out", scenario.sink_partitions);
  // Records have their offsets as timestamps.
  std::get<plan::Source>(plan.nodes.front().body).ahead_max_ms.reset();
  return plan;
}

// ---- The model ---------------------------------------------------------------------------------

struct Expected {
  Records out;
  Records late;  // headers: only the offset
  Records dead;
};

struct Group {
  std::optional<std::string> user;
  std::vector<Input> rows;
};

template <class T>
std::string text_of(const std::optional<T>& value) {
  if (!value) return "null";
  if constexpr (std::is_same_v<T, std::string>) return "\"" + *value + "\"";
  if constexpr (std::is_same_v<T, std::int64_t>) return std::to_string(*value);
  if constexpr (std::is_same_v<T, double>) {
    char digits[40];
    return std::string(digits, std::to_chars(digits, digits + 40, *value).ptr);
  }
}

std::string value_of(const Scenario& scenario, std::int64_t start_ms, const Group& group) {
  std::optional<std::int64_t> sum, least;
  std::optional<std::string> last;
  std::optional<double> weights, heaviest, mean;
  std::int64_t amounts = 0;
  for (const Input& row : group.rows) {
    if (row.amount) {
      ++amounts;
      sum = sum.value_or(0) + *row.amount;
      least = std::min(least.value_or(*row.amount), *row.amount);
    }
    if (row.weight) {
      weights = weights.value_or(0) + *row.weight;
      heaviest = std::max(heaviest.value_or(*row.weight), *row.weight);
    }
    if (row.user) last = std::max(last.value_or(*row.user), *row.user);
  }
  if (sum) mean = static_cast<double>(*sum) / static_cast<double>(amounts);
  std::string json = "{\"window_start\":\"" + time_text(start_ms) + "\",\"window_end\":\"" +
                     time_text(start_ms + scenario.size_ms) + "\",";
  if (scenario.keyed) json += "\"who\":" + text_of(group.user) + ",";
  return json + "\"n\":" + std::to_string(group.rows.size()) +
         ",\"amounts\":" + std::to_string(amounts) + ",\"sum\":" + text_of(sum) +
         ",\"least\":" + text_of(least) + ",\"last\":" + text_of(last) +
         ",\"mean\":" + text_of(mean) + ",\"weights\":" + text_of(weights) +
         ",\"heaviest\":" + text_of(heaviest) + "}";
}

/// What must come out once all inputs are read; with `flush` also what is still open then.
Expected model(const Scenario& scenario, bool flush) {
  auto partitions = static_cast<std::size_t>(scenario.partitions);
  Expected expected{Records(static_cast<std::size_t>(scenario.sink_partitions)),
                    Records(partitions), Records(partitions)};
  std::vector<std::optional<std::int64_t>> largest(partitions);
  // By window, then by key with NULL last, which is the order of the output.
  std::map<std::tuple<std::int64_t, bool, std::string>, Group> groups;
  for (const Input& row : scenario.inputs) {
    auto partition = static_cast<std::size_t>(row.partition);
    PlainRecord side{std::nullopt, row.json, row.offset, {}};
    side.headers = {{"leat.offset", std::to_string(row.offset)}};
    if (row.bad) {
      expected.dead[partition].push_back(side);
      continue;
    }
    auto& seen = largest[partition];
    std::optional<std::int64_t> watermark;
    if (seen) watermark = *seen - scenario.disorder_ms;
    seen = std::max(seen.value_or(row.time_ms), row.time_ms);
    if (scenario.filter && ((row.amount && *row.amount < 0) || !row.amount || !row.user)) continue;
    std::int64_t start_ms = row.time_ms - row.time_ms % scenario.size_ms;
    if (watermark && start_ms + scenario.size_ms <= *watermark) {
      expected.late[partition].push_back(side);
      continue;
    }
    std::optional<std::string> key = scenario.keyed ? row.user : std::nullopt;
    Group& group = groups[{start_ms, !key, key.value_or("")}];
    group.user = key;
    group.rows.push_back(row);
  }
  constexpr auto never = std::numeric_limits<std::int64_t>::min();
  std::int64_t closed_ms = std::numeric_limits<std::int64_t>::max();
  for (const auto& seen : largest) {
    closed_ms = std::min(closed_ms, seen ? *seen - scenario.disorder_ms : never);
  }
  for (const auto& [key, group] : groups) {
    std::int64_t end_ms = std::get<0>(key) + scenario.size_ms;
    if (!flush && end_ms > closed_ms) continue;
    PlainRecord record{group.user, value_of(scenario, std::get<0>(key), group), end_ms - 1, {}};
    std::int32_t partition =
        group.user
            ? record::partition_of_key(as_bytes(*group.user), scenario.sink_partitions).value()
            : 0;
    expected.out[static_cast<std::size_t>(partition)].push_back(record);
  }
  return expected;
}

// ---- Scenarios ---------------------------------------------------------------------------------

std::string json_of(const Input& row, Random& random) {
  std::vector<std::string> members{"\"time\":" + (random.one_in(3)
                                                      ? std::to_string(row.time_ms)
                                                      : "\"" + time_text(row.time_ms) + "\"")};
  auto add = [&](const char* name, const std::string& value) {
    if (value != "null" || random.one_in(2))
      members.push_back(std::string("\"") + name + "\":" + value);
  };
  add("user", text_of(row.user));
  add("amount", text_of(row.amount));
  add("weight", text_of(row.weight));
  if (random.one_in(4)) members.push_back(R"("other":{"user":["\u00e9"]})");
  if (random.one_in(4)) std::swap(members.front(), members.back());
  std::string json;
  for (const auto& member : members) json += (json.empty() ? "{" : ",") + member;
  return json + "}";
}

Input random_input(Random& random, std::int64_t now_ms) {
  Input row;
  // Few distances from a common clock: mostly in order, some a little late, some hopelessly.
  std::int64_t behind_ms = random.one_in(3) ? random.between(0, 3'000) : 0;
  if (random.one_in(20)) behind_ms = random.between(0, 60'000);
  row.time_ms = now_ms - behind_ms;
  // Mostly on a grid, so that rows fall on the very edges of windows and watermarks.
  if (!random.one_in(8)) row.time_ms -= row.time_ms % 250;
  const char* users[] = {"ann", "bob", "cy",
                         "d\xc3\xb6"
                         "rte",
                         ""};
  if (!random.one_in(8)) row.user = users[random.below(5)];
  if (!random.one_in(8)) row.amount = random.between(-50, 1'000);
  if (!random.one_in(8)) row.weight = static_cast<double>(random.between(-800, 800)) / 8;
  row.json = json_of(row, random);
  if (random.one_in(15)) {
    row.bad = true;
    const char* bad[] = {"",
                         "no json",
                         "{\"time\":null}",
                         "{\"user\":\"x\"}",
                         "{\"time\":1,\"amount\":\"x\"}",
                         "{\"time\":\"2015\"}",
                         "{\"time\":1",
                         "{\"time\":-99999999999999}"};
    row.json = bad[random.below(8)];
  }
  return row;
}

Scenario random_scenario(Random& random) {
  Scenario scenario;
  scenario.partitions = static_cast<std::int32_t>(random.between(1, 4));
  scenario.sink_partitions = static_cast<std::int32_t>(random.between(1, 3));
  scenario.size_ms = random.one_in(3) ? random.between(500, 7'000) : 250 * random.between(1, 12);
  scenario.disorder_ms = random.one_in(3) ? 0 : 250 * random.between(0, 12);
  scenario.filter = random.one_in(3);
  scenario.keyed = !random.one_in(4);
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(scenario.partitions));
  // A partition may be silent, and each runs ahead of the others by its own distance.
  std::vector<std::int64_t> ahead_ms;
  for (std::int32_t i = 0; i < scenario.partitions; ++i)
    ahead_ms.push_back(random.between(0, 9'000));
  bool silent = random.one_in(5);
  std::int64_t now_ms = 1'442'000'000'000;
  for (auto left = random.between(0, 400); left > 0; --left) {
    now_ms += random.one_in(3) ? random.between(0, 400) : 0;
    auto partition = random.below(silent && scenario.partitions > 1 ? 1 : ahead_ms.size());
    Input row = random_input(random, now_ms + ahead_ms[partition]);
    row.partition = static_cast<std::int32_t>(partition);
    row.offset = offsets[partition]++;
    scenario.inputs.push_back(std::move(row));
  }
  return scenario;
}

// ---- Running -----------------------------------------------------------------------------------

/// Runs a scenario with everything drawn that must not matter.
class Running {
 public:
  Running(const Scenario& scenario, Random& random)
      : scenario_(scenario), random_(random), plan_(plan_of(scenario)) {
    source_ = *topics_.create_topic("in", scenario.partitions);
  }

  /// Appends and steps in turn, `hurry` for all appends first, until all is consumed.
  Expected run(bool hurry, bool flush) {
    open(plan_);
    std::size_t next = 0;
    while (next < scenario_.inputs.size()) {
      next = append(next, hurry ? scenario_.inputs.size() : 1 + random_.below(30));
      for (auto steps = hurry ? 0 : random_.below(4); steps > 0; --steps) step();
      if (random_.one_in(5)) restart();
    }
    return finish(flush);
  }

  /// The same records again, from the beginning, as a bounded run into other topics.
  Expected replay(bool flush) {
    plan_ = shadow_of(plan_of(scenario_), ".again");
    open(plan_);
    REQUIRE(task_->pin_ends());
    // What comes behind the ends must not matter.
    Input row = random_input(random_, 1'542'000'000'000);
    topics_.append({source_.id, PartitionId{0}}, batch_of({row}), [](auto) {});
    Expected got = finish(flush);
    CHECK(task_->finished());
    return got;
  }

  MemoryTopics& topics() { return topics_; }

 private:
  void open(const plan::Plan& plan) {
    Task::Options options;
    options.block_rows = random_.one_in(3) ? 4096 : 1 + random_.below(40);
    options.read_bytes = random_.one_in(2) ? 1 : 2'000;
    options.workers = 1 + random_.below(4);
    auto task = Task::open(plan, topics_, nullptr, clock_, options);
    REQUIRE_MESSAGE(task, task.error().what);
    task_ = std::move(*task);
  }

  Bytes batch_of(const std::vector<Input>& rows) {
    record::BatchBuilder builder;
    for (const Input& row : rows) builder.append(row.offset, {}, as_bytes(row.json));
    auto codec = static_cast<record::Compression>(random_.one_in(2) ? 0 : random_.below(5));
    return builder.build({.compression = codec});
  }

  std::size_t append(std::size_t from, std::size_t count) {
    std::size_t end = std::min(from + count, scenario_.inputs.size());
    std::map<std::int32_t, std::vector<Input>> rows;
    for (; from < end; ++from)
      rows[scenario_.inputs[from].partition].push_back(scenario_.inputs[from]);
    for (const auto& [partition, all] : rows) {
      Bytes extent;
      for (std::size_t i = 0; i < all.size();) {
        std::size_t size = std::min<std::size_t>(1 + random_.below(12), all.size() - i);
        auto first = all.begin() + static_cast<std::ptrdiff_t>(i);
        Bytes batch = batch_of({first, first + static_cast<std::ptrdiff_t>(size)});
        extent.insert(extent.end(), batch.begin(), batch.end());
        i += size;
      }
      topics_.append_extent({source_.id, PartitionId{partition}}, extent);
    }
    return end;
  }

  bool step() {
    auto stepped = task_->step(out_);
    REQUIRE_MESSAGE(stepped, stepped.error().what);
    for (auto& batch : out_.take()) {
      topics_.append(batch.partition, std::move(batch.bytes), [](auto) {});
    }
    return *stepped;
  }

  /// Goes on from a snapshot with a task that knows nothing else.
  void restart() {
    Bytes snapshot = task_->snapshot();
    open(plan_);
    auto restored = task_->restore(snapshot);
    REQUIRE_MESSAGE(restored, restored.error().what);
  }

  Expected finish(bool flush) {
    while (step()) {
    }
    if (flush) REQUIRE(task_->flush(out_));
    step();
    Expected got;
    for (std::int32_t i = 0; i < scenario_.sink_partitions; ++i) {
      got.out.push_back(topics_.records(std::get<plan::Sink>(plan_.nodes.back().body).topic, i));
    }
    const std::string& late =
        std::get<plan::Window>(plan_.nodes[plan_.nodes.size() - 2].body).late_topic;
    for (std::int32_t i = 0; i < scenario_.partitions; ++i) {
      got.late.push_back(side_records(late, i));
      got.dead.push_back(side_records(plan_.bad_rows.topic, i));
    }
    return got;
  }

  /// Of the headers only the offset, for comparing with the model; the others are checked here.
  std::vector<PlainRecord> side_records(const std::string& topic, std::int32_t partition) {
    auto records = topics_.records(topic, partition);
    for (auto& record : records) {
      REQUIRE(record.headers.size() == 6);
      CHECK(record.headers[0] == std::pair<std::string, std::string>("leat.topic", "in"));
      CHECK(record.headers[1].second == std::to_string(partition));
      CHECK(record.headers[3].second == std::to_string(record.timestamp_ms));
      CHECK(record.headers[4].first == "leat.reason");
      CHECK_FALSE(record.headers[4].second.empty());
      CHECK(record.headers[5].second == plan_.name);
      record.headers = {record.headers[2]};
    }
    return records;
  }

  const Scenario& scenario_;
  Random& random_;
  MemoryTopics topics_;
  SimExecutor clock_;
  plan::Plan plan_;
  Topic source_;
  std::unique_ptr<Task> task_;
  OutputBatches out_;
};

void check(const Expected& got, const Expected& expected) {
  CHECK(got.out == expected.out);
  CHECK(got.late == expected.late);
  CHECK(got.dead == expected.dead);
}

}  // namespace

TEST_CASE("a task gives what the model gives, live and replayed, at any speed and in any chunks") {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Scenario scenario = random_scenario(random);
    bool flush = random.one_in(2);
    Expected expected = model(scenario, flush);
    Running running(scenario, random);
    check(running.run(random.one_in(4), flush), expected);
    check(running.replay(flush), expected);
  }
}

TEST_SUITE_END();
