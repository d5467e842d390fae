#include "stream/step_output.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "stream/chunk_order.h"

namespace leat::stream {

using column::Chunk;

namespace {

void move_to(std::vector<Chunk>& all, std::vector<Chunk>& some) {
  all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  some.clear();
}

}  // namespace

std::vector<Chunk> StepOutput::take(std::span<StepOutput* const> lanes, std::size_t node,
                                    bool changes) {
  std::vector<Chunk> chunks;
  std::size_t givers = 0;
  for (StepOutput* lane : lanes) {
    auto found = lane->written_.find(node);
    if (found == lane->written_.end() || found->second.empty()) continue;
    ++givers;
    move_to(chunks, found->second);
  }
  return givers > 1 && !changes ? in_order_of_time(chunks) : chunks;
}

Result<void> StepOutput::hand_out_rest(std::span<StepOutput* const> lanes, Outlet& outlet,
                                       OutputCounts& counts) {
  std::map<std::pair<std::size_t, std::size_t>, std::vector<Chunk>> late;
  std::vector<Rejected> rejected;
  for (StepOutput* lane : lanes) {
    for (auto& [input, chunks] : lane->late_) move_to(late[input], chunks);
    rejected.insert(rejected.end(), std::make_move_iterator(lane->rejected_.begin()),
                    std::make_move_iterator(lane->rejected_.end()));
    lane->rejected_.clear();
  }
  for (const auto& [input, chunks] : late) {
    for (const Chunk& chunk : in_order_of_position(chunks)) {
      counts.late += chunk.selection.size();
      if (auto ok = outlet.late(input.first, input.second, chunk); !ok) return ok;
    }
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
