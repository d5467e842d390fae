// State, as section "window" version 1:
//
//   body  := keys:u32 aggregates:u32 slices:u32 slice*
//   slice := start_ms:i64 groups:u32 key* accumulators*     keys as in column/row_key.h, each as
//   text;
//                                                           accumulators by aggregate, then group
#include "stream/window_aggregate.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "column/row_key.h"
#include "stream/aggregate.h"
#include "operators/group_table.h"
#include "operators/recent_groups.h"

namespace leat::stream {

using operators::GroupTable;
using operators::RecentGroups;

using column::Chunk;
using column::Type;
using column::Vector;

/// One window's groups.
struct WindowAggregate::Slice {
  GroupTable groups;
  std::vector<std::unique_ptr<Accumulators>> accumulators;
  // Rows of the chunk at hand; empty between chunks.
  std::vector<std::uint32_t> rows;

  void clear() {
    groups.clear();
    for (auto& of_groups : accumulators) of_groups->resize(0);
  }
};

namespace {

// The groups in the order of their keys, most of which differ in their first bytes.
std::vector<std::uint32_t> groups_by_key(const GroupTable& groups) {
  struct Entry {
    std::uint64_t begin;  // of the key, as a number that sorts like it
    std::uint32_t group;
  };
  std::vector<Entry> entries(groups.size());
  for (std::uint32_t group = 0; group < entries.size(); ++group) {
    std::string_view key = groups.key(group);
    std::byte bytes[sizeof(std::uint64_t)]{};
    if (!key.empty()) std::memcpy(bytes, key.data(), std::min(key.size(), sizeof bytes));
    entries[group] = {load_big_endian<std::uint64_t>(bytes), group};
  }
  std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    return groups.key(a.group) < groups.key(b.group);
  });
  std::vector<std::uint32_t> order(entries.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = entries[i].group;
  return order;
}

}  // namespace

class WindowAggregate::State final : public OperatorState {
 public:
  explicit State(const WindowAggregate& window) : window_(window) {}

  Slice& slice(std::int64_t start_ms) {
    auto& slice = slices[start_ms];
    if (!slice) slice = take_spare();
    return *slice;
  }

  /// Takes back a slice that nobody needs any more, for its memory: most windows are small.
  void keep(std::shared_ptr<Slice> slice) {
    constexpr std::size_t spares_max = 64;
    constexpr std::size_t groups_max = 1024;
    bool small = slice->groups.size() <= groups_max;
    if (slice.use_count() > 1 || !small || spares.size() == spares_max) return;
    slice->clear();
    spares.push_back(std::move(slice));
  }

  void snapshot(StateWriter& writer) const override;
  Result<void> restore(StateReader& reader) override;

  /// In return for a slice that went to `other`.
  void take_spare_of(State& other) {
    if (other.spares.empty()) return;
    spares.push_back(std::move(other.spares.back()));
    other.spares.pop_back();
  }

  std::map<std::int64_t, std::shared_ptr<Slice>> slices;  // by the start of their window
  // Kept for their memory.
  std::vector<Slice*> touched;
  std::vector<std::uint32_t> row_groups;
  std::string key;
  RecentGroups recent;  // of the slices that are here

 private:
  std::shared_ptr<Slice> take_spare() {
    if (!spares.empty()) {
      auto slice = std::move(spares.back());
      spares.pop_back();
      return slice;
    }
    auto slice = std::make_shared<Slice>();
    slice->accumulators = window_.make_accumulators();
    return slice;
  }

  std::vector<std::shared_ptr<Slice>> spares;
  const WindowAggregate& window_;
};

void WindowAggregate::State::snapshot(StateWriter& writer) const {
  auto count = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
  writer.section("window", 1);
  writer.write(count(window_.keys_.size()));
  writer.write(count(window_.aggregates_.size()));
  writer.write(count(slices.size()));
  for (const auto& [start_ms, slice] : slices) {
    writer.write(start_ms);
    writer.write(count(slice->groups.size()));
    for (std::size_t i = 0; i < slice->groups.size(); ++i) writer.write_text(slice->groups.key(i));
    for (const auto& accumulators : slice->accumulators) accumulators->snapshot(writer);
  }
}

Result<void> WindowAggregate::State::restore(StateReader& reader) {
  if (auto ok = reader.section("window", 1); !ok) return ok;
  if (reader.read<std::uint32_t>() != window_.keys_.size() ||
      reader.read<std::uint32_t>() != window_.aggregates_.size()) {
    return fail(Errc::snapshot_mismatch, "the snapshot is of a window with other keys");
  }
  for (auto left = reader.read_count(sizeof(std::int64_t)); left > 0; --left) {
    Slice& restored = slice(reader.read<std::int64_t>());
    std::uint32_t groups = reader.read_count(1);
    for (std::uint32_t i = 0; i < groups; ++i) {
      std::string_view group = reader.read_text();
      if (!window_.is_key(group)) {
        return fail(Errc::snapshot_mismatch, "the snapshot has a key of other columns");
      }
      if (restored.groups.find_or_add(group) != i) {
        return fail(Errc::corrupt_message, "the snapshot has a group twice");
      }
    }
    for (auto& accumulators : restored.accumulators) {
      accumulators->resize(groups);
      accumulators->restore(reader);
    }
  }
  return {};
}

