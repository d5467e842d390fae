#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "operators/watermark.h"
#include "stream/merged_rows.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using column::RowKind;
using column::Type;

namespace {

plan::BoundNode source() {
  plan::BoundNode node;
  node.schema = {{"number", {Type::bigint}}, {"word", {}}, {"nobody_asks", {}}};
  return node;
}

/// Rows of a partition at these times, the n-th with number n and offset 10 n, its word NULL if
/// that is odd; the watermark is the time of the row before.
std::shared_ptr<RowBlock> block_of(std::int32_t partition, const std::vector<std::int64_t>& times) {
  auto texts = std::make_shared<std::vector<std::string>>();
  auto block = RowBlocks(source().schema, times.size(), {true, true, false}).take();
  block->rows = times.size();
  texts->reserve(times.size());
  for (std::size_t row = 0; row < times.size(); ++row) {
    block->columns[0].set_integer(row, static_cast<std::int64_t>(row));
    block->columns[1].set_null(row);
    if (row % 2 == 0) {
      block->columns[1].set_text(row, texts->emplace_back(fmt::format("{}-{}", partition, row)));
    }
    block->context.event_times_ms.push_back(times[row]);
    block->context.places.push_back(static_cast<std::int64_t>(row) * 10);
    block->context.runs.push_back({static_cast<std::uint32_t>(row + 1), partition,
                                   row == 0 ? operators::watermark_min : times[row - 1], 0});
  }
  block->context.buffers.push_back({texts});
  return block;
}

std::string print(const column::Chunk& chunk) {
  std::string out;
  const auto& context = *chunk.context;
  column::RunCursor runs(context);
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    const auto& run = runs.run_of(row);
    bool starts = run.watermark_ms == operators::watermark_min;
    const auto& words = *chunk.columns[1];
    out += fmt::format(
        "{}/{}@{} n={} {} > {}{}\n", run.partition, context.places[row],
        context.event_times_ms[row], chunk.columns[0]->integer(row),
        words.is_null(row) ? "NULL" : words.text(row),
        starts ? "none" : std::to_string(run.watermark_ms),
        !context.kinds.empty() && context.kinds[row] == RowKind::erase ? " erased" : "");
    CHECK(chunk.columns[2]->is_null(row));
  }
  return out;
}

}  // namespace

TEST_CASE("rows of partitions that take turns become one chunk in that order") {
  MergedRows merged(source(), 8, {true, true, false});
  {
    auto left = block_of(0, {1, 4, 5}), right = block_of(1, {2, 3, 6});
    right->context.kinds = {RowKind::insert, RowKind::erase, RowKind::insert};
    merged.add(left, 0, 1);
    merged.add(right, 0, 2);
    merged.add(left, 1, 2);
    merged.add(right, 2, 1);
  }  // what texts point to is kept by the chunk
  column::Chunk chunk = merged.take();
  CHECK(chunk.selection.is_all());
  CHECK(print(chunk) ==
        "0/0@1 n=0 0-0 > none\n"
        "1/0@2 n=0 1-0 > none\n"
        "1/10@3 n=1 NULL > 2 erased\n"
        "0/10@4 n=1 NULL > 1\n"
        "0/20@5 n=2 0-2 > 4\n"
        "1/20@6 n=2 1-2 > 3\n");
  CHECK(merged.empty());
}

TEST_CASE("rows of one partition alone are not copied") {
  MergedRows merged(source(), 8, {true, true, false});
  auto block = block_of(0, {1, 2, 3});
  merged.add(block, 1, 2);
  column::Chunk some = merged.take();
  CHECK(some.columns[0].get() == &block->columns[0]);
  CHECK(print(some) == "0/10@2 n=1 NULL > 1\n0/20@3 n=2 0-2 > 2\n");
  merged.add(block, 0, 3);
  CHECK(merged.take().selection.is_all());
}

TEST_CASE("few rows of many are copied, so that who looks at a whole chunk looks at few") {
  MergedRows merged(source(), 8, {true, true, false});
  std::vector<std::int64_t> times(40);
  for (std::size_t i = 0; i < times.size(); ++i) times[i] = static_cast<std::int64_t>(i);
  merged.add(block_of(0, times), 7, 2);
  column::Chunk some = merged.take();
  CHECK(some.rows == 2);
  CHECK(some.context->event_times_ms == std::vector<std::int64_t>{7, 8});
  CHECK(some.context->places == std::vector<std::int64_t>{70, 80});
}

TEST_CASE("a merged chunk is left alone while the next one is made") {
  MergedRows merged(source(), 8, {true, true, false});
  auto left = block_of(0, {1, 3}), right = block_of(1, {2, 4});
  merged.add(left, 0, 1);
  merged.add(right, 0, 1);
  column::Chunk first = merged.take();
  merged.add(left, 1, 1);
  merged.add(right, 1, 1);
  CHECK(print(merged.take()) == "0/10@3 n=1 NULL > 1\n1/10@4 n=1 NULL > 2\n");
  CHECK(print(first) == "0/0@1 n=0 0-0 > none\n1/0@2 n=0 1-0 > none\n");
}

TEST_SUITE_END();
