// A snapshot of a graph, as section "dataflow" version 1, followed by the states of all nodes that
// have one: of those that rows are spread for one for each lane, of others one.
//
//   body := lanes:u32 nodes:u32 watermark_ms:i64*        one watermark a node: what it has come to
#include "stream/dataflow.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "column/row_hash.h"
#include "operators/chunk_maker.h"
#include "stream/arrival_needs.h"
#include "stream/chunk_order.h"
#include "stream/node_operators.h"
#include "stream/sink_order.h"

namespace leat::stream {

using column::Chunk;
using operators::Operator;
using operators::OperatorState;

struct Dataflow::Node {
  const plan::BoundNode* bound = nullptr;
  std::unique_ptr<Operator> work;  // null for sources and sinks
  NodeTraits traits;
  bool gathers = false;  // its rows are put in the order in which they came
  std::vector<Edge> readers;
  Watermark watermark = watermark_min;  // what advance() was last called with
  Watermark passed = watermark_min;     // the same for those behind
  // Of a sink:
  std::optional<SinkOrder> order;
  // That several nodes give their rows in the order of time: where they wait for another.
  std::optional<operators::SortedRows> waiting;
};

struct Dataflow::Lane {
  struct Sent {
    std::size_t input;
    Chunk chunk;
  };

  std::size_t number = 0;
  std::vector<std::unique_ptr<OperatorState>> states;    // by node
  std::vector<std::unique_ptr<OperatorState>> complete;  // of nodes whose lanes are merged
  std::vector<std::vector<std::vector<Sent>>> sent;      // by node and lane
  std::vector<std::vector<Chunk>> gathered;              // by node
  std::size_t rows = 0;                                  // processed in this step
  StepOutput output;                                     // of this step
  std::string way;    // by which of their readers rows go on from who gave them, node by node
  bool told = false;  // the node that is finished tells what it had put off
  std::vector<std::uint64_t> hashes;  // kept for its memory
};

/// What is around one node on one lane.
class Dataflow::Port final : public operators::Context {
 public:
  Port(Dataflow& graph, Lane& lane, std::size_t node, std::size_t input = 0)
      : graph_(graph), lane_(lane), node_(node), input_(input) {}

  Result<void> push(const Chunk& chunk) override {
    return chunk.selection.size() == 0 ? Result<void>() : graph_.give(lane_, node_, chunk);
  }
  Result<void> push_late(const Chunk& chunk, std::span<const std::uint32_t> rows) override {
    Chunk late = chunk;
    late.selection = column::Selection::of({rows.begin(), rows.end()});
    lane_.output.add_late(node_, input_, std::move(late));
    return {};
  }
  Result<void> reject(const column::Schema& schema, const Chunk& chunk, std::uint32_t row,
                      const std::string& reason) override {
    lane_.output.add_rejected(node_, schema, chunk, row, reason);
    return {};
  }
  std::int64_t now_ms() const override { return graph_.now_ms_; }
  void note_told() override { lane_.told = true; }

 private:
  Dataflow& graph_;
  Lane& lane_;
  std::size_t node_;
  std::size_t input_;  // whose rows are processed
};

namespace {

std::vector<column::Type> types_of(const column::Schema& schema) {
  std::vector<column::Type> types;
  for (const auto& field : schema) types.push_back(field.type);
  return types;
}

// Takes the rows of `chunks`, and gives back those that event time has passed.
std::vector<Chunk> pass_through(operators::SortedRows& waiting, const std::vector<Chunk>& chunks,
                                Watermark watermark) {
  for (const Chunk& chunk : chunks) {
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) rows.push_back(chunk.selection[i]);
    waiting.add(chunk, rows);
  }
  std::vector<operators::RowId> ids = waiting.take(watermark);
  std::vector<Chunk> passed;
  for (std::size_t from = 0; from < ids.size(); from += column::chunk_rows) {
    operators::ChunkMaker maker;
    std::vector<operators::StoredRow> rows;
    std::size_t end = std::min(ids.size(), from + column::chunk_rows);
    for (std::size_t i = from; i < end; ++i) {
      rows.push_back(waiting.store().row(ids[i]));
      maker.add(rows.back(), rows.back().kind());
    }
    const auto& types = waiting.store().types();
    for (std::size_t i = 0; i < types.size(); ++i) maker.add_column(types[i], rows, i);
    passed.push_back(maker.finish());
  }
  for (operators::RowId id : ids) waiting.store().release(id);
  return passed;
}

}  // namespace

