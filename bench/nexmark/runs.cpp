#include "nexmark/runs.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <variant>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/clock.h"
#include "file/posix_file_system.h"
#include "stream/dataflow.h"
#include "stream/task.h"

namespace leat::nexmark {

using column::Chunk;
using column::Physical;
using column::RowKind;
using column::Vector;

namespace {

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench-nexmark: {}\n", why);
  std::exit(1);
}

template <class T>
T take(Result<T> result) {
  if (!result) give_up(result.error().what);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void add_cell(RowHash& hash, const Vector& column, std::uint32_t row) {
  if (column.is_null(row)) return hash.add(std::int64_t{-1});
  switch (physical(column.type())) {
    case Physical::integer: return hash.add(column.integer(row));
    case Physical::real: return hash.add(column.real(row));
    case Physical::decimal: return hash.add(static_cast<std::int64_t>(column.decimal(row)));
    case Physical::text: return hash.add(column.text(row));
    default: give_up("no query gives such a column");
  }
}

template <class Cells>
std::uint64_t look_at_all(const Chunk& chunk, const Cells& cells) {
  std::uint64_t seen = 0;
  if (chunk.selection.is_all()) {
    for (std::size_t row = 0; row < chunk.rows; ++row) seen += look_at(cells(row));
  } else {
    for (std::uint32_t row : chunk.selection.listed()) seen += look_at(cells(row));
  }
  return seen;
}

std::uint64_t look_at_column(const Chunk& chunk, const Vector& column) {
  auto look = [&](const auto& cells) { return look_at_all(chunk, cells); };
  switch (physical(column.type())) {
    case Physical::integer: return look([&](std::size_t i) { return column.integer(i); });
    case Physical::real: return look([&](std::size_t i) { return column.real(i); });
    case Physical::decimal:
      return look([&](std::size_t i) { return static_cast<std::int64_t>(column.decimal(i)); });
    case Physical::text: return look([&](std::size_t i) { return column.text(i); });
    default: give_up("no query gives such a column");
  }
}

/// Takes what a graph gives.
class AnswerOutlet final : public stream::Outlet {
 public:
  explicit AnswerOutlet(Answer& answer) : answer_(answer) {}
  Result<void> write(std::size_t, const Chunk& chunk) override {
    if (answer_.compares()) {
      compare(chunk);
      return {};
    }
    std::uint64_t seen = 0;
    for (const auto& column : chunk.columns) seen += look_at_column(chunk, *column);
    answer_.look(chunk.selection.size(), seen);
    return {};
  }
  Result<void> write_changes(std::size_t node, std::span<const Chunk> chunks) override {
    for (const Chunk& chunk : chunks) {
      if (auto ok = write(node, chunk); !ok) return ok;
    }
    return {};
  }
  Result<void> late(std::size_t, std::size_t, const Chunk&) override { give_up("a row was late"); }
  Result<void> reject(std::size_t, const column::Schema&, const Chunk&, std::uint32_t,
                      const std::string& reason) override {
    give_up("a row was bad: " + reason);
  }

 private:
  void compare(const Chunk& chunk) {
    const auto& kinds = chunk.context->kinds;
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      RowHash hash;
      for (const auto& column : chunk.columns) add_cell(hash, *column, row);
      RowKind kind = kinds.empty() ? RowKind::insert : kinds[row];
      if (kind == RowKind::update_before || kind == RowKind::erase)
        answer_.take_back(hash.value());
      else
        answer_.add(hash.value());
    }
  }

  Answer& answer_;
};

// The rows of the file, as one chunk of a source.
Chunk side_chunk(const SideInput& side, std::size_t begin, std::size_t end, std::size_t source) {
  auto keys = std::make_shared<Vector>(column::Type(column::Type::bigint));
  auto values = std::make_shared<Vector>(column::Type(column::Type::text));
  auto context = std::make_shared<column::RowContext>();
  keys->resize(end - begin);
  values->resize(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    keys->set_integer(i - begin, static_cast<std::int64_t>(i));
    values->set_text(i - begin, side[i]);
    context->places.push_back(static_cast<std::int64_t>(i));
  }
  context->event_times_ms.resize(end - begin);
  context->runs = {{static_cast<std::uint32_t>(end - begin), 0, operators::watermark_min,
                    static_cast<std::int32_t>(source)}};
  Chunk chunk;
  chunk.columns = {keys, values};
  chunk.rows = end - begin;
  chunk.selection = column::Selection::all(chunk.rows);
  chunk.context = context;
  return chunk;
}

}  // namespace

BoundQuery::BoundQuery(const Query& query) : plan_(take(plan::parse(plan_of(query)))) {
  bound_ = take(plan::bind(plan_));
}

std::size_t BoundQuery::source(bool of_file) const {
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    const auto* source = std::get_if<plan::Source>(&plan_.nodes[i].body);
    if (source != nullptr && source->topic.empty() == of_file) return i;
  }
  return plan_.nodes.size();
}

bool BoundQuery::has_side() const {
  return source(true) < plan_.nodes.size();
}

void run_leat(const BoundQuery& query, const Events& events, const SideInput& side,
              Answer& answer) {
  stream::Dataflow graph(query.bound(), 1);
  stream::Workers workers(1);
  AnswerOutlet outlet(answer);
  for (std::size_t i = 0; query.has_side() && i < side.size(); i += column::chunk_rows) {
    std::size_t end = std::min(side.size(), i + column::chunk_rows);
    std::size_t source = query.source(true);
    take(graph.process(0, source, side_chunk(side, i, end, source)));
  }
  std::size_t source = query.source(false), count = 0;
  for (const Chunk& chunk : events.chunks) {
    take(graph.process(0, source, chunk));
    // A task gives rows whose order counts one block at a time.
    if (graph.takes_any_order() && ++count % step_chunks != 0) continue;
    auto watermark = chunk.context->event_times_ms.back() - disorder_ms;
    take(graph.finish_step(watermark, workers, outlet));
  }
  take(graph.finish_step(operators::watermark_max, workers, outlet));
}

void run_by_hand(const Program& program, const Events& events, const SideInput& side,
                 Answer& answer) {
  auto query = program.make(answer, side);
  std::size_t count = 0;
  for (const Chunk& chunk : events.chunks) {
    query->take(EventColumns(chunk));
    if (++count % step_chunks == 0) query->end_step();
  }
  query->end_step();
  query->finish();
}

std::uint64_t run_json(const BoundQuery& query, stream::MemoryTopics& topics) {
  SystemClock clock;
  file::PosixFileSystem files;
  stream::Task::Options options;
  options.state_bytes_max = std::size_t{8} << 30;
  auto task = take(stream::Task::open(query.plan(), topics, &files, clock, options));
  take(task->pin_ends());
  stream::OutputBatches out;
  while (!task->finished()) take(task->step(out));
  take(task->flush(out));
  auto progress = task->progress();
  if (progress.late + progress.bad > 0) give_up("a record was late or bad");
  return progress.rows_out;
}

SideInput make_side() {
  SideInput side;
  for (std::size_t i = 0; i < side_rows; ++i) side.push_back(fmt::format("value-{}", i * 7919));
  return side;
}

void write_side_file(const SideInput& side) {
  std::ofstream file(side_file());
  for (std::size_t i = 0; i < side.size(); ++i) {
    file << fmt::format("{{\"key\":{},\"value\":\"{}\"}}\n", i, side[i]);
  }
  if (!file.flush()) give_up("cannot write " + side_file());
}

void remove_side_file() {
  std::error_code ignored;
  std::filesystem::remove(side_file(), ignored);
}

}  // namespace leat::nexmark
