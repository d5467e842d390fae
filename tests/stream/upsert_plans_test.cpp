// Random plans whose rows change later, into two topics: what stands behind each step in the one
// with the last row of each key is what all changes in the other one add up to.
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/clock.h"
#include "interpreter/random_pipeline.h"
#include "interpreter/varied_plan.h"
#include "stream/memory_topics.h"
#include "stream/task.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

class StillClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 1'700'000'000'000; }
  std::chrono::nanoseconds monotonic() const override { return std::chrono::nanoseconds(0); }
};

using Logs = std::map<std::string, interpreter::Log>;

/// Gives each sink whose rows change a key, and a second sink beside it, which gets the last row
/// of each key. False if there is none.
bool add_upserts(plan::Plan& plan, Random& random) {
  auto bound = plan::bind(plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  bool any = false;
  for (std::size_t i = 0, end = plan.nodes.size(); i < end; ++i) {
    const auto* sink = std::get_if<plan::Sink>(&plan.nodes[i].body);
    if (sink == nullptr || !bound->nodes[i].revises || sink->topic.empty()) continue;
    plan::Plan more = plan;
    auto& all = std::get<plan::Sink>(more.nodes[i].body);
    const auto& schema = bound->nodes[i].schema;
    std::set<std::string> keys;
    for (auto left = random.between(1, 3); left > 0; --left) {
      keys.insert(schema[random.below(schema.size())].name);
    }
    all.keys.assign(keys.begin(), keys.end());
    all.changes = plan::Sink::Changes::all;
    plan::Sink upsert = all;
    upsert.changes = plan::Sink::Changes::upsert;
    upsert.topic += "-upsert";
    more.nodes.push_back({more.nodes[i].name + "-upsert", std::move(upsert)});
    if (!plan::bind(more)) continue;
    plan = std::move(more);
    any = true;
  }
  return any;
}

/// What stands in a topic of changes, and in the one beside it.
class Standing {
 public:
  void change(const std::string& key, const std::string& value, const std::string& kind) {
    bool gone = kind == "update_before" || kind == "delete";
    int& count = rows_[key][value];
    count += gone ? -1 : 1;
    if (count == 0) rows_[key].erase(value);
  }
  void upsert(const std::string& key, const std::optional<std::string>& value) {
    last_[key] = value.value_or("");
  }
  /// Of keys that never had two rows at the end of a step.
  void check() {
    for (const auto& [key, values] : rows_) {
      bool is_one = values.empty() || (values.size() == 1 && values.begin()->second == 1);
      if (!is_one) shared_.insert(key);
      if (shared_.contains(key)) continue;
      CAPTURE(key);
      CHECK(last_[key] == (values.empty() ? "" : values.begin()->first));
    }
  }
  std::size_t gone() const {
    return static_cast<std::size_t>(std::count_if(
        last_.begin(), last_.end(), [](const auto& last) { return last.second.empty(); }));
  }

 private:
  std::map<std::string, std::map<std::string, int>> rows_;
  std::map<std::string, std::string> last_;
  std::set<std::string> shared_;
};

class Trial {
 public:
  explicit Trial(std::uint64_t seed) : random_(seed) {
    plan_ = interpreter::random_pipeline(random_, static_cast<int>(random_.between(1, 5)));
    logs_["a"] = interpreter::random_log(random_, 1 + random_.below(3), 80);
    logs_["b"] = interpreter::random_log(random_, 1 + random_.below(3), 40);
    if (seed % 2 == 0) return;
    interpreter::vary(random_, plan_);
    interpreter::vary_logs(random_, plan_, logs_);
  }
  /// Rows that change must not be told by a clock, nor end the run.
  bool is_wanted() {
    if (plan::print(plan_).find(R"("call":"now")") != std::string::npos) return false;
    plan_.bad_rows.policy = plan::BadRows::Policy::skip;
    plan_.bad_rows.topic.clear();
    return add_upserts(plan_, random_);
  }
  const plan::Plan& plan() const { return plan_; }

  std::size_t run() {
    for (const auto& [name, log] : logs_) {
      auto topic = topics_.create_topic(name, static_cast<std::int32_t>(log.partitions.size()));
      REQUIRE(topic);
      for (std::size_t p = 0; p < log.partitions.size(); ++p) append(*topic, p, log);
    }
    Task::Options options;
    options.exact = random_.one_in(2);
    options.workers = 1 + random_.below(3);
    options.block_rows = std::vector<std::size_t>{1, 5, 64}[random_.below(3)];
    auto task = Task::open(plan_, topics_, nullptr, clock_, options);
    REQUIRE_MESSAGE(task.has_value(), task.error().what);
    REQUIRE((*task)->pin_ends());
    bool more = true;
    while (more) {
      OutputBatches out;
      auto stepped = (*task)->step(out);
      REQUIRE_MESSAGE(stepped.has_value(), stepped.error().what);
      more = *stepped;
      take(out);
    }
    OutputBatches out;
    auto flushed = (*task)->flush(out);
    REQUIRE_MESSAGE(flushed.has_value(), flushed.error().what);
    take(out);
    std::size_t gone = 0;
    for (const auto& [topic, standing] : standing_) gone += standing.gone();
    return gone;
  }

 private:
  void append(const Topic& topic, std::size_t partition, const interpreter::Log& log) {
    record::BatchBuilder builder;
    auto bytes = [](const std::optional<std::string>& text) {
      return text ? std::optional(as_bytes(*text)) : std::nullopt;
    };
    for (const auto& record : log.partitions[partition]) {
      std::vector<record::Header> headers;
      for (const auto& [name, text] : record.headers) headers.push_back({name, as_bytes(text)});
      builder.append(record.timestamp_ms, bytes(record.key), bytes(record.value), headers);
    }
    if (builder.empty()) return;
    topics_.append({topic.id, PartitionId{static_cast<std::int32_t>(partition)}}, builder.build(),
                   [](auto) {});
  }

  void take(OutputBatches& out) {
    std::map<Uuid, std::string> names;
    for (const auto& topic : topics_.topics()) names[topic.id] = topic.name;
    for (auto& [partition, bytes] : out.take()) {
      take(names[partition.topic_id], bytes);
    }
    for (auto& [topic, standing] : standing_) {
      CAPTURE(topic);
      standing.check();
    }
  }

  void take(const std::string& topic, const Bytes& bytes) {
    constexpr std::string_view beside = "-upsert";
    bool is_upsert = topic.ends_with(beside);
    std::string name = is_upsert ? topic.substr(0, topic.size() - beside.size()) : topic;
    if (!is_upsert && !topics_.find_topic(topic + std::string(beside))) return;
    auto view = record::BatchView::parse(bytes);
    record::RecordIterator records(*view);
    while (const record::Record* record = records.next()) {
      std::string key(record->key ? as_text(*record->key) : "");
      std::optional<std::string> value;
      if (record->value) value = as_text(*record->value);
      std::string kind;
      for (const auto& header : record->headers) kind = as_text(*header.value);
      if (is_upsert)
        standing_[name].upsert(key, value);
      else
        standing_[name].change(key, *value, kind);
    }
  }

  Random random_;
  StillClock clock_;
  MemoryTopics topics_;
  plan::Plan plan_;
  Logs logs_;
  std::map<std::string, Standing> standing_;
};

std::uint64_t number(const char* name, std::uint64_t usual) {
  const char* wanted = std::getenv(name);
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : usual;
}

}  // namespace

TEST_CASE("the last rows of keys are what all changes add up to, behind each step") {
  std::uint64_t first = number("LEAT_SIM_FIRST", 1);
  std::uint64_t count = number("LEAT_SIM_SEEDS", 300);
  std::size_t tried = 0, gone = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    Trial trial(seed);
    if (!trial.is_wanted()) continue;
    CAPTURE(plan::print(trial.plan()));
    ++tried;
    gone += trial.run();
  }
  if (count < 100) return;
  CHECK(tried > count / 20);
  CHECK(gone > tried / 4);
}

TEST_SUITE_END();
