#include "operators/frames.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "operators/chunk_maker.h"

namespace leat::operators {

using Kind = aggregate::Step::Kind;

namespace {

constexpr std::uint32_t result_group = 0;

}  // namespace

std::uint32_t Frames::Numbers::take() {
  if (free_.empty()) return end_++;
  std::uint32_t number = free_.back();
  free_.pop_back();
  return number;
}

void Frames::Numbers::snapshot(StateWriter& writer) const {
  writer.write(end_);
  writer.write(static_cast<std::uint32_t>(free_.size()));
  for (std::uint32_t number : free_) writer.write(number);
}

void Frames::Numbers::restore(StateReader& reader) {
  end_ = reader.read_count(1);
  free_.resize(reader.read_count(sizeof(std::uint32_t)));
  for (std::uint32_t& number : free_) {
    number = std::min(reader.read<std::uint32_t>(), end_ == 0 ? 0 : end_ - 1);
  }
}

Frames::Frames(const std::vector<plan::BoundAggregate>& aggregates, const OverInputs& inputs,
               const RowStore& store, const plan::Frame& rule)
    : store_(store), rule_(rule), slides_(rule.range_ms || rule.rows) {
  auto rows = slides_ ? aggregate::Rows::leave : aggregate::Rows::stay;
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    auto accumulators = aggregate::make_accumulators(aggregates[i], rows);
    bool is_running = !slides_ || accumulators->can_subtract();
    Class& some = is_running ? taken_back_ : accumulators->grows() ? rebuilt_ : stacked_;
    some.aggregates.push_back(i);
    aggregates_.push_back({aggregates[i].aggregate->name, std::move(accumulators),
                           aggregates[i].type, inputs.columns()[i]});
    for (auto column : {aggregates_[i].columns.argument, aggregates_[i].columns.order_by,
                        aggregates_[i].columns.filter}) {
      if (column) columns_.push_back(*column);
    }
  }
  std::sort(columns_.begin(), columns_.end());
  columns_.erase(std::unique(columns_.begin(), columns_.end()), columns_.end());
  stacked_groups_.take();  // result_group
}

Frame Frames::make() {
  Frame frame;
  frame.group_ = groups_.take();
  if (!stacked_.aggregates.empty()) frame.back_ = stacked_groups_.take();
  // A snapshot has all groups, whether or not something was done with them.
  for (std::size_t i : taken_back_.aggregates) {
    aggregates_[i].accumulators->resize(groups_.end());
  }
  return frame;
}

std::uint32_t Frames::input_row(RowId row) {
  inputs_.push_back(row);
  return static_cast<std::uint32_t>(inputs_.size() - 1);
}

std::uint32_t Frames::input_row(Frame::Row& row) {
  if (row.round != round_) {
    row.input_row = input_row(row.id);
    row.round = round_;
  }
  return row.input_row;
}

void Frames::add(Frame& frame, RowId id) {
  Frame::Row row;
  row.id = id;
  std::uint32_t input = input_row(row);
  taken_back_.note(Kind::add, frame.group_, input);
  if (!slides_) return;
  row.time_ms = store_.row(id).time_ms();
  if (!frame.is_stale_) rebuilt_.note(Kind::add, frame.group_, input);
  if (frame.back_ != Frame::none) {
    row.slot = stacked_groups_.take();
    stacked_.note(Kind::add, row.slot, input);
    stacked_.note(Kind::add, frame.back_, input);
  }
  frame.rows_.push_back(row);
}

// The states of rows behind are merged into those before, so that each has all up to the end.
void Frames::flip(Frame& frame) {
  const auto& rows = frame.rows_;
  for (std::size_t i = rows.size() - 1; i-- > frame.begin_;) {
    stacked_.note(Kind::merge, rows[i].slot, rows[i + 1].slot);
  }
  stacked_.note(Kind::clear, frame.back_);
  frame.front_end_ = rows.size();
}

void Frames::pop(Frame& frame) {
  ASSERT(slides_ && !frame.empty());
  if (!taken_back_.aggregates.empty()) {
    taken_back_.note(Kind::subtract, frame.group_, input_row(frame.rows_[frame.begin_]));
  }
  frame.is_stale_ = true;
  if (frame.back_ != Frame::none) {
    if (frame.front_end_ <= frame.begin_) flip(frame);
    std::uint32_t slot = frame.rows_[frame.begin_].slot;
    stacked_.note(Kind::clear, slot);
    stacked_groups_.give_back(slot);
  }
  ++frame.begin_;
  // What has left is dropped when it is half of all.
  if (frame.begin_ * 2 < frame.rows_.size()) return;
  frame.rows_.erase(frame.rows_.begin(),
                    frame.rows_.begin() + static_cast<std::ptrdiff_t>(frame.begin_));
  frame.front_end_ -= std::min(frame.front_end_, frame.begin_);
  frame.begin_ = 0;
}

void Frames::rebuild(Frame& frame) {
  if (!std::exchange(frame.is_stale_, false) || rebuilt_.aggregates.empty()) return;
  rebuilt_.note(Kind::clear, frame.group_);
  for (std::size_t i = frame.begin_; i < frame.rows_.size(); ++i) {
    rebuilt_.note(Kind::add, frame.group_, input_row(frame.rows_[i]));
  }
}

