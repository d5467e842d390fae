#include "operators/over_peers.h"

#include <algorithm>
#include <span>
#include <utility>

#include "operators/chunk_maker.h"
#include "operators/peer_sums.h"
#include "operators/sorted_rows.h"

namespace leat::operators {

namespace {

// Whether rows come in the order of time, as a window or a join gives them: never late, all of one
// origin.
bool is_in_order(const column::RowContext& context, std::span<const std::uint32_t> rows) {
  if (context.runs.size() != 1 || context.runs[0].watermark_ms != watermark_min) return false;
  if (!context.kinds.empty()) return false;
  const column::RowRun& run = context.runs[0];
  for (std::size_t i = 1; i < rows.size(); ++i) {
    std::uint32_t before = rows[i - 1], row = rows[i];
    std::int64_t step_ms = context.event_times_ms[row] - context.event_times_ms[before];
    if (step_ms > 0) continue;
    if (step_ms < 0 || !(context.position(before, run) < context.position(row, run))) return false;
  }
  return true;
}

}  // namespace

//   state := section "over" rows waiting 0:u32         as Over has it, without keys
//   rows, waiting: see sorted_rows.h and saved_rows.h
class OverPeers::State : public OperatorState {
 public:
  explicit State(const OverParts& parts) : rows_(parts.inputs.types()), sums_(parts) {}

  void add(const column::Chunk& chunk, std::vector<std::uint32_t> rows) {
    if (rows.empty()) return;
    if (!goes_on(chunk, rows)) {
      store_all();
      rows_.add(chunk, rows);
      return;
    }
    in_order_.push_back({chunk, std::move(rows)});
  }

  Result<void> advance(Watermark watermark, Context& context) {
    auto given = in_order_.empty() ? give_stored(watermark, context) : give(watermark, context);
    // A chunk keeps more than its rows, and they may wait for long.
    store_all();
    return given;
  }

  void snapshot(StateWriter& writer) const override {
    store_all();
    writer.section("over", 2);
    rows_.snapshot(writer);
    writer.write(std::uint32_t{0});
  }
  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("over", 2); !section) return fail(section);
    RestoredRows restored(reader, rows_.store());
    rows_.restore(restored);
    restored.finish();
    if (reader.read<std::uint32_t>() != 0) {
      return fail(Errc::snapshot_mismatch, "the snapshot is of frames that are longer");
    }
    return {};
  }
  std::size_t bytes() const override { return rows_.bytes() + sums_.bytes(); }

 private:
  using Chunks = std::vector<PeerRows>;

  bool goes_on(const column::Chunk& chunk, std::span<const std::uint32_t> rows) const {
    if (rows_.waiting() > 0 || !is_in_order(*chunk.context, rows)) return false;
    if (in_order_.empty()) return true;
    const PeerRows& last = in_order_.back();
    auto place = [](const column::RowContext& context, std::uint32_t row) {
      return std::pair(context.event_times_ms[row], context.position(row, context.runs[0]));
    };
    return place(*last.chunk.context, last.rows.back()) < place(*chunk.context, rows.front());
  }

  // What waits is the same, only elsewhere.
  void store_all() const {
    for (const PeerRows& some : in_order_) rows_.add(some.chunk, some.rows);
    in_order_.clear();
  }

  // The rows of `in_order_` that event time has passed.
  Result<void> give(Watermark watermark, Context& context) {
    Chunks passed;
    std::size_t gone = 0;
    while (gone < in_order_.size() && in_order_[gone].time_ms(0) < watermark) {
      PeerRows& some = in_order_[gone];
      std::size_t count = some.rows.size();
      while (some.time_ms(count - 1) >= watermark) --count;
      auto end = some.rows.begin() + static_cast<std::ptrdiff_t>(count);
      passed.push_back({some.chunk, {some.rows.begin(), end}});
      some.rows.erase(some.rows.begin(), end);
      if (!some.rows.empty()) break;
      ++gone;
    }
    in_order_.erase(in_order_.begin(), in_order_.begin() + static_cast<std::ptrdiff_t>(gone));
    for (std::span<PeerRows> left = passed; !left.empty();) {
      std::size_t count = 1;
      std::size_t rows = left[0].rows.size();
      while (count < left.size() && (rows < column::chunk_rows || is_split(left, count))) {
        rows += left[count++].rows.size();
      }
      if (auto ok = sums_.give(left.first(count), context); !ok) return ok;
      left = left.subspan(count);
    }
    return {};
  }
  // Whether a time goes on in the chunk with that number.
  static bool is_split(std::span<const PeerRows> all, std::size_t next) {
    const PeerRows& before = all[next - 1];
    return before.time_ms(before.rows.size() - 1) == all[next].time_ms(0);
  }

  // The same of those that are stored.
  Result<void> give_stored(Watermark watermark, Context& context) {
    std::vector<RowId> taken = rows_.take(watermark);
    for (std::span<const RowId> left = taken; !left.empty();) {
      std::size_t count = std::min(left.size(), column::chunk_rows);
      while (count < left.size() && time_of(left[count]) == time_of(left[count - 1])) ++count;
      Chunks chunks;
      for (std::size_t at = 0; at < count; at += column::chunk_rows) {
        chunks.push_back(copied(left.subspan(at, std::min(count - at, column::chunk_rows))));
      }
      if (auto ok = sums_.give(chunks, context); !ok) return ok;
      for (RowId row : left.first(count)) rows_.store().release(row);
      left = left.subspan(count);
    }
    return {};
  }

  std::int64_t time_of(RowId row) const { return rows_.store().row(row).time_ms(); }

  PeerRows copied(std::span<const RowId> ids) const {
    ChunkMaker maker;
    std::vector<StoredRow> rows;
    for (RowId id : ids) maker.add(rows.emplace_back(rows_.store().row(id)));
    const auto& types = rows_.store().types();
    for (std::size_t c = 0; c < types.size(); ++c) maker.add_column(types[c], rows, c);
    PeerRows some{maker.finish(), std::vector<std::uint32_t>(ids.size())};
    for (std::uint32_t i = 0; i < some.rows.size(); ++i) some.rows[i] = i;
    return some;
  }

  // Rows wait in one of both: `in_order_` are those of this step, each behind the one before. Which
  // one it is, is no part of the state.
  mutable SortedRows rows_;
  mutable Chunks in_order_;
  PeerSums sums_;
};

std::unique_ptr<OperatorState> OverPeers::make_state() const {
  return std::make_unique<State>(parts_);
}

Result<void> OverPeers::take(OperatorState& state, const column::Chunk& chunk,
                             std::vector<std::uint32_t> rows, Context&) const {
  static_cast<State&>(state).add(chunk, std::move(rows));
  return {};
}

Result<void> OverPeers::advance(OperatorState& state, Watermark watermark, Context& context) const {
  return static_cast<State&>(state).advance(watermark, context);
}

}  // namespace leat::operators