Dataflow::Dataflow(const plan::BoundPlan& plan, std::size_t lanes, bool exact_order)
    : plan_(plan), exact_order_(exact_order) {
  make_nodes();
  find_order();
  make_lanes(takes_any_order_ ? lanes : 1);
}

Dataflow::~Dataflow() = default;

void Dataflow::make_lanes(std::size_t lanes) {
  lanes_.clear();
  for (std::size_t i = 0; i < lanes; ++i) {
    auto& lane = *lanes_.emplace_back(std::make_unique<Lane>());
    lane.number = i;
    lane.complete.resize(nodes_.size());
    lane.sent.resize(nodes_.size());
    lane.gathered.resize(nodes_.size());
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      lane.sent[node].resize(lanes);
      const Operator* work = nodes_[node].work.get();
      lane.states.push_back(work != nullptr ? work->make_state() : nullptr);
      bool merges = work != nullptr && work->can_merge() && lanes > 1;
      if (merges) lane.complete[node] = work->make_state();
    }
  }
}

void Dataflow::make_nodes() {
  nodes_.resize(plan_.nodes.size());
  ArrivalNeeds needs = arrival_needs(plan_);
  row_by_row_ = needs.row_by_row;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const plan::BoundNode& bound = plan_.nodes[i];
    nodes_[i].bound = &bound;
    nodes_[i].traits = traits_of(bound);
    nodes_[i].gathers = needs.gathers[i];
    nodes_[i].work = make_operator(plan_, i);
    for (std::size_t input = 0; input < bound.inputs.size(); ++input) {
      nodes_[bound.inputs[input]].readers.push_back({i, input});
    }
  }
}

// Finds out which sinks get rows in an order that does not depend on how they were read.
void Dataflow::find_order() {
  // Nodes that give rows in an order of their own, and by how many ways, if by one or more.
  using Givers = std::map<std::size_t, int>;
  std::vector<Givers> givers(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    if (node.traits.judges_arrival) takes_any_order_ = false;
    if (node.traits.keeps_rows || node.traits.is_source) {
      givers[i] = {{i, 1}};
      continue;
    }
    for (std::size_t input : node.bound->inputs) {
      for (auto [giver, ways] : givers[input]) givers[i][giver] += std::min(ways, 2);
    }
    if (!node.traits.is_sink) continue;
    bool in_order_of_time = true;
    for (auto [giver, ways] : givers[i]) {
      if (nodes_[giver].traits.is_source) takes_any_order_ = false;
      in_order_of_time = in_order_of_time && nodes_[giver].traits.gives_in_order_of_time;
    }
    if (in_order_of_time && givers[i].size() > 1)
      node.waiting.emplace(types_of(node.bound->schema));
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i].traits.is_sink) continue;
    bool several = std::any_of(givers[i].begin(), givers[i].end(),
                               [](const auto& giver) { return giver.second > 1; });
    nodes_[i].order.emplace(plan_, i, SinkOrder::Traits{takes_any_order_, exact_order_, several});
    tracks_ways_ = tracks_ways_ || nodes_[i].order->looks_at_ways();
  }
}

Result<void> Dataflow::process(std::size_t lane, std::size_t source, const Chunk& chunk) {
  lanes_[lane]->rows += chunk.selection.size();
  lanes_[lane]->output.begin_turn(0);
  if (auto ok = give(*lanes_[lane], source, chunk); !ok) return ok;
  return judge_gathered(*lanes_[lane], &chunk);
}

