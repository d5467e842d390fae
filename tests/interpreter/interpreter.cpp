#include "interpreter/interpreter.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "interpreter/decode.h"
#include "interpreter/evaluate.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

constexpr std::int64_t before_all = std::numeric_limits<std::int64_t>::min();
// Event times whose windows' bounds can be written, also those of windows over windows.
constexpr std::int64_t year_ms = std::int64_t{366} * 86'400'000;

// The rows of the partitions of one source, each in the order of its offsets.
using Partitions = std::vector<Rows>;

std::int64_t event_time_of(const Source& source, const BoundNode& node, const Record& record,
                           const Values& values) {
  bool from_record = node.columns.empty() || !record.value;
  if (from_record && node.table && !node.table->timed) return 0;
  if (from_record && record.timestamp_ms < 0) throw BadValue{"no event time"};
  std::int64_t time = record.timestamp_ms;
  if (!from_record) {
    const auto* found = std::get_if<Timestamp>(&values[node.columns[0]]);
    if (found == nullptr) throw BadValue{"no event time"};
    time = found->ms;
  }
  bool in_range = time >= column::timestamp_min.ms + year_ms &&
                  time <= column::timestamp_max.ms - 100 * year_ms;
  if (!in_range) throw BadValue{"the event time is out of range"};
  bool judged = source.ahead_max_ms && record.timestamp_ms > 0;
  if (judged && time > record.timestamp_ms + *source.ahead_max_ms) {
    throw BadValue{
        fmt::format("the event time is more than {} ms ahead of the record's timestamp: "
                    "ahead_max_ms of the source",
                    *source.ahead_max_ms)};
  }
  return time;
}

Rows read_partition(const BoundNode& node, std::int64_t number, const Log& log,
                    std::int64_t partition, std::vector<BadRecord>& bad) {
  const auto& source = std::get<Source>(node.node->body);
  const auto& records = log.partitions[static_cast<std::size_t>(partition)];
  const std::string* header = source.header_line && !records.empty() ? &*records[0].value : nullptr;
  Rows rows;
  std::int64_t watermark = before_all;
  for (std::size_t i = header != nullptr ? 1 : 0; i < records.size(); ++i) {
    auto offset = static_cast<std::int64_t>(i);
    try {
      Row row;
      row.values = decode(source, log, partition, offset, header);
      row.time = event_time_of(source, node, records[i], row.values);
      auto lifted = log.lifted.find({partition, offset});
      if (lifted != log.lifted.end()) watermark = std::max(watermark, lifted->second);
      row.watermark = watermark;
      row.position = {number, partition, offset};
      row.kind = records[i].value ? Kind::insert : Kind::remove;
      watermark = std::max(watermark, row.time - source.disorder_ms);
      rows.push_back(std::move(row));
    } catch (const BadValue& why) {
      bad.push_back({node.node->name, partition, offset, why.why});
    }
  }
  return rows;
}

// A partition while the rows of all are put in the order in which they are read.
struct Reading {
  Rows* rows;
  bool is_table;    // read before all others
  bool holds_time;  // event time waits for it
  std::int64_t disorder_ms;
  std::size_t next = 0;
  std::int64_t watermark = before_all;

  bool is_done() const { return next == rows->size(); }
  Row& head() const { return (*rows)[next]; }
};

// Tables come first, one partition behind the other; then, of the next rows of all partitions, the
// earliest.
bool comes_first(const Reading& a, const Reading& b) {
  if (a.is_table || b.is_table) return a.is_table && !b.is_table;
  return earlier(a.head(), b.head());
}

// Numbers all rows as they are read.
Progress number_arrivals(std::vector<Reading> readings) {
  Progress progress;
  while (true) {
    Reading* first = nullptr;
    for (auto& reading : readings) {
      if (reading.is_done()) continue;
      if (first == nullptr || comes_first(reading, *first)) first = &reading;
    }
    if (first == nullptr) return progress;
    Row& row = (*first->rows)[first->next++];
    row.arrival = {static_cast<std::int64_t>(progress.size()), 0};
    first->watermark = std::max(row.watermark, row.time - first->disorder_ms);
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const auto& reading : readings) {
      if (reading.holds_time) least = std::min(least, reading.watermark);
    }
    progress.push_back(least);
  }
}

// Whether rows of the node are looked up by such joins, with nothing between that keeps rows.
bool is_looked_up(const BoundPlan& plan, std::size_t node, Join::Kind kind) {
  for (std::size_t i = node + 1; i < plan.nodes.size(); ++i) {
    const auto& inputs = plan.nodes[i].inputs;
    const auto& body = plan.nodes[i].node->body;
    if (std::find(inputs.begin(), inputs.end(), node) == inputs.end()) continue;
    const auto* join = std::get_if<Join>(&body);
    if (join != nullptr && join->kind == kind && inputs[1] == node) return true;
    bool keeps_nothing = std::holds_alternative<Filter>(body) ||
                         std::holds_alternative<Project>(body) ||
                         std::holds_alternative<Unnest>(body) ||
                         std::holds_alternative<Union>(body) || std::holds_alternative<Rekey>(body);
    if (keeps_nothing && is_looked_up(plan, i, kind)) return true;
  }
  return false;
}

