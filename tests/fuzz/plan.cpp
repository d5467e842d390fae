// Plans, as a file or a client gives them: read, bound, and run over a few records.
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/sim_executor.h"
#include "fuzz/targets.h"
#include "plan/bound_plan.h"
#include "plan/difference.h"
#include "stream/explain.h"
#include "stream/memory_topics.h"
#include "stream/task.h"

namespace leat::fuzz {

namespace {

using stream::MemoryTopics;

const std::string head = R"({"name":"p","version":1,"nodes":[{"name":"in","type":"source","topic":)"
                         R"("in","event_time":"t","bad_records":{"policy":"skip"},"columns":[)"
                         R"({"name":"t","type":"timestamp"},{"name":"k","type":"text"},)"
                         R"({"name":"n","type":"bigint"},{"name":"l","type":"bigint[]"}]},)";
const std::string tail = R"(,{"name":"out","type":"sink","input":"x","topic":"out","changes":)"
                         R"("all"}],"bad_rows":{"policy":"skip"}})";

// What has files, or is large, is bound, but not run.
bool can_run(const plan::Plan& plan) {
  for (const auto& node : plan.nodes) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    const auto* sink = std::get_if<plan::Sink>(&node.body);
    if (source != nullptr && source->topic.empty()) return false;
    if (sink != nullptr && (!sink->files.empty() || sink->partitions > 10)) return false;
  }
  return plan.nodes.size() < 20;
}

void add_records(MemoryTopics& topics, const std::string& name) {
  auto topic = topics.create_topic(name, 2);
  for (std::int32_t i = 0; i < 8; ++i) {
    std::string value = R"({"t":)" + std::to_string(1'000 + i * 700) + R"(,"k":"k)" +
                        std::to_string(i % 3) + R"(","n":)" + std::to_string(i - 2) +
                        R"(,"l":[1,null,)" + std::to_string(i) + "]}";
    record::BatchBuilder batch;
    batch.append(1'000 + i, as_bytes("k1"), as_bytes(value));
    topics.append({topic->id, PartitionId{i % 2}}, batch.build(), [](auto) {});
  }
}

// However it ends, it ends. What was restored gives what went on gives.
void run(const plan::Plan& plan) {
  MemoryTopics topics;
  for (const auto& node : plan.nodes) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    if (source != nullptr) add_records(topics, source->topic);
  }
  SimExecutor clock;
  stream::Task::Options options;
  options.block_rows = 3;
  auto task = stream::Task::open(plan, topics, nullptr, clock, options);
  if (!task) return;
  stream::OutputBatches out;
  auto stepped = (*task)->step(out);
  if (!stepped) return;
  Bytes snapshot = (*task)->snapshot();
  auto other = stream::Task::open(plan, topics, nullptr, clock, options);
  ASSERT(other.has_value());
  ASSERT((*other)->restore(snapshot).has_value());
  ASSERT((*other)->snapshot() == snapshot);
  for (int steps = 0; steps < 20 && stepped && *stepped; ++steps) stepped = (*task)->step(out);
  if (stepped) (void)(*task)->flush(out);
}

}  // namespace

void plan(BytesView input) {
  // Most of what is mutated should be the middle of a plan that makes sense.
  std::string text(as_text(input));
  bool whole = text.starts_with('!');  // else its nodes
  text = whole ? text.substr(1) : head + text + tail;
  auto parsed = plan::parse(text);
  if (!parsed) return;
  std::string printed = plan::print(*parsed);
  auto again = plan::parse(printed);
  ASSERT(again.has_value() && plan::print(*again) == printed);
  std::string state = plan::state_text(*parsed);
  ASSERT(plan::difference(state, state).empty());
  auto bound = plan::bind(*parsed);
  if (!bound) return;
  ASSERT(!stream::explain(*bound).empty());
  if (can_run(*parsed)) run(*parsed);
}

std::vector<Bytes> plan_seeds() {
  const std::vector<std::string> middles{
      R"({"name":"x","type":"filter","input":"in","condition":{"call":">","arguments":[)"
      R"({"column":"n"},{"bigint":1}]}})",
      R"({"name":"x","type":"project","input":"in","columns":[{"name":"a","expression":)"
      R"({"call":"/","arguments":[{"column":"n"},{"bigint":2}]}},{"name":"b","expression":)"
      R"x({"cast":{"column":"k"},"to":"decimal(5,2)"}}]})x",
      R"({"name":"x","type":"unnest","input":"in","column":"l","as":"i","ordinality":"o"})",
      R"({"name":"y","type":"rekey","input":"in","keys":["k"]},)"
      R"({"name":"x","type":"union","inputs":["y","in"]})",
      R"({"name":"x","type":"window","input":"in","window":{"kind":"tumbling","size_ms":1000},)"
      R"("keys":["k"],"aggregates":[{"name":"a","function":"sum","argument":{"column":"n"}}]})",
      R"({"name":"x","type":"window","input":"in","window":{"kind":"hopping","size_ms":3000,)"
      R"("slide_ms":1000},"lateness_ms":500,"aggregates":[{"name":"a","function":"top_n",)"
      R"("argument":{"column":"n"},"order_by":{"column":"k"},"limit":2}]})",
      R"({"name":"x","type":"window","input":"in","window":{"kind":"session","gap_ms":900},)"
      R"("emit":"every","every_ms":10,"aggregates":[{"name":"a","function":"percentile",)"
      R"("argument":{"column":"n"},"fraction":0.5},{"name":"b","function":"count"}]})",
      R"({"name":"x","type":"over","input":"in","keys":["k"],"frame":{"range_ms":1500},)"
      R"("aggregates":[{"name":"a","function":"max","argument":{"column":"n"}}]})",
      R"({"name":"x","type":"over","input":"in","frame":{"rows":2},"emit":"update",)"
      R"("aggregates":[{"name":"a","function":"avg","argument":{"column":"n"}}]})",
      R"({"name":"x","type":"top","input":"in","keys":["k"],"order_by":[{"column":"n",)"
      R"("descending":true}],"limit":2,"ties":true,"rank":"r"})",
      R"({"name":"x","type":"dedup","input":"in","keys":["k"],"keep":"last","horizon_ms":2000})",
      R"({"name":"r","type":"project","input":"in","columns":[{"name":"rk","expression":)"
      R"({"column":"k"}}]},{"name":"x","type":"join","kind":"interval","left":"in","right":"r",)"
      R"("keys":[{"left":"k","right":"rk"}],"lower_ms":-1000,"upper_ms":0,"how":"left"})",
      R"({"name":"x","type":"filter","input":"in","condition":{"call":"regexp_like","arguments":)"
      R"([{"column":"k"},{"text":"^k[0-9]+$"}]}})"};
  std::vector<Bytes> seeds;
  for (const auto& middle : middles) {
    auto bytes = as_bytes(middle);
    seeds.emplace_back(bytes.begin(), bytes.end());
  }
  return seeds;
}

}  // namespace leat::fuzz
