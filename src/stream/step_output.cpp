#include "stream/step_output.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "stream/chunk_order.h"

namespace leat::stream {

using column::Chunk;

namespace {

template <class T>
void move_to(std::vector<T>& all, std::vector<T>& some) {
  all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  some.clear();
}

}  // namespace

std::size_t StepOutput::take(std::span<StepOutput* const> lanes, std::size_t node,
                             std::vector<Given>& given) {
  std::size_t givers = 0;
  for (StepOutput* lane : lanes) {
    auto found = lane->written_.find(node);
    if (found == lane->written_.end() || found->second.empty()) continue;
    ++givers;
    move_to(given, found->second);
  }
  return givers;
}

Result<void> StepOutput::hand_out_late(std::size_t node, const Late& late, Outlet& outlet,
                                       OutputCounts& counts) {
  std::vector<Chunk> chunks;
  for (const auto& [input, chunk] : late) chunks.push_back(chunk);
  for (const ChunkPart& part : in_order_of_position(chunks)) {
    counts.late += part.rows.selection.size();
    if (auto ok = outlet.late(node, late[part.of].first, part.rows); !ok) return ok;
  }
  return {};
}

Result<void> StepOutput::hand_out_rest(std::span<StepOutput* const> lanes, Outlet& outlet,
                                       OutputCounts& counts) {
  std::map<std::size_t, Late> late;
  std::vector<Rejected> rejected;
  for (StepOutput* lane : lanes) {
    for (auto& [node, some] : lane->late_) move_to(late[node], some);
    move_to(rejected, lane->rejected_);
  }
  for (const auto& [node, rows] : late) {
    if (auto ok = hand_out_late(node, rows, outlet, counts); !ok) return ok;
  }
  auto before = [](const Rejected& a, const Rejected& b) {
    auto place = [](const Rejected& it) {
      const column::RowContext& context = *it.chunk.context;
      const column::RowRun& run = column::RunCursor(context).run_of(it.row);
      return std::tuple(it.node, context.event_times_ms[it.row], context.position(it.row, run));
    };
    return place(a) < place(b);
  };
  std::stable_sort(rejected.begin(), rejected.end(), before);
  for (const auto& [node, schema, chunk, row, reason] : rejected) {
    ++counts.rejected;
    if (auto ok = outlet.reject(node, schema, chunk, row, reason); !ok) return ok;
  }
  return {};
}

}  // namespace leat::stream