WindowAggregate::WindowAggregate(const WindowPlan& window, const Schema& input)
    : size_ms_(window.size_ms) {
  schema_ = {{"window_start", Type::timestamp}, {"window_end", Type::timestamp}};
  for (const auto& key : window.keys) {
    keys_.push_back(*find_column(input, key));
    schema_.push_back(input[keys_.back()]);
  }
  for (const auto& aggregate : window.aggregates) {
    BoundAggregate bound{aggregate, {}, {}};
    if (!aggregate.column.empty()) {
      bound.column = *find_column(input, aggregate.column);
      bound.type = input[*bound.column].type;
    }
    schema_.push_back({aggregate.name, *result_type(aggregate, input)});
    aggregates_.push_back(std::move(bound));
  }
}

// Whether these bytes are a key of this window's columns.
bool WindowAggregate::is_key(std::string_view bytes) const {
  std::string texts;
  texts.reserve(bytes.size());
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    Vector cell(schema_[2 + i].type);
    cell.resize(1);
    if (!column::take_key(bytes, cell, 0, texts)) return false;
  }
  return bytes.empty();
}

std::unique_ptr<OperatorState> WindowAggregate::make_state() const {
  return std::make_unique<State>(*this);
}

std::vector<std::unique_ptr<Accumulators>> WindowAggregate::make_accumulators() const {
  std::vector<std::unique_ptr<Accumulators>> accumulators;
  for (const auto& [aggregate, column, type] : aggregates_) {
    accumulators.push_back(stream::make_accumulators(aggregate.kind, type));
  }
  return accumulators;
}

// Gives every selected row to the slice of its window, or to `late`.
void WindowAggregate::sort_into_slices(State& state, const Chunk& chunk,
                                       std::vector<std::uint32_t>& late) const {
  const auto& context = *chunk.context;
  ASSERT(context.event_times_ms.size() == chunk.rows && !context.runs.empty());
  Slice* slice = nullptr;
  std::int64_t start_ms = 0;
  const column::RowRun* run = context.runs.data();
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    while (row >= run->end) ++run;
    std::int64_t time_ms = context.event_times_ms[row];
    if (slice == nullptr || time_ms < start_ms || time_ms - start_ms >= size_ms_) {
      start_ms = time_ms / size_ms_ * size_ms_;
      if (start_ms > time_ms) start_ms -= size_ms_;
      slice = nullptr;
    }
    if (start_ms + size_ms_ <= run->watermark_ms) {
      late.push_back(row);
      continue;
    }
    if (slice == nullptr) {
      slice = &state.slice(start_ms);
      if (slice->rows.empty()) state.touched.push_back(slice);
    }
    slice->rows.push_back(row);
  }
}

std::uint32_t WindowAggregate::find_group(Slice& slice, const Chunk& chunk, std::uint32_t row,
                                          State& state) const {
  std::size_t bytes_max = 0;
  for (std::size_t column : keys_) bytes_max += column::key_bytes_max(*chunk.columns[column], row);
  if (state.key.size() < bytes_max) state.key.resize(bytes_max);
  char* end = state.key.data();
  for (std::size_t column : keys_) end = column::write_key(end, *chunk.columns[column], row);
  return slice.groups.find_or_add(
      {state.key.data(), static_cast<std::size_t>(end - state.key.data())});
}

// Finds the groups of the slice's rows.
void WindowAggregate::group_rows(Slice& slice, const Chunk& chunk, State& state) const {
  state.row_groups.resize(slice.rows.size());
  const Vector* texts = keys_.size() == 1 ? chunk.columns[keys_[0]].get() : nullptr;
  if (texts == nullptr || texts->type() != Type::text || texts->has_nulls()) {
    for (std::size_t i = 0; i < slice.rows.size(); ++i) {
      state.row_groups[i] = find_group(slice, chunk, slice.rows[i], state);
    }
    return;
  }
  for (std::size_t i = 0; i < slice.rows.size(); ++i) {
    // Decoding the rows behind has driven the texts out of the nearest cache.
    constexpr std::size_t ahead = 8;
    if (i + ahead < slice.rows.size()) {
      __builtin_prefetch(texts->text(slice.rows[i + ahead]).data());
    }
    std::string_view text = texts->text(slice.rows[i]);
    state.row_groups[i] = state.recent.find(
        &slice, text, [&] { return find_group(slice, chunk, slice.rows[i], state); });
  }
}

void WindowAggregate::update(Slice& slice, const Chunk& chunk, State& state) const {
  group_rows(slice, chunk, state);
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    auto column = aggregates_[i].column;
    slice.accumulators[i]->resize(slice.groups.size());
    slice.accumulators[i]->update(column ? chunk.columns[*column].get() : nullptr, slice.rows,
                                  state.row_groups);
  }
  slice.rows.clear();
}