// Rows of the chunk, or of a node that gives them in the order of time, have gone all their ways.
Result<void> Dataflow::judge_gathered(Lane& lane, const Chunk* from) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (lane.gathered[i].empty()) continue;
    auto chunks = std::exchange(lane.gathered[i], {});
    if (chunks.size() > 1) {
      chunks = from != nullptr ? in_order_of_arrival(chunks, *from) : in_order_of_time(chunks);
    }
    Port port(*this, lane, i);
    for (const Chunk& chunk : chunks) {
      auto ok = nodes_[i].work->process(*lane.states[i], 0, chunk, port);
      if (!ok) return ok;
    }
  }
  return {};
}

Result<void> Dataflow::give(Lane& lane, std::size_t from, const Chunk& chunk) {
  const auto& readers = nodes_[from].readers;
  Result<void> result;
  for (std::size_t i = 0; i < readers.size() && result; ++i) {
    std::size_t before = lane.way.size();
    if (tracks_ways_) lane.way += {static_cast<char>(i >> 8), static_cast<char>(i & 0xff)};
    result = take(lane, readers[i], chunk);
    lane.way.resize(before);
  }
  return result;
}

Result<void> Dataflow::take(Lane& lane, const Edge& edge, const Chunk& chunk) {
  Node& node = nodes_[edge.node];
  if (node.traits.is_sink) {
    lane.output.add(edge.node, chunk, lane.way);
    return {};
  }
  if (node.gathers) {
    lane.gathered[edge.node].push_back(chunk);
    return {};
  }
  if (lanes_.size() > 1 && is_spread(edge.node)) return spread(lane, edge, chunk);
  Port port(*this, lane, edge.node, edge.input);
  return node.work->process(*lane.states[edge.node], edge.input, chunk, port);
}

// Keeps the rows for the lanes that have their keys.
Result<void> Dataflow::spread(Lane& lane, const Edge& edge, const Chunk& chunk) {
  auto& sent = lane.sent[edge.node];
  auto keys = nodes_[edge.node].work->gathers_by(edge.input);
  if (keys.empty()) {
    sent[0].push_back({edge.input, chunk});
    return {};
  }
  column::hash_rows(chunk, keys, lane.hashes);
  std::vector<std::vector<std::uint32_t>> rows(lanes_.size());
  for (std::size_t i = 0; i < lane.hashes.size(); ++i) {
    // The upper bits, since tables of keys look at the lower ones.
    auto to = static_cast<std::size_t>((lane.hashes[i] >> 32) * lanes_.size() >> 32);
    rows[to].push_back(chunk.selection[i]);
  }
  for (std::size_t to = 0; to < rows.size(); ++to) {
    if (rows[to].empty()) continue;
    Chunk part = chunk;
    part.selection = column::Selection::of(std::move(rows[to]));
    sent[to].push_back({edge.input, std::move(part)});
  }
  return {};
}

Result<void> Dataflow::finish_step(Watermark watermark, Workers& workers, Outlet& outlet) {
  return finish(watermark, false, workers, outlet);
}

Result<void> Dataflow::advance(Watermark watermark, Workers& workers, Outlet& outlet) {
  return finish(watermark, true, workers, outlet);
}

Result<void> Dataflow::finish(Watermark watermark, bool goes_on, Workers& workers, Outlet& outlet) {
  ASSERT(workers.size() <= lanes_.size());
  // Waking the others costs more than some thousand rows.
  std::size_t rows = 0;
  for (auto& lane : lanes_) rows += std::exchange(lane->rows, 0);
  small_step_ = lanes_.size() == 1 || (rows < 2 * column::chunk_rows && watermark != watermark_max);
  Result<void> result;
  for (std::size_t i = 0; i < nodes_.size() && result; ++i) {
    Node& node = nodes_[i];
    Watermark least = node.traits.is_source ? watermark : watermark_max;
    for (std::size_t input : node.bound->inputs) least = std::min(least, nodes_[input].passed);
    // What is changed later is told once in a step: it stays where it is until then.
    if (goes_on && node.traits.keeps_rows && node.bound->revises) least = node.watermark;
    if (node.traits.keeps_rows) result = finish_node(i, least, goes_on, workers);
    node.watermark = least;
    bool bounded = least != watermark_min && least != watermark_max && node.work != nullptr;
    node.passed = bounded ? node.work->passes_on(least) : least;
  }
  // Also what came before an error is written.
  auto written = write_all(goes_on, outlet);
  return result ? written : result;
}

