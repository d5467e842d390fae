// count() and sum() by key over windows, beside loops over the same vectors that a programmer would
// write with std::unordered_map: rows/s, and their ratio, of runs that take turns.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/random.h"
#include "operators/fixed_window.h"
#include "operators/session_window.h"

using namespace leat;
using namespace leat::operators;

namespace {

constexpr std::size_t rows_in_all = 2 << 20;
constexpr std::int64_t window_ms = 1 << 19;  // with as many rows: one comes each millisecond
constexpr int slides = 10;
constexpr int rounds = 3;

/// Rows in the order of time, a bigint or a text for a key.
struct Data {
  std::vector<column::Chunk> chunks;
  bool texts = false;
};

Data make_data(std::uint64_t keys, bool texts) {
  using column::Type;
  Data data;
  data.texts = texts;
  Random random(1);
  for (std::size_t begin = 0; begin < rows_in_all; begin += column::chunk_rows) {
    auto key = std::make_shared<column::Vector>(Type(texts ? Type::text : Type::bigint));
    auto value = std::make_shared<column::Vector>(Type(Type::bigint));
    key->resize(column::chunk_rows);
    value->resize(column::chunk_rows);
    auto context = std::make_shared<column::RowContext>();
    auto bytes = std::make_shared<std::string>();
    bytes->reserve(column::chunk_rows * 16);
    for (std::size_t i = 0; i < column::chunk_rows; ++i) {
      std::uint64_t number = random.below(keys) * 7919;
      std::size_t from = bytes->size();
      if (texts) *bytes += "key-" + std::to_string(number);
      if (texts)
        key->set_text(i, std::string_view(*bytes).substr(from));
      else
        key->set_integer(i, static_cast<std::int64_t>(number));
      value->set_integer(i, static_cast<std::int64_t>(random.below(1000)));
      context->event_times_ms.push_back(static_cast<std::int64_t>(begin + i));
    }
    context->places = context->event_times_ms;
    context->runs = {{column::chunk_rows, 0, static_cast<std::int64_t>(begin), 0}};
    context->buffers = {{bytes}};
    column::Chunk chunk;
    chunk.columns = {key, value};
    chunk.rows = column::chunk_rows;
    chunk.selection = column::Selection::all(chunk.rows);
    chunk.context = context;
    data.chunks.push_back(std::move(chunk));
  }
  return data;
}

/// What comes out, so that nobody leaves work out.
struct Sum {
  std::uint64_t rows = 0;
  std::int64_t values = 0;
  void add(std::int64_t count, std::int64_t sum) {
    ++rows;
    values += count * 31 + sum;
  }
  bool operator==(const Sum&) const = default;
};

class Sink : public Context {
 public:
  Result<void> push(const column::Chunk& chunk) override {
    auto counts = chunk.columns[3]->integers(), sums = chunk.columns[4]->integers();
    for (std::size_t i = 0; i < chunk.rows; ++i) sum.add(counts[i], sums[i]);
    return {};
  }
  Result<void> push_late(const column::Chunk&, std::span<const std::uint32_t>) override {
    ASSERT(false);
  }
  Result<void> reject(const column::Schema&, const column::Chunk&, std::uint32_t,
                      const std::string&) override {
    ASSERT(false);
  }
  std::int64_t now_ms() const override { return 0; }
  Sum sum;
};

Sum run_operator(const std::string& shape, const Data& data) {
  auto plan = plan::parse(fmt::format(
      R"({{"version": 1, "name": "bench", "nodes": [
      {{"name": "a", "type": "source", "topic": "a", "columns": [
        {{"name": "k", "type": "{}"}}, {{"name": "v", "type": "bigint"}}]}},
      {{"name": "w", "type": "window", "input": "a", "window": {{{}}}, "keys": ["k"],
        "aggregates": [
        {{"name": "n", "function": "count"}},
        {{"name": "s", "function": "sum", "argument": {{"column": "v"}}}}]}},
      {{"name": "out", "type": "sink", "console": true, "input": "w"}}]}})",
      data.texts ? "text" : "bigint", shape));
  auto bound = plan::bind(*plan);
  ASSERT(bound.has_value());
  std::unique_ptr<Operator> window;
  if (shape.find("session") == shape.npos)
    window = std::make_unique<FixedWindow>(bound->nodes[1], bound->nodes[0].schema, 1);
  else
    window = std::make_unique<SessionWindow>(bound->nodes[1], bound->nodes[0].schema, 1);
  auto state = window->make_state();
  Sink sink;
  std::size_t count = 0;
  for (const auto& chunk : data.chunks) {
    ASSERT(window->process(*state, 0, chunk, sink).has_value());
    if (++count % 16 != 0) continue;
    ASSERT(window->advance(*state, chunk.context->event_times_ms.back(), sink).has_value());
  }
  ASSERT(window->advance(*state, watermark_max, sink).has_value());
  return sink.sum;
}

struct Totals {
  std::int64_t count = 0;
  std::int64_t sum = 0;
  std::int64_t last_ms = 0;
};
template <class Key>
using Map = std::unordered_map<Key, Totals>;

