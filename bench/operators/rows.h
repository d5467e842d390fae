// Rows for operators, what an operator gives for them, and how long that takes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "column/chunk.h"

namespace leat::operator_bench {

inline constexpr std::size_t rows_in_all = 1 << 20;
/// Event time moves on behind so many chunks.
inline constexpr std::size_t step_chunks = 16;

/// What rows have: "k" a key, "v" a number below 1,000, and "items" three numbers.
enum class Shape { integer_key, text_key, array };

/// Rows in the order of time, two milliseconds between them, none of two streams at once.
struct Data {
  Data(Shape shape, std::uint64_t keys, std::uint64_t seed = 1, std::int64_t first_ms = 0);
  Shape shape;
  std::vector<column::Chunk> chunks;

  /// Calls `take(key, value, time)` for all rows of integer keys.
  template <class Take>
  void for_rows(const Take& take) const {
    for (const auto& chunk : chunks) {
      const auto& keys = *chunk.columns[0];
      const auto& values = *chunk.columns[1];
      for (std::size_t row = 0; row < chunk.rows; ++row) {
        take(keys.integer(row), values.integer(row), chunk.context->event_times_ms[row]);
      }
    }
  }
};

/// Rows that came out, and the sum of all their integers.
struct Sum {
  std::uint64_t rows = 0;
  std::uint64_t cells = 0;
  void add(std::int64_t sum_of_cells) {
    ++rows;
    cells += static_cast<std::uint64_t>(sum_of_cells);
  }
  void take_back(std::int64_t sum_of_cells) {
    --rows;
    cells -= static_cast<std::uint64_t>(sum_of_cells);
  }
  bool operator==(const Sum&) const = default;
};

/// Runs the node "o", given as JSON, over source "a", and "b" if there are rows of it: `other` is a
/// stream, or a table that is there before all rows.
struct Setting {
  std::string node;
  const Data* rows = nullptr;
  const Data* other = nullptr;
  bool is_table = false;
};
Sum run_operator(const Setting& setting);

/// Prints rows a second of both, and their ratio. Quits if they do not give the same. Nothing if
/// names are wanted of which none is part of this one.
class Comparison {
 public:
  explicit Comparison(std::vector<std::string> wanted) : wanted_(std::move(wanted)) {}
  void operator()(std::string_view name, const Setting& setting,
                  const std::function<Sum()>& loop) const;

 private:
  std::vector<std::string> wanted_;
};

}  // namespace leat::operator_bench
