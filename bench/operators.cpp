// Each operator alone, over the same chunks as a loop that a programmer would write with
// boost::unordered_flat_map and that relies on the order of time: millions of rows a second of both
// on one core, their ratio, and how many rows came out, which has to be the same. Rows are a key
// and a number; event time moves on every 65,536 rows. Of operators that revise their rows (top)
// what is left in the end is compared.
//
//   bench-operators [PART OF A NAME...]
//
// The best of three rounds counts, since machines are shared.
#include <string>

#include <fmt/format.h>

#include "operators/loops.h"

using namespace leat::operator_bench;

namespace {

constexpr std::int64_t window_ms = 1 << 19;

std::string window(const std::string& shape) {
  return fmt::format(
      R"({{"name":"o","type":"window","input":"a","window":{{{}}},"keys":["k"],"aggregates":[)"
      R"({{"name":"n","function":"count"}},)"
      R"({{"name":"s","function":"sum","argument":{{"column":"v"}}}}]}})",
      shape);
}

std::string tumbling() {
  return window(fmt::format(R"("kind":"tumbling","size_ms":{})", window_ms));
}

std::string over(const std::string& frame) {
  return fmt::format(
      R"({{"name":"o","type":"over","input":"a","keys":["k"],"frame":{{{}}},"aggregates":[)"
      R"({{"name":"s","function":"sum","argument":{{"column":"v"}}}}]}})",
      frame);
}

std::string join(const std::string& kind, const std::string& more = "") {
  return fmt::format(R"({{"name":"o","type":"join","left":"a","right":"b","kind":"{}",)"
                     R"("keys":[{{"left":"k","right":"k"}}]{}}})",
                     kind, more);
}

void measure_stateless(const Comparison& compare, const Data& data) {
  compare("filter, half pass",
          {R"({"name":"o","type":"filter","input":"a","condition":)"
           R"({"call":"<","arguments":[{"column":"v"},{"bigint":500}]}})",
           &data},
          [&] { return filter_loop(data); });
  compare("project k, v * 3 + 1",
          {R"({"name":"o","type":"project","input":"a","columns":[)"
           R"({"name":"k","expression":{"column":"k"}},{"name":"w","expression":)"
           R"({"call":"+","arguments":[{"call":"*","arguments":[{"column":"v"},{"bigint":3}]},)"
           R"({"bigint":1}]}}]})",
           &data},
          [&] { return project_loop(data); });
  Data arrays(Shape::array, 1000);
  compare("unnest, 3 items",
          {R"({"name":"o","type":"unnest","input":"a","column":"items","as":"item"})", &arrays},
          [&] { return unnest_loop(arrays); });
}

void measure_windows(const Comparison& compare) {
  for (std::uint64_t keys : {10, 10'000, 1'000'000}) {
    Data data(Shape::integer_key, keys);
    compare(fmt::format("tumbling, {} keys", keys), {tumbling(), &data},
            [&] { return tumbling_loop(data, window_ms); });
    Data texts(Shape::text_key, keys);
    compare(fmt::format("tumbling, {} text keys", keys), {tumbling(), &texts},
            [&] { return tumbling_texts_loop(texts, window_ms); });
    constexpr std::int64_t slide_ms = window_ms / 8;
    compare(
        fmt::format("hopping by 8, {} keys", keys),
        {window(fmt::format(R"("kind":"hopping","size_ms":{},"slide_ms":{})", window_ms, slide_ms)),
         &data},
        [&] { return hopping_loop(data, window_ms, slide_ms); });
    auto gap_ms = static_cast<std::int64_t>(4 * keys);
    compare(fmt::format("session, {} keys", keys),
            {window(fmt::format(R"("kind":"session","gap_ms":{})", gap_ms)), &data},
            [&] { return session_loop(data, gap_ms); });
  }
}

void measure_keyed(const Comparison& compare, const Data& data) {
  compare("top 3",
          {R"({"name":"o","type":"top","input":"a","keys":["k"],"limit":3,)"
           R"("order_by":[{"column":"v","descending":true}]})",
           &data},
          [&] { return top_loop(data, 3); });
  constexpr std::int64_t horizon_ms = 60'000;
  compare("dedup, first",
          {fmt::format(R"({{"name":"o","type":"dedup","input":"a","keys":["k"],"horizon_ms":{}}})",
                       horizon_ms),
           &data},
          [&] { return dedup_loop(data, horizon_ms); });
  compare("over, 10 rows before", {over(R"("rows":10)"), &data},
          [&] { return over_rows_loop(data, 10); });
  constexpr std::int64_t range_ms = 200'000;
  compare("over, some 10 rows of time", {over(fmt::format(R"("range_ms":{})", range_ms)), &data},
          [&] { return over_range_loop(data, range_ms); });
}

void measure_joins(const Comparison& compare, const Data& left) {
  Data right(Shape::integer_key, 10'000, 2, 1);
  constexpr std::int64_t span_ms = 10'000;
  compare("interval join, one partner",
          {join("interval", fmt::format(R"(,"lower_ms":{},"upper_ms":{})", -span_ms, span_ms)),
           &left, &right},
          [&] { return interval_join_loop(left, right, span_ms); });
  compare("as-of join", {join("as_of"), &left, &right},
          [&] { return as_of_join_loop(left, right); });
  compare("table join", {join("table"), &left, &right, true},
          [&] { return table_join_loop(left, right); });
}

}  // namespace

int main(int argc, char** argv) {
  Comparison compare({argv + 1, argv + argc});
  fmt::print("{:<28} {:>8} {:>8} {:>6} {:>9}\n", "M rows/s", "leat", "loop", "ratio", "rows out");
  Data data(Shape::integer_key, 10'000);
  measure_stateless(compare, data);
  measure_windows(compare);
  measure_keyed(compare, data);
  measure_joins(compare, data);
}
