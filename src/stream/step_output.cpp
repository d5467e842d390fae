#include "stream/step_output.h"

#include <algorithm>
#include <iterator>
#include <optional>
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

using Place = std::tuple<std::int64_t, column::Position>;

column::RowRun run_of(const Chunk& chunk, std::uint32_t row) {
  return column::RunCursor(*chunk.context).run_of(row);
}

Place place_of(const Chunk& chunk, std::uint32_t row) {
  return {chunk.context->event_times_ms[row], chunk.context->position(row, run_of(chunk, row))};
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

// Of the chunk that came first, where one lane has them all: a partition's rows are in the order of
// their offsets, which is not that of time; of several partitions' first ones the earliest.
const StepOutput::Rejected* StepOutput::first_rejected(std::span<StepOutput* const> lanes) {
  auto when_of = [&](const Rejected& it) {
    return std::pair(it.turn, lanes.size() == 1 ? it.in_chunk : 0);
  };
  std::optional<std::pair<std::size_t, std::size_t>> when;
  for (StepOutput* lane : lanes) {
    for (const auto& it : lane->rejected_) when = std::min(when.value_or(when_of(it)), when_of(it));
  }
  std::map<std::uint64_t, const Rejected*> by_origin;
  for (StepOutput* lane : lanes) {
    for (const auto& it : lane->rejected_) {
      if (when_of(it) != *when) continue;
      const Rejected*& first = by_origin[run_of(it.chunk, it.row).origin()];
      auto place = [&](const Rejected& of) {
        bool of_source = of.turn == 0;
        return std::tuple(of_source ? of.chunk.context->places[of.row] : 0,
                          place_of(of.chunk, of.row), of.node);
      };
      if (first == nullptr || place(it) < place(*first)) first = &it;
    }
  }
  const Rejected* first = nullptr;
  for (const auto& [origin, it] : by_origin) {
    bool earlier =
        first == nullptr || place_of(it->chunk, it->row) < place_of(first->chunk, first->row);
    if (earlier) first = it;
  }
  return first;
}

// What is not known to come before it does not: rows of one chunk of a source are in the order in
// which they were taken, of other partitions, in a context of their own, nothing is known.
bool StepOutput::is_before(const Given& given, std::uint32_t row, const Rejected& rejected) {
  const Chunk& chunk = given.rows;
  if (rejected.turn > 0) return place_of(chunk, row) < place_of(rejected.chunk, rejected.row);
  if (chunk.context == rejected.chunk.context) return row < rejected.row;
  const column::RowRun run = run_of(chunk, row);
  return run.origin() == run_of(rejected.chunk, rejected.row).origin() &&
         chunk.context->places[row] < rejected.chunk.context->places[rejected.row];
}

void StepOutput::keep_before(std::vector<Given>& given, const Rejected& rejected) {
  std::vector<Given> kept;
  for (Given& some : given) {
    if (std::pair(some.turn, some.chunk) > rejected.when()) continue;
    if (std::pair(some.turn, some.chunk) == rejected.when()) {
      std::vector<std::uint32_t> rows;
      for (std::size_t i = 0; i < some.rows.selection.size(); ++i) {
        std::uint32_t row = some.rows.selection[i];
        if (is_before(some, row, rejected)) rows.push_back(row);
      }
      if (rows.empty()) continue;
      some.rows.selection = column::Selection::of(std::move(rows));
    }
    kept.push_back(std::move(some));
  }
  given = std::move(kept);
}

bool StepOutput::cut_at_first_rejected(std::span<StepOutput* const> lanes) {
  const Rejected* found = first_rejected(lanes);
  if (found == nullptr) return false;
  Rejected first = *found;
  for (StepOutput* lane : lanes) {
    for (auto& [node, given] : lane->written_) keep_before(given, first);
    lane->late_.clear();
    lane->rejected_.clear();
  }
  lanes[0]->rejected_.push_back(std::move(first));
  return true;
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
    auto place = [](const Rejected& it) { return std::tuple(it.node, place_of(it.chunk, it.row)); };
    return place(a) < place(b);
  };
  std::stable_sort(rejected.begin(), rejected.end(), before);
  for (const auto& it : rejected) {
    ++counts.rejected;
    auto ok = outlet.reject(it.node, it.schema, it.chunk, it.row, it.reason);
    if (!ok) return ok;
  }
  return {};
}

}  // namespace leat::stream
