// What expressions cost over full chunks, beside loops that are written for just that expression
// and write into memory that is there: every figure is taken in this run.
//
//   bench-expression [WORD]
//
// All rows, or those whose expression has WORD in it.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/random.h"
#include "column/calendar.h"
#include "expression/evaluator.h"

using namespace leat;
using column::chunk_rows;
using column::Int128;
using column::Vector;
using plan::call;
using plan::col;
using plan::Expression;
using plan::Type;

namespace {

constexpr double seconds_per_figure = 0.2;

const plan::Schema schema{{"a", {Type::bigint}},
                          {"b", {Type::bigint}},
                          {"x", {Type::double_precision}},
                          {"y", {Type::double_precision}},
                          {"word", {}},
                          {"url", {}},
                          {"time", {Type::timestamp}},
                          {"money", plan::decimal(12, 2)},
                          {"rate", plan::decimal(6, 4)}};

struct Rows {
  Rows() {
    Random random(1);
    for (const auto& field : schema) {
      vectors.push_back(std::make_shared<Vector>(field.type));
      vectors.back()->resize(chunk_rows);
    }
    texts.reserve(2 * chunk_rows);
    constexpr const char* words[] = {"x", "X", "channel", "Berlin-Mitte", "a word of some length"};
    for (std::size_t row = 0; row < chunk_rows; ++row) {
      vectors[0]->set_integer(row, random.between(-100, 100));
      vectors[1]->set_integer(row, random.between(-1'000'000, 1'000'000));
      vectors[2]->set_real(row, static_cast<double>(random.between(-1000, 1000)) / 8);
      vectors[3]->set_real(row, static_cast<double>(random.between(1, 1000)) / 8);
      vectors[4]->set_text(row, texts.emplace_back(words[random.below(5)]));
      vectors[5]->set_text(
          row, texts.emplace_back(fmt::format("https://example.org/{}/item/{}{}?user={}",
                                              random.below(1000), random.one_in(5) ? "abc" : "xyz",
                                              random.below(100'000), random.below(10'000))));
      vectors[6]->set_integer(row, 1'442'016'000'000 + random.between(0, 86'400'000));
      vectors[7]->set_decimal(row, random.between(-100'000'000, 100'000'000));
      vectors[8]->set_decimal(row, random.between(0, 20'000));
    }
    chunk.rows = chunk_rows;
    chunk.selection = column::Selection::all(chunk_rows);
    chunk.columns.assign(vectors.begin(), vectors.end());
  }

  const Vector& operator[](std::string_view name) const {
    for (std::size_t i = 0; i < schema.size(); ++i) {
      if (schema[i].name == name) return *vectors[i];
    }
    ASSERT(false);
  }

  std::vector<std::string> texts;
  std::vector<std::shared_ptr<Vector>> vectors;
  column::Chunk chunk;
};

/// Where the loops write.
struct Out {
  std::vector<std::int64_t> integers = std::vector<std::int64_t>(chunk_rows);
  std::vector<double> reals = std::vector<double>(chunk_rows);
  std::vector<Int128> decimals = std::vector<Int128>(chunk_rows);
  std::vector<std::string_view> texts = std::vector<std::string_view>(chunk_rows);
};

template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// Rows a second, of the best of the runs that fit into the time: others use the machine too.
double rate(const std::function<void()>& run) {
  using clock = std::chrono::steady_clock;
  auto until = clock::now() + std::chrono::duration<double>(seconds_per_figure);
  double best = 0;
  do {
    auto start = clock::now();
    run();
    std::chrono::duration<double> took = clock::now() - start;
    best = std::max(best, static_cast<double>(chunk_rows) / took.count());
  } while (clock::now() < until);
  return best;
}

struct Bench {
  const char* name;
  Expression expression;
  std::function<void(const Rows&, Out&)> loop;
};

Expression number(std::int64_t value) {
  return plan::literal({Type::bigint}, value);
}
Expression text(const char* value) {
  return plan::literal({}, std::string(value));
}

void compare_sum(const Rows& rows, Out& out) {
  auto a = rows["a"].integers(), b = rows["b"].integers();
  for (std::size_t i = 0; i < chunk_rows; ++i) out.integers[i] = a[i] * 2 + b[i] > 10 ? 1 : 0;
}

void add_reals(const Rows& rows, Out& out) {
  auto x = rows["x"].reals(), y = rows["y"].reals();
  for (std::size_t i = 0; i < chunk_rows; ++i) out.reals[i] = x[i] * y[i] + x[i];
}

void compare_two(const Rows& rows, Out& out) {
  auto a = rows["a"].integers(), b = rows["b"].integers();
  for (std::size_t i = 0; i < chunk_rows; ++i) out.integers[i] = a[i] > 10 && b[i] < 1000 ? 1 : 0;
}

void compare_lower(const Rows& rows, Out& out) {
  auto words = rows["word"].texts();
  for (std::size_t i = 0; i < chunk_rows; ++i) {
    bool same = words[i].size() == 1 && (words[i][0] == 'x' || words[i][0] == 'X');
    out.integers[i] = same ? 1 : 0;
  }
}

void find_words(const Rows& rows, Out& out) {
  auto urls = rows["url"].texts();
  for (std::size_t i = 0; i < chunk_rows; ++i) {
    out.integers[i] = memmem(urls[i].data(), urls[i].size(), "abc", 3) != nullptr ? 1 : 0;
  }
}

void choose(const Rows& rows, Out& out) {
  auto a = rows["a"].integers(), b = rows["b"].integers();
  for (std::size_t i = 0; i < chunk_rows; ++i) {
    out.integers[i] = a[i] > 50 ? b[i] : a[i] > 0 ? b[i] + 1 : 0;
  }
}

void split(const Rows& rows, Out& out) {
  auto urls = rows["url"].texts();
  for (std::size_t i = 0; i < chunk_rows; ++i) {
    const char* at = urls[i].data();
    const char* end = at + urls[i].size();
    for (int part = 1; part < 4 && at != nullptr; ++part) {
      const void* slash = memchr(at, '/', static_cast<std::size_t>(end - at));
      at = slash == nullptr ? nullptr : static_cast<const char*>(slash) + 1;
    }
    if (at == nullptr) continue;
    const void* slash = memchr(at, '/', static_cast<std::size_t>(end - at));
    const char* last = slash == nullptr ? end : static_cast<const char*>(slash);
    out.texts[i] = {at, static_cast<std::size_t>(last - at)};
  }
}

void truncate(const Rows& rows, Out& out) {
  auto times = rows["time"].integers();
  constexpr std::int64_t hour_ms = 3'600'000;
  for (std::size_t i = 0; i < chunk_rows; ++i) {
    std::int64_t rest = times[i] % hour_ms;
    out.integers[i] = times[i] - (rest < 0 ? rest + hour_ms : rest);
  }
}

void truncate_month(const Rows& rows, Out& out) {
  auto times = rows["time"].integers();
  for (std::size_t i = 0; i < chunk_rows; ++i) {
    auto date = column::date_of(column::day_of(times[i]));
    out.integers[i] = column::days_of({date.year, date.month, 1}) * column::day_ms;
  }
}

void multiply(const Rows& rows, Out& out) {
  auto money = rows["money"].decimals(), rates = rows["rate"].decimals();
  for (std::size_t i = 0; i < chunk_rows; ++i) out.decimals[i] = money[i] * rates[i];
}

std::vector<Bench> benches() {
  auto a = col("a"), b = col("b");
  auto hour = call("date_trunc", {text("hour"), col("time")});
  return {
      {"a * 2 + b > 10", call(">", {call("+", {call("*", {a, number(2)}), b}), number(10)}),
       compare_sum},
      {"x * y + x", call("+", {call("*", {col("x"), col("y")}), col("x")}), add_reals},
      {"a > 10 and b < 1000",
       call("and", {call(">", {a, number(10)}), call("<", {b, number(1000)})}), compare_two},
      {"lower(word) = 'x'", call("=", {call("lower", {col("word")}), text("x")}), compare_lower},
      {"url like '%abc%'", call("like", {col("url"), text("%abc%")}), find_words},
      {"case when a > 50 then b when a > 0 then b + 1 else 0 end",
       call("case", {call(">", {a, number(50)}), b, call(">", {a, number(0)}),
                     call("+", {b, number(1)}), number(0)}),
       choose},
      {"split_part(url, '/', 4)", call("split_part", {col("url"), text("/"), number(4)}), split},
      {"date_trunc('hour', time)", hour, truncate},
      {"date_trunc('month', time)", call("date_trunc", {text("month"), col("time")}),
       truncate_month},
      {"money * rate", call("*", {col("money"), col("rate")}), multiply},
  };
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view word = argc > 1 ? argv[1] : "";
  Rows rows;
  Out out;
  fmt::print("{:58} {:>12} {:>12} {:>7}\n", "expression", "rows/s", "loop rows/s", "ratio");
  for (const auto& bench : benches()) {
    if (std::string_view(bench.name).find(word) == word.npos) continue;
    auto bound = plan::bind_expression(bench.expression, schema);
    ASSERT(bound.has_value());
    expression::Evaluator evaluator(*bound);
    expression::RowErrors errors;
    double ours = rate([&] {
      keep(evaluator.evaluate(rows.chunk, rows.chunk.selection, 0, errors));
      ASSERT(errors.empty());
    });
    double loop = rate([&] {
      bench.loop(rows, out);
      keep(out);
    });
    fmt::print("{:58} {:12.0f} {:12.0f} {:7.2f}\n", bench.name, ours, loop, ours / loop);
  }
}