Result<void> Dataflow::on_all_lanes(Workers& workers, bool shared,
                                    const std::function<Result<void>(Lane&)>& work) {
  if (!shared) {
    for (auto& lane : lanes_) {
      if (auto ok = work(*lane); !ok) return ok;
    }
    return {};
  }
  std::vector<Result<void>> results(lanes_.size());
  workers.run([&](std::size_t worker) {
    for (std::size_t i = worker; i < lanes_.size(); i += workers.size()) {
      results[i] = work(*lanes_[i]);
    }
  });
  for (auto& result : results) {
    if (!result) return result;
  }
  return {};
}

Result<void> Dataflow::finish_node(std::size_t i, Watermark watermark, bool goes_on,
                                   Workers& workers) {
  Node& node = nodes_[i];
  for (auto& lane : lanes_) lane->output.begin_turn(i + 1);
  if (node.work->can_merge() && lanes_.size() > 1) return finish_merging(i, watermark, workers);
  auto finished = on_all_lanes(workers, !small_step_, [&](Lane& lane) -> Result<void> {
    if (auto ok = take_exchanged(lane, i); !ok) return ok;
    Port port(*this, lane, i);
    if (watermark > node.watermark) {
      if (auto ok = node.work->advance(*lane.states[i], watermark, port); !ok) return ok;
    }
    auto updated = goes_on ? Result<void>() : node.work->update(*lane.states[i], port);
    return updated ? judge_gathered(lane, nullptr) : updated;
  });
  bool told = false;
  for (auto& lane : lanes_) told = std::exchange(lane->told, false) || told;
  for (auto& lane : lanes_) {
    if (told) node.work->note_told(*lane->states[i], now_ms_);
  }
  told_ = told_ || told;
  return finished;
}

// Takes what all lanes have kept for this one.
Result<void> Dataflow::take_exchanged(Lane& lane, std::size_t node) {
  for (auto& from : lanes_) {
    // Each lane takes from lists that are its own.
    for (auto& [input, chunk] : std::exchange(from->sent[node][lane.number], {})) {
      Port port(*this, lane, node, input);
      auto ok = nodes_[node].work->process(*lane.states[node], input, chunk, port);
      if (!ok) return ok;
    }
  }
  return {};
}

// If the node allows it, each worker takes what completes in a part of the time.
Result<void> Dataflow::finish_merging(std::size_t i, Watermark watermark, Workers& workers) {
  Node& node = nodes_[i];
  Watermark before = node.watermark;
  if (watermark <= before) return {};
  auto merge_into = [&](OperatorState& whole, Watermark up_to) {
    for (auto& lane : lanes_) {
      if (lane->states[i].get() != &whole) node.work->merge(whole, *lane->states[i], up_to);
    }
  };
  bool one_by_one = !node.work->merges_by_time() || before == watermark_min;
  if (one_by_one || small_step_ || watermark == watermark_max) {
    Lane& first = *lanes_[0];
    merge_into(*first.states[i], watermark);
    Port port(*this, first, i);
    return node.work->advance(*first.states[i], watermark, port);
  }
  std::vector<Watermark> ends(lanes_.size(), watermark);
  auto parts = static_cast<Watermark>(ends.size());
  for (Watermark part = 1; part < parts; ++part) {
    ends[static_cast<std::size_t>(part - 1)] = before + (watermark - before) / parts * part;
  }
  for (auto& lane : lanes_) merge_into(*lane->complete[i], ends[lane->number]);
  return on_all_lanes(workers, true, [&](Lane& lane) {
    Port port(*this, lane, i);
    return node.work->advance(*lane.complete[i], ends[lane.number], port);
  });
}