void Frames::give(Frame& frame, std::uint32_t cell) {
  taken_back_.note(Kind::give, frame.group_, cell);
  if (!slides_) return;
  rebuild(frame);
  rebuilt_.note(Kind::give, frame.group_, cell);
  if (frame.back_ == Frame::none) return;
  if (frame.front_end_ <= frame.begin_) return stacked_.note(Kind::give, frame.back_, cell);
  std::uint32_t front = frame.rows_[frame.begin_].slot;
  if (frame.front_end_ == frame.rows_.size()) return stacked_.note(Kind::give, front, cell);
  stacked_.note(Kind::clear, result_group);
  stacked_.note(Kind::merge, result_group, front);
  stacked_.note(Kind::merge, result_group, frame.back_);
  stacked_.note(Kind::give, result_group, cell);
}

void Frames::merge(Frame& frame, const Frame& from) {
  ASSERT(!slides_);
  taken_back_.note(Kind::merge, frame.group_, from.group_);
}

void Frames::clear(Frame& frame) {
  taken_back_.note(Kind::clear, frame.group_);
  rebuilt_.note(Kind::clear, frame.group_);
  if (frame.back_ != Frame::none) stacked_.note(Kind::clear, frame.back_);
  for (std::size_t i = frame.begin_; i < frame.rows_.size(); ++i) {
    if (frame.rows_[i].slot == Frame::none) continue;
    stacked_.note(Kind::clear, frame.rows_[i].slot);
    stacked_groups_.give_back(frame.rows_[i].slot);
  }
  frame.rows_.clear();
  frame.begin_ = frame.front_end_ = 0;
  frame.is_stale_ = false;
}

void Frames::drop(Frame& frame) {
  clear(frame);
  groups_.give_back(frame.group_);
  if (frame.back_ != Frame::none) stacked_groups_.give_back(frame.back_);
  frame = {};
}

// The rows that steps name, with those columns that aggregates look at.
column::Chunk Frames::gathered() {
  column::Chunk chunk;
  chunk.context = std::make_shared<column::RowContext>();
  // Who counts rows needs none of them.
  if (columns_.empty()) return chunk;
  ChunkMaker maker;
  std::vector<StoredRow> rows;
  for (RowId id : inputs_) maker.add(rows.emplace_back(store_.row(id)));
  for (std::size_t column : columns_) {
    const column::Type& type = store_.types()[column];
    if (rows.empty())
      chunk.columns.push_back(std::make_shared<column::Vector>(type));
    else
      maker.add_column(type, rows, column);
  }
  return rows.empty() ? chunk : maker.finish();
}

void Frames::run(Class& some, const Numbers& numbers, const column::Chunk& inputs,
                 std::size_t cells, Results& results) {
  auto vector_of = [&](const std::optional<std::size_t>& column) -> const column::Vector* {
    if (!column) return nullptr;
    auto at = std::lower_bound(columns_.begin(), columns_.end(), *column) - columns_.begin();
    return inputs.columns[static_cast<std::size_t>(at)].get();
  };
  for (std::size_t i : some.aggregates) {
    One& one = aggregates_[i];
    one.accumulators->resize(numbers.end());
    auto& out = results.columns[i] = std::make_shared<column::Vector>(one.type);
    out->resize(cells);
    aggregate::Input input{vector_of(one.columns.argument), vector_of(one.columns.order_by),
                           vector_of(one.columns.filter), inputs.context.get()};
    std::vector<aggregate::Failure> failures;
    one.accumulators->run(input, some.steps, *out, *results.texts, failures);
    for (auto& failure : failures) {
      // Cells have to be set, and the first aggregate's reason counts: classes mix their order.
      out->set_null(failure.cell);
      Results::Failure named{i, one.name + ": " + failure.reason};
      auto [found, added] = results.failures.try_emplace(failure.cell, named);
      if (!added && found->second.aggregate > i) found->second = std::move(named);
    }
  }
  some.steps.clear();
}

Frames::Results Frames::run(std::size_t cells) {
  Results results;
  results.columns.resize(aggregates_.size());
  results.texts = std::make_shared<column::TextArena>();
  column::Chunk inputs = gathered();
  run(taken_back_, groups_, inputs, cells, results);
  run(rebuilt_, groups_, inputs, cells, results);
  run(stacked_, stacked_groups_, inputs, cells, results);
  inputs_.clear();
  ++round_;
  return results;
}

void Frames::snapshot(StateWriter& writer) const {
  ASSERT(!slides_);
  groups_.snapshot(writer);
  for (const One& one : aggregates_) one.accumulators->snapshot(writer);
}

void Frames::restore(StateReader& reader) {
  groups_.restore(reader);
  for (One& one : aggregates_) {
    one.accumulators->resize(groups_.end());
    one.accumulators->restore(reader);
  }
}

Frame Frames::read(StateReader& reader) const {
  Frame frame;
  frame.group_ = reader.read<std::uint32_t>();
  if (frame.group_ >= groups_.end()) frame.group_ = 0;  // of no snapshot of ours
  return frame;
}

std::size_t Frames::bytes() const {
  std::size_t bytes = inputs_.capacity() * sizeof(RowId);
  for (const One& one : aggregates_) bytes += one.accumulators->bytes();
  return bytes;
}

}  // namespace leat::operators
