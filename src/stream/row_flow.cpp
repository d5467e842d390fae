#include "stream/row_flow.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <queue>
#include <utility>

#include "plan/used_columns.h"
#include "stream/node_operators.h"

namespace leat::stream {

RowFlow::RowFlow(const plan::BoundPlan& plan, const std::vector<std::vector<bool>>& used,
                 TaskInputs& inputs, Dataflow& dataflow, const Options& options)
    : inputs_(inputs),
      dataflow_(dataflow),
      options_(options),
      chunk_rows_(options.exact ? exact_chunk_rows : options.block_rows) {
  merged_.resize(plan.nodes.size());
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    if (!traits_of(plan.nodes[i]).is_source) continue;
    merged_[i].emplace(plan.nodes[i], chunk_rows_, decoded_columns(plan.nodes[i], used[i]));
  }
}

Result<bool> RowFlow::take_some(Workers& workers, Watermark watermark, const Advance& advance) {
  auto tables = take_table_blocks();
  if (!tables) return fail(tables);
  if (*tables) return false;
  std::size_t rows = options_.block_rows;
  // No more than a part of a step that is done again.
  if (options_.exact) rows = std::min(rows, exact_part_rows);
  auto taken = dataflow_.takes_any_order() ? take_any_order(workers, watermark)
                                           : take_in_order(rows, watermark, advance);
  if (!taken) return fail(taken);
  return true;
}

Result<void> RowFlow::take_ranges(Workers& workers, Watermark watermark, const Advance& advance) {
  if (auto ok = inputs_.fill_all(watermark); !ok) return fail(ok);
  if (auto ok = take_tables(watermark); !ok) return ok;
  while (inputs_.have_rows()) {
    auto taken = dataflow_.takes_any_order() ? take_any_order(workers, watermark)
                                             : take_in_order(exact_part_rows, watermark, advance);
    if (!taken) return taken;
    if (!inputs_.have_rows()) break;
    if (auto ok = advance(); !ok) return ok;
  }
  return {};
}

// Takes what the first table has that is not read to its end; false if there is none. So they come
// one behind the other.
Result<bool> RowFlow::take_table_blocks() {
  for (auto& input : inputs_.all()) {
    if (!input->place().is_table || input->caught_up()) continue;
    const SourceReader& reader = input->reader();
    if (!reader.has_rows()) return true;
    if (auto ok = collect(*input, reader.block()->rows - reader.next_row()); !ok) return fail(ok);
    if (auto ok = give_collected(input->place().source); !ok) return fail(ok);
    if (auto ok = input->handle_bad(); !ok) return fail(ok);
    return true;
  }
  return false;
}

// All of the tables' ranges, one behind the other.
Result<void> RowFlow::take_tables(Watermark watermark) {
  for (auto& input : inputs_.all()) {
    if (!input->place().is_table) continue;
    const SourceReader& reader = input->reader();
    while (reader.has_rows()) {
      if (auto ok = collect(*input, reader.block()->rows - reader.next_row()); !ok) return ok;
      if (auto ok = input->handle_bad(); !ok) return ok;
      if (auto filled = input->fill(watermark); !filled) return fail(filled);
    }
    if (auto ok = give_collected(input->place().source); !ok) return ok;
  }
  return {};
}

// Gives the block at hand, which is whole, and sees to it that the next one is there. Where a bad
// record ends the run, the rows behind it are not given: one of them may be bad as well, and the
// first fault is told.
Result<void> RowFlow::take_block(TaskInput& input, std::size_t lane, Watermark watermark) {
  {
    column::Chunk chunk = chunk_of(input.reader().block());
    bool ends = input.place().plan->bad_records.policy == plan::BadRows::Policy::fail;
    std::size_t rows = ends ? input.reader().rows_before_bad() : chunk.rows;
    if (rows < chunk.rows) {
      std::vector<std::uint32_t> before(rows);
      std::iota(before.begin(), before.end(), std::uint32_t{0});
      chunk.selection = column::Selection::of(std::move(before));
    }
    input.consume(rows);
    if (auto ok = dataflow_.process(lane, input.place().source, chunk); !ok) return ok;
  }
  if (auto ok = input.handle_bad(); !ok) return ok;
  auto filled = input.fill(watermark);
  return filled ? Result<void>() : fail(filled);
}

void RowFlow::take_blocks(BlockQueue& queue, std::size_t lane, Watermark watermark) {
  while (auto taken = queue.take()) {
    TaskInput& input = inputs_[*taken];
    input.result = take_block(input, lane, watermark);
    if (!input.result) return queue.end();
    if (input.reader().has_rows()) queue.put(input.reader().next_event_time_ms(), *taken);
  }
}

