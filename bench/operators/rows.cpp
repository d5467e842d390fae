#include "operators/rows.h"

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/random.h"
#include "operators/operator.h"
#include "plan/bound_plan.h"
#include "stream/node_operators.h"

namespace leat::operator_bench {

using column::Chunk;
using column::RowKind;
using column::Type;
using column::Vector;

namespace {

constexpr int rounds = 3;

std::shared_ptr<Vector> column_of(Type type) {
  auto column = std::make_shared<Vector>(type);
  column->resize(column::chunk_rows);
  return column;
}

Chunk make_chunk(Shape shape, std::uint64_t keys, Random& random, std::int64_t first_ms) {
  auto key = column_of(shape == Shape::text_key ? Type::text : Type::bigint);
  auto value = column_of(Type::bigint);
  auto items = column_of(column::array_of(Type::bigint));
  auto context = std::make_shared<column::RowContext>();
  auto texts = std::make_shared<std::string>();
  texts->reserve(column::chunk_rows * 16);
  items->items().resize(shape == Shape::array ? 3 * column::chunk_rows : 0);
  for (std::size_t i = 0; i < column::chunk_rows; ++i) {
    std::uint64_t number = random.below(keys) * 7919;
    std::size_t from = texts->size();
    if (shape == Shape::text_key) {
      *texts += "key-" + std::to_string(number);
      key->set_text(i, std::string_view(*texts).substr(from));
    } else {
      key->set_integer(i, static_cast<std::int64_t>(number));
    }
    value->set_integer(i, static_cast<std::int64_t>(random.below(1000)));
    context->event_times_ms.push_back(first_ms + 2 * static_cast<std::int64_t>(i));
    for (std::size_t item = 3 * i; shape == Shape::array && item < 3 * i + 3; ++item) {
      items->items().set_integer(item, static_cast<std::int64_t>(item));
    }
    if (shape == Shape::array) items->set_list(i, {static_cast<std::uint32_t>(3 * i), 3});
  }
  context->places = context->event_times_ms;
  context->runs = {{column::chunk_rows, 0, first_ms, 0}};
  context->buffers = {{texts}};
  Chunk chunk;
  chunk.columns = {key, value};
  if (shape == Shape::array) chunk.columns.push_back(items);
  chunk.rows = column::chunk_rows;
  chunk.selection = column::Selection::all(chunk.rows);
  chunk.context = context;
  return chunk;
}

/// Adds up what is left of all changes.
class SumContext final : public operators::Context {
 public:
  Result<void> push(const Chunk& chunk) override {
    const auto& kinds = chunk.context->kinds;
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      std::int64_t cells = 0;
      for (const auto& column : chunk.columns) {
        if (physical(column->type()) == column::Physical::integer) cells += column->integer(row);
      }
      RowKind kind = kinds.empty() ? RowKind::insert : kinds[row];
      if (kind == RowKind::update_before || kind == RowKind::erase)
        sum.take_back(cells);
      else
        sum.add(cells);
    }
    return {};
  }
  Result<void> push_late(const Chunk&, std::span<const std::uint32_t>) override { ASSERT(false); }
  Result<void> reject(const column::Schema&, const Chunk&, std::uint32_t,
                      const std::string&) override {
    ASSERT(false);
  }
  std::int64_t now_ms() const override { return 0; }
  Sum sum;
};

std::string source(std::string_view name, Shape shape, bool is_table) {
  return fmt::format(
      R"({{"name":"{0}","type":"source","topic":"{0}","columns":[{{"name":"k","type":"{1}"{2}}},)"
      R"({{"name":"v{3}","type":"bigint"}}{4}]{5}}},)",
      name, shape == Shape::text_key ? "text" : "bigint", is_table ? R"(,"from":"key")" : "",
      name == "b" ? "2" : "", shape == Shape::array ? R"(,{"name":"items","type":"bigint[]"})" : "",
      is_table ? R"(,"upsert":true)" : "");
}

plan::Plan plan_of(const Setting& setting) {
  std::string text = R"({"version":1,"name":"bench","nodes":[)";
  text += source("a", setting.rows->shape, false);
  if (setting.other != nullptr) text += source("b", setting.other->shape, setting.is_table);
  text += setting.node;
  text += R"(,{"name":"out","type":"sink","console":true,"input":"o"}]})";
  auto plan = plan::parse(text);
  if (!plan) {
    fmt::print(stderr, "bench-operators: {}\n", plan.error().what);
    std::exit(1);
  }
  return *plan;
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double best_seconds(const std::function<Sum()>& run, Sum& sum) {
  double best = 1e9;
  for (int i = 0; i < rounds; ++i) {
    double begin = cpu_seconds();
    sum = run();
    best = std::min(best, cpu_seconds() - begin);
  }
  return best;
}

}  // namespace

Data::Data(Shape of_rows, std::uint64_t keys, std::uint64_t seed, std::int64_t first_ms)
    : shape(of_rows) {
  Random random(seed);
  for (std::size_t begin = 0; begin < rows_in_all; begin += column::chunk_rows) {
    chunks.push_back(
        make_chunk(shape, keys, random, first_ms + 2 * static_cast<std::int64_t>(begin)));
  }
}

Sum run_operator(const Setting& setting) {
  plan::Plan plan = plan_of(setting);
  auto bound = plan::bind(plan);
  if (!bound) {
    fmt::print(stderr, "bench-operators: {}\n", bound.error().what);
    std::exit(1);
  }
  auto work = stream::make_operator(*bound, setting.other == nullptr ? 1 : 2);
  auto state = work->make_state();
  SumContext context;
  auto process = [&](std::size_t input, const Chunk& chunk) {
    ASSERT(work->process(*state, input, chunk, context).has_value());
  };
  auto advance = [&](operators::Watermark watermark) {
    ASSERT(work->advance(*state, watermark, context).has_value());
    ASSERT(work->update(*state, context).has_value());
  };
  for (std::size_t i = 0; setting.is_table && i < setting.other->chunks.size(); ++i) {
    process(1, setting.other->chunks[i]);
  }
  for (std::size_t i = 0; i < setting.rows->chunks.size(); ++i) {
    const Chunk& chunk = setting.rows->chunks[i];
    process(0, chunk);
    if (setting.other != nullptr && !setting.is_table) process(1, setting.other->chunks[i]);
    if ((i + 1) % step_chunks == 0) advance(chunk.context->event_times_ms.back());
  }
  advance(operators::watermark_max);
  return context.sum;
}

void Comparison::operator()(std::string_view name, const Setting& setting,
                            const std::function<Sum()>& loop) const {
  auto is_part = [&](const std::string& part) { return name.find(part) != name.npos; };
  if (!wanted_.empty() && std::none_of(wanted_.begin(), wanted_.end(), is_part)) return;
  Sum of_operator, of_loop;
  double operator_seconds = best_seconds([&] { return run_operator(setting); }, of_operator);
  double loop_seconds = best_seconds(loop, of_loop);
  fmt::print("{:<28} {:>8.2f} {:>8.2f} {:>6.2f} {:>9}\n", name,
             rows_in_all / operator_seconds / 1e6, rows_in_all / loop_seconds / 1e6,
             loop_seconds / operator_seconds, of_operator.rows);
  std::fflush(stdout);
  if (of_operator == of_loop) return;
  fmt::print(stderr, "bench-operators: {} gives {} rows, {} in all; the loop {}, {}\n", name,
             of_operator.rows, of_operator.cells, of_loop.rows, of_loop.cells);
  std::exit(1);
}

}  // namespace leat::operator_bench
