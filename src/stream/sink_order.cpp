#include "stream/sink_order.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "stream/chunk_order.h"

namespace leat::stream {

using column::Chunk;
using Givens = std::vector<StepOutput::Given>;

namespace {

std::vector<Chunk> rows_of(Givens given) {
  std::vector<Chunk> chunks;
  for (auto& one : given) chunks.push_back(std::move(one.rows));
  return chunks;
}

std::vector<column::Type> key_types_of(const plan::BoundNode& window) {
  constexpr std::size_t bounds = 2;  // window_start and window_end come first
  std::vector<column::Type> types;
  for (std::size_t i = 0; i < window.keys.size(); ++i) {
    types.push_back(window.schema[bounds + i].type);
  }
  return types;
}

}  // namespace

SinkOrder::SinkOrder(const plan::BoundPlan& plan, std::size_t sink, const Traits& traits)
    : plan_(plan), traits_(traits), revises_(plan.nodes[sink].revises) {}

std::vector<Chunk> SinkOrder::order(Givens given, std::size_t lanes) const {
  ASSERT(!revises_);
  bool in_order = lanes <= 1 && !(traits_.exact && traits_.any_order && traits_.several_ways);
  std::vector<Chunk> chunks = rows_of(std::move(given));
  return in_order ? chunks : in_order_of_time(chunks);
}

std::vector<std::vector<Chunk>> SinkOrder::turns(Givens given) const {
  auto by_turn = [](const auto& a, const auto& b) { return a.turn < b.turn; };
  if (!std::is_sorted(given.begin(), given.end(), by_turn)) {
    std::stable_sort(given.begin(), given.end(), by_turn);
  }
  std::vector<std::vector<Chunk>> all;
  for (auto begin = given.begin(); begin != given.end();) {
    auto end =
        std::find_if(begin, given.end(), [&](const auto& it) { return it.turn != begin->turn; });
    all.push_back(order_turn(Givens(std::make_move_iterator(begin), std::make_move_iterator(end))));
    begin = end;
  }
  return all;
}

// Of rows that change: what came in one turn, not empty.
std::vector<Chunk> SinkOrder::order_turn(Givens given) const {
  std::size_t turn = given.front().turn;
  if (turn == 0 || !traits_.exact) return rows_of(std::move(given));
  const plan::BoundNode& giver = plan_.nodes[turn - 1];
  if (!giver.revises) {
    std::vector<Chunk> chunks = rows_of(std::move(given));
    return traits_.any_order ? in_order_of_time(chunks) : chunks;
  }
  // What others change follows from the order in which they got their rows, one by one.
  if (!std::holds_alternative<plan::Window>(giver.node->body)) return rows_of(std::move(given));
  std::vector<ChangeChunk> changes;
  for (auto& one : given) changes.push_back({std::move(one.rows), std::move(one.way)});
  return in_order_of_changes(changes, key_types_of(giver));
}

}  // namespace leat::stream