// Blocks of all inputs, the earlier ones first.
Result<void> RowFlow::take_any_order(Workers& workers, Watermark watermark) {
  std::optional<std::size_t> least;
  std::size_t whole_blocks = 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const SourceReader& reader = inputs_[i].reader();
    if (!reader.has_rows() || inputs_[i].place().is_table) continue;
    if (reader.block()->rows == options_.block_rows) ++whole_blocks;
    if (!least || reader.next_event_time_ms() < inputs_[*least].reader().next_event_time_ms()) {
      least = i;
    }
  }
  if (!least) return {};
  // What is ahead of the others waits for them, so a block may begin no later than some blocks of
  // the slowest input from now.
  constexpr std::int64_t blocks_ahead = 32;
  const auto& times = inputs_[*least].reader().block()->context.event_times_ms;
  std::int64_t span_ms = std::max<std::int64_t>(times.back() - times.front(), 1'000);
  BlockQueue queue(times.front() + blocks_ahead * span_ms, blocks_max_);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const SourceReader& reader = inputs_[i].reader();
    if (reader.has_rows() && !inputs_[i].place().is_table)
      queue.put(reader.next_event_time_ms(), i);
  }
  // Waking the others costs more than the rows of a partition that is nearly read to its end.
  if (whole_blocks > 1 && workers.size() > 1) {
    workers.run([&](std::size_t worker) { take_blocks(queue, worker, watermark); });
  } else {
    take_blocks(queue, 0, watermark);
  }
  for (auto& input : inputs_.all()) {
    if (!input->result) return std::exchange(input->result, {});
  }
  return {};
}

// The next rows of all inputs in their common order: a chunk of each source, or several where these
// take turns. Fewer when an input must be filled before it is known what comes next.
Result<void> RowFlow::take_in_order(std::size_t rows, Watermark watermark, const Advance& advance) {
  using Head = std::pair<std::int64_t, std::size_t>;  // event time, input: as positions are ordered
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const TaskInput& input = inputs_[i];
    if (input.place().is_table) continue;
    if (input.reader().has_rows()) {
      heads.emplace(input.reader().next_event_time_ms(), i);
    } else if (!input.caught_up()) {
      return {};
    }
  }
  std::optional<std::size_t> source;  // whose rows are being collected
  std::size_t left = rows;
  Watermark passed = watermark;
  Result<void> result;
  while (!heads.empty() && left > 0 && result) {
    std::size_t at = heads.top().second;
    heads.pop();
    TaskInput& input = inputs_[at];
    if (source && *source != input.place().source) {
      if (auto ok = give_collected(*source); !ok) return ok;
    }
    source = input.place().source;
    const auto& times = input.reader().block()->context.event_times_ms;
    std::size_t row = input.reader().next_row();
    std::size_t most = dataflow_.goes_row_by_row() ? 1 : left;
    std::size_t end = std::min(input.reader().rows_before_bad(), row + most);
    std::size_t next = row;
    while (next < end && (heads.empty() || Head(times[next], at) < heads.top())) ++next;
    if (auto ok = collect(input, next - row); !ok) return ok;
    left -= next - row;
    result = input.handle_bad();
    if (!result) break;
    auto filled = input.fill(watermark);
    if (filled && dataflow_.goes_row_by_row()) {
      if (auto ok = pass_rows(*source, passed, advance); !ok) return ok;
    }
    if (!filled) {
      result = fail(filled);
    } else if (input.reader().has_rows()) {
      heads.emplace(input.reader().next_event_time_ms(), at);
    } else if (!input.caught_up()) {
      break;
    }
  }
  // Also what came before an error.
  auto given = source ? give_collected(*source) : Result<void>();
  return result ? given : result;
}

// Event time, which is at `passed`, goes on behind the rows that have been collected, if they move
// it.
Result<void> RowFlow::pass_rows(std::size_t source, Watermark& passed, const Advance& advance) {
  Watermark least = inputs_.least_watermark().value_or(passed);
  if (least <= passed) return {};
  passed = least;
  if (auto ok = give_collected(source); !ok) return ok;
  return advance();
}

// Collects the next rows of the block at hand.
Result<void> RowFlow::collect(TaskInput& input, std::size_t rows) {
  MergedRows& merged = *merged_[input.place().source];
  while (rows > 0) {
    std::size_t some = std::min(rows, chunk_rows_ - merged.size());
    merged.add(input.reader().block(), input.reader().next_row(), some);
    input.consume(some);
    rows -= some;
    if (merged.size() < chunk_rows_) continue;
    if (auto ok = give_collected(input.place().source); !ok) return ok;
  }
  return {};
}

// Gives the rows of a source that have been collected to the graph.
Result<void> RowFlow::give_collected(std::size_t source) {
  MergedRows& merged = *merged_[source];
  return merged.empty() ? Result<void>() : dataflow_.process(0, source, merged.take());
}

}  // namespace leat::stream