Result<void> Dataflow::write_all(bool goes_on, Outlet& outlet) {
  if (ended_) return tl::unexpected(*ended_);
  std::vector<StepOutput*> outputs;
  for (auto& lane : lanes_) outputs.push_back(&lane->output);
  bool ends = plan_.plan->bad_rows.policy == plan::BadRows::Policy::fail &&
              StepOutput::cut_at_first_rejected(outputs);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    if (!node.traits.is_sink) continue;
    // Of what waits there something may be behind the row that ends the run.
    if (ends && node.waiting) continue;
    if (auto ok = write_sink(i, outputs, goes_on, outlet); !ok) return ok;
  }
  auto handed_out = StepOutput::hand_out_rest(outputs, outlet, counts_);
  if (ends && !handed_out) ended_ = handed_out.error();
  return handed_out;
}

Result<void> Dataflow::write_sink(std::size_t i, std::span<StepOutput* const> outputs, bool goes_on,
                                  Outlet& outlet) {
  Node& node = nodes_[i];
  if (goes_on && node.order->needs_all()) return {};
  std::vector<StepOutput::Given> given;
  std::size_t givers = StepOutput::take(outputs, i, given);
  if (node.order->revises()) {
    for (const auto& chunks : node.order->turns(std::move(given))) {
      for (const Chunk& chunk : chunks) counts_.rows_out += chunk.selection.size();
      if (auto ok = outlet.write_changes(i, chunks); !ok) return ok;
    }
    return {};
  }
  std::vector<Chunk> chunks = node.order->order(std::move(given), givers);
  if (node.waiting) chunks = pass_through(*node.waiting, chunks, node.watermark);
  for (const Chunk& chunk : chunks) {
    counts_.rows_out += chunk.selection.size();
    if (auto ok = outlet.write(i, chunk); !ok) return ok;
  }
  return {};
}

std::vector<std::size_t> Dataflow::bytes() const {
  std::vector<std::size_t> bytes(nodes_.size(), 0);
  for (const auto& lane : lanes_) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (lane->states[i]) bytes[i] += lane->states[i]->bytes();
    }
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].waiting) bytes[i] += nodes_[i].waiting->bytes();
  }
  return bytes;
}

bool Dataflow::is_spread(std::size_t node) const {
  return nodes_[node].traits.keeps_rows && !nodes_[node].work->can_merge();
}

void Dataflow::snapshot(StateWriter& writer) {
  writer.section("dataflow", 1);
  writer.write(static_cast<std::uint32_t>(lanes_.size()));
  writer.write(static_cast<std::uint32_t>(nodes_.size()));
  for (const Node& node : nodes_) writer.write(node.watermark);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].waiting) nodes_[i].waiting->snapshot(writer);
    if (!nodes_[i].traits.keeps_rows) continue;
    OperatorState& first = *lanes_[0]->states[i];
    for (auto& lane : lanes_) {
      if (lane->number == 0) continue;
      if (!is_spread(i)) nodes_[i].work->merge(first, *lane->states[i], watermark_max);
    }
    first.snapshot(writer);
    for (auto& lane : lanes_) {
      if (lane->number > 0 && is_spread(i)) lane->states[i]->snapshot(writer);
    }
  }
}

Result<void> Dataflow::restore(StateReader& reader) {
  if (auto ok = reader.section("dataflow", 1); !ok) return ok;
  std::size_t lanes = reader.read<std::uint32_t>();
  constexpr std::size_t lanes_max = 1'024;
  if (lanes < 1 || lanes > (takes_any_order_ ? lanes_max : 1)) {
    return fail(Errc::corrupt_message, fmt::format("a snapshot of {} lanes", lanes));
  }
  if (lanes != lanes_.size()) make_lanes(lanes);
  if (reader.read<std::uint32_t>() != nodes_.size()) {
    return fail(Errc::snapshot_mismatch, "the snapshot is of a plan with other nodes");
  }
  for (Node& node : nodes_) {
    node.watermark = reader.read<Watermark>();
    bool bounded = node.watermark != watermark_min && node.watermark != watermark_max && node.work;
    node.passed = bounded ? node.work->passes_on(node.watermark) : node.watermark;
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].waiting) nodes_[i].waiting->restore(reader);
    if (!nodes_[i].traits.keeps_rows) continue;
    for (auto& lane : lanes_) {
      if (lane->number > 0 && !is_spread(i)) break;
      if (auto ok = lane->states[i]->restore(reader); !ok) return ok;
    }
  }
  return {};
}

}  // namespace leat::stream