Result<void> WindowAggregate::process(OperatorState& operator_state, const Chunk& chunk,
                                      Output& output) const {
  auto& state = static_cast<State&>(operator_state);
  std::vector<std::uint32_t> late;
  state.touched.clear();
  sort_into_slices(state, chunk, late);
  for (Slice* slice : state.touched) update(*slice, chunk, state);
  if (late.empty()) return {};
  return output.push_late(chunk, late);
}

Result<void> WindowAggregate::advance(OperatorState& operator_state, Watermark watermark,
                                      Output& output) const {
  auto& state = static_cast<State&>(operator_state);
  auto& slices = state.slices;
  state.recent.clear();
  while (!slices.empty() && slices.begin()->first + size_ms_ <= watermark) {
    auto node = slices.extract(slices.begin());
    auto emitted = emit(node.key(), node.mapped(), output);
    if (!emitted) return emitted;
    state.keep(std::move(node.mapped()));
  }
  return {};
}

void WindowAggregate::merge(OperatorState& whole, OperatorState& part, Watermark watermark) const {
  auto& state = static_cast<State&>(whole);
  auto& others = static_cast<State&>(part);
  auto& slices = others.slices;
  others.recent.clear();
  std::vector<std::uint32_t> groups;
  while (!slices.empty() &&
         (watermark == watermark_max || slices.begin()->first + size_ms_ <= watermark)) {
    auto [at, moved, left] = state.slices.insert(slices.extract(slices.begin()));
    if (moved) {
      others.take_spare_of(state);
      continue;
    }
    Slice& to = *at->second;
    const Slice& from = *left.mapped();
    groups.resize(from.groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
      groups[i] = to.groups.find_or_add(from.groups.key(i));
    }
    for (std::size_t i = 0; i < aggregates_.size(); ++i) {
      to.accumulators[i]->resize(to.groups.size());
      to.accumulators[i]->merge(*from.accumulators[i], groups);
    }
    others.keep(std::move(left.mapped()));
  }
}

Result<void> WindowAggregate::emit(std::int64_t window_start, std::shared_ptr<const Slice> slice,
                                   Output& output) const {
  std::vector<std::uint32_t> order = groups_by_key(slice->groups);
  std::span<const std::uint32_t> left = order;
  while (!left.empty()) {
    auto groups = left.first(std::min(left.size(), column::chunk_rows));
    left = left.subspan(groups.size());
    if (auto ok = emit_groups(window_start, slice, groups, output); !ok) return ok;
  }
  return {};
}

Result<void> WindowAggregate::emit_groups(std::int64_t window_start,
                                          const std::shared_ptr<const Slice>& slice,
                                          std::span<const std::uint32_t> groups,
                                          Output& output) const {
  std::vector<std::shared_ptr<Vector>> columns;
  for (const auto& field : schema_) {
    columns.push_back(std::make_shared<Vector>(field.type));
    columns.back()->resize(groups.size());
  }
  auto texts = std::make_shared<std::string>();
  texts->reserve(slice->groups.key_bytes());
  std::vector<Beyond> beyond;
  for (std::uint32_t row = 0; row < groups.size(); ++row) {
    columns[0]->set_integer(row, window_start);
    columns[1]->set_integer(row, window_start + size_ms_);
    std::string_view key = slice->groups.key(groups[row]);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      bool taken = column::take_key(key, *columns[2 + i], row, *texts);
      ASSERT(taken);
    }
    for (std::size_t i = 0; i < aggregates_.size(); ++i) {
      std::size_t column = 2 + keys_.size() + i;
      bool valid = slice->accumulators[i]->result(groups[row], *columns[column], row);
      if (!valid) beyond.push_back({row, column});
    }
  }

  auto context = std::make_shared<column::RowContext>();
  context->event_times_ms.assign(groups.size(), window_start + size_ms_ - 1);
  context->buffers = {{texts}, {slice}};
  Chunk chunk;
  chunk.columns.assign(columns.begin(), columns.end());
  chunk.rows = groups.size();
  chunk.context = std::move(context);
  chunk.selection = column::Selection::all(chunk.rows);
  if (!beyond.empty()) {
    auto good = reject(chunk, beyond, output);
    if (!good) return fail(good);
    chunk.selection = *good;
  }
  return output.push(chunk);
}

// Rejects the rows with results beyond their types, and returns the others.
Result<column::Selection> WindowAggregate::reject(const Chunk& chunk,
                                                  const std::vector<Beyond>& beyond,
                                                  Output& output) const {
  std::vector<std::uint32_t> good;
  auto next = beyond.begin();
  for (std::uint32_t row = 0; row < chunk.rows; ++row) {
    if (next == beyond.end() || next->row != row) {
      good.push_back(row);
      continue;
    }
    const auto& field = schema_[next->column];
    std::string reason =
        fmt::format("{} is out of the range of {}", field.name, column::name(field.type));
    if (auto ok = output.reject(chunk, row, reason); !ok) return fail(ok);
    while (next != beyond.end() && next->row == row) ++next;
  }
  return column::Selection::of(std::move(good));
}

}  // namespace leat::stream