template <class Key>
Key key_of(const column::Chunk& chunk, std::size_t row) {
  if constexpr (std::is_same_v<Key, std::int64_t>)
    return chunk.columns[0]->integer(row);
  else
    return std::string(chunk.columns[0]->text(row));
}

// Calls `take(key, value, time)` for all rows.
template <class Key, class Take>
void for_rows(const Data& data, Take take) {
  for (const auto& chunk : data.chunks) {
    for (std::size_t row = 0; row < chunk.rows; ++row) {
      take(key_of<Key>(chunk, row), chunk.columns[1]->integer(row),
           chunk.context->event_times_ms[row]);
    }
  }
}

// By key, as the operators give it.
template <class Key>
void give(const Map<Key>& map, Sum& sum) {
  std::vector<std::pair<Key, Totals>> rows(map.begin(), map.end());
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [key, totals] : rows) sum.add(totals.count, totals.sum);
}

template <class Key>
Sum tumbling_loop(const Data& data) {
  Sum sum;
  Map<Key> map;
  std::int64_t end = window_ms;
  for_rows<Key>(data, [&](Key key, std::int64_t value, std::int64_t time) {
    if (time >= end) {
      give(map, sum);
      map.clear();
      end += window_ms;
    }
    Totals& totals = map[std::move(key)];
    ++totals.count;
    totals.sum += value;
  });
  give(map, sum);
  return sum;
}

// A map for each slide, added up for each window.
Sum hopping_loop(const Data& data) {
  using Key = std::int64_t;
  Sum sum;
  std::vector<Map<Key>> parts(1);
  constexpr std::int64_t slide_ms = window_ms / slides;
  std::int64_t end = slide_ms;
  auto close = [&] {
    Map<Key> all;
    for (const auto& part : parts) {
      for (const auto& [key, totals] : part) {
        all[key].count += totals.count;
        all[key].sum += totals.sum;
      }
    }
    give(all, sum);
    if (parts.size() == slides) parts.erase(parts.begin());
  };
  for_rows<Key>(data, [&](Key key, std::int64_t value, std::int64_t time) {
    if (time >= end) {
      close();
      parts.emplace_back();
      end += slide_ms;
    }
    Totals& totals = parts.back()[key];
    ++totals.count;
    totals.sum += value;
  });
  for (int i = 0; i < slides; ++i) {
    close();
    if (parts.size() == slides) continue;
    parts.emplace_back();
  }
  return sum;
}

Sum session_loop(const Data& data, std::int64_t gap_ms) {
  using Key = std::int64_t;
  Sum sum;
  Map<Key> map;
  for_rows<Key>(data, [&](Key key, std::int64_t value, std::int64_t time) {
    Totals& totals = map[key];
    if (totals.count > 0 && time - totals.last_ms >= gap_ms) {
      sum.add(totals.count, totals.sum);
      totals = {};
    }
    ++totals.count;
    totals.sum += value;
    totals.last_ms = time;
  });
  give(map, sum);
  return sum;
}

double seconds_of(const std::function<Sum()>& run, Sum& sum) {
  auto begin = std::chrono::steady_clock::now();
  sum = run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void compare(const std::string& name, const std::function<Sum()>& window,
             const std::function<Sum()>& loop, bool same) {
  double best_window = 1e9, best_loop = 1e9;
  Sum a, b;
  for (int i = 0; i < rounds; ++i) {
    best_window = std::min(best_window, seconds_of(window, a));
    best_loop = std::min(best_loop, seconds_of(loop, b));
  }
  ASSERT(!same || a == b);
  fmt::print("{:28} {:8.2f} M rows/s   loop {:8.2f} M rows/s   ratio {:.2f}   {} rows out\n", name,
             rows_in_all / best_window / 1e6, rows_in_all / best_loop / 1e6,
             best_loop / best_window, a.rows);
  std::fflush(stdout);
}

}  // namespace

int main() {
  const std::string tumbling = fmt::format(R"("kind": "tumbling", "size_ms": {})", window_ms);
  constexpr std::int64_t slide_ms = window_ms / slides;
  const std::string hopping = fmt::format(R"("kind": "hopping", "size_ms": {}, "slide_ms": {})",
                                          slide_ms * slides, slide_ms);
  for (std::uint64_t keys : {10, 1'000, 1'000'000}) {
    Data data = make_data(keys, false);
    compare(
        fmt::format("tumbling, {} keys", keys), [&] { return run_operator(tumbling, data); },
        [&] { return tumbling_loop<std::int64_t>(data); }, true);
    compare(
        fmt::format("hopping, {} keys", keys), [&] { return run_operator(hopping, data); },
        [&] { return hopping_loop(data); }, false);
    auto gap_ms = static_cast<std::int64_t>(2 * keys);
    const std::string session = fmt::format(R"("kind": "session", "gap_ms": {})", gap_ms);
    compare(
        fmt::format("session, {} keys", keys), [&] { return run_operator(session, data); },
        [&] { return session_loop(data, gap_ms); }, true);
    Data texts = make_data(keys, true);
    compare(
        fmt::format("tumbling, {} text keys", keys), [&] { return run_operator(tumbling, texts); },
        [&] { return tumbling_loop<std::string>(texts); }, true);
  }
}