// Reads all sources into `read`: nothing for nodes that are none.
Progress read_sources(const BoundPlan& plan, const Run& run, std::vector<Partitions>& read,
                      std::vector<BadRecord>& bad) {
  read.resize(plan.nodes.size());
  std::vector<Reading> readings;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto* source = std::get_if<Source>(&plan.nodes[i].node->body);
    if (source == nullptr) continue;
    const Log& log = run.logs.at(plan.nodes[i].node->name);
    for (std::size_t p = 0; p < log.partitions.size(); ++p) {
      read[i].push_back(read_partition(plan.nodes[i], static_cast<std::int64_t>(i), log,
                                       static_cast<std::int64_t>(p), bad));
    }
    bool holds_time = !plan.nodes[i].table || is_looked_up(plan, i, Join::Kind::as_of);
    for (auto& rows : read[i]) {
      readings.push_back(
          {&rows, is_looked_up(plan, i, Join::Kind::table), holds_time, source->disorder_ms});
    }
  }
  return number_arrivals(std::move(readings));
}

// How much later than its inputs' rows, in event time, a node gives its own for good: its own may
// come when nothing can change them any more, and then in the order of time.
std::int64_t own_delay_ms(const BoundNode& node) {
  const auto& body = node.node->body;
  if (const auto* window = std::get_if<Window>(&body)) {
    return window->window.kind == WindowShape::Kind::session ? window->window.gap_ms - 1 : 0;
  }
  if (const auto* dedup = std::get_if<Dedup>(&body)) {
    bool waits = dedup->keep == Dedup::Keep::last && dedup->horizon_ms;
    return waits ? *dedup->horizon_ms - 1 : 0;
  }
  const auto* join = std::get_if<Join>(&body);
  bool finds_none = join != nullptr && join->how != Join::How::inner;
  if (!finds_none || join->kind != Join::Kind::interval) return 0;
  return std::max<std::int64_t>(*join->upper_ms, 0);
}

void run_node(const Turn& turn, const std::vector<const Rows*>& inputs, const BoundPlan& plan) {
  const auto& body = turn.node.node->body;
  if (std::holds_alternative<Filter>(body)) return run_filter(turn, *inputs[0]);
  if (std::holds_alternative<Project>(body)) return run_project(turn, *inputs[0]);
  if (std::holds_alternative<Unnest>(body)) return run_unnest(turn, *inputs[0]);
  if (const auto* window = std::get_if<Window>(&body)) return run_window(turn, *window, *inputs[0]);
  if (const auto* over = std::get_if<Over>(&body)) return run_over(turn, *over, *inputs[0]);
  if (const auto* top = std::get_if<Top>(&body)) return run_top(turn, *top, *inputs[0]);
  if (const auto* dedup = std::get_if<Dedup>(&body)) return run_dedup(turn, *dedup, *inputs[0]);
  if (const auto* join = std::get_if<Join>(&body)) {
    return run_join(turn, *join, *inputs[0], *inputs[1],
                    plan.nodes[turn.node.inputs[1]].schema.size());
  }
  if (std::holds_alternative<Union>(body)) return run_union(turn, inputs);
  if (!inputs.empty()) turn.result.rows = *inputs[0];  // rekey, sink
}

Result<void> check_policies(const BoundPlan& plan, const Outcome& outcome) {
  for (const auto& bad : outcome.bad_records) {
    for (const auto& node : plan.nodes) {
      const auto* source = std::get_if<Source>(&node.node->body);
      if (source == nullptr || node.node->name != bad.node) continue;
      if (source->bad_records.policy != BadRows::Policy::fail) continue;
      return fail(Errc::bad_record, fmt::format("{} partition {} offset {}: {}", bad.node,
                                                bad.partition, bad.offset, bad.reason));
    }
  }
  if (outcome.bad_rows.empty() || plan.plan->bad_rows.policy != BadRows::Policy::fail) return {};
  const auto& bad = outcome.bad_rows.front();
  return fail(Errc::bad_record, fmt::format("{}: {}", bad.node, bad.reason));
}

}  // namespace

Result<Outcome> interpret(const BoundPlan& plan, const Run& run) {
  Outcome outcome;
  std::vector<Partitions> read;
  Progress progress = read_sources(plan, run, read, outcome.bad_records);
  std::vector<NodeResult> results(plan.nodes.size());
  std::vector<std::int64_t> delays(plan.nodes.size(), 0);
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const BoundNode& node = plan.nodes[i];
    NodeResult& result = results[i];
    for (const auto& rows : read[i]) {
      result.rows.insert(result.rows.end(), rows.begin(), rows.end());
    }
    std::vector<const Rows*> inputs;
    for (auto input : node.inputs) {
      inputs.push_back(&results[input].rows);
      delays[i] = std::max(delays[i], delays[input]);
    }
    delays[i] += own_delay_ms(node);
    run_node({node, static_cast<std::int64_t>(i), run.now_ms, delays[i], progress, result}, inputs,
             plan);
    const std::string& name = node.node->name;
    if (!result.late.empty()) outcome.late[name] = result.late;
    outcome.bad_rows.insert(outcome.bad_rows.end(), result.bad.begin(), result.bad.end());
    if (std::holds_alternative<Sink>(node.node->body)) outcome.sinks[name] = result.rows;
  }
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    if (std::holds_alternative<Sink>(plan.nodes[i].node->body)) continue;
    outcome.given[plan.nodes[i].node->name] = std::move(results[i].rows);
  }
  if (auto policies = check_policies(plan, outcome); !policies) return fail(policies);
  return outcome;
}

}  // namespace leat::interpreter
