// What a query gives, in a form in which a pipeline's answer and a program's can be compared.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace leat::nexmark {

/// How many rows there are in the end, and a sum of their hashes, which no order changes. Only
/// `looks` in runs that are measured: then each cell is read, and no more.
class Answer {
 public:
  enum class Mode { compare, look };
  explicit Answer(Mode mode) : mode_(mode) {}

  bool compares() const { return mode_ == Mode::compare; }
  void add(std::uint64_t row_hash) {
    ++rows_;
    sum_ += row_hash;
  }
  void take_back(std::uint64_t row_hash) {
    --rows_;
    sum_ -= row_hash;
  }
  void look(std::uint64_t rows, std::uint64_t cells) {
    rows_ += rows;
    sum_ += cells;
  }
  /// The row of this key, in place of the one before.
  void put(std::uint64_t key, std::uint64_t row_hash) {
    auto [at, is_new] = rows_by_key_.try_emplace(key, row_hash);
    if (!is_new) take_back(at->second);
    at->second = row_hash;
    add(row_hash);
  }

  /// In runs that are measured: rows, and versions of rows, that were seen.
  std::uint64_t rows() const { return rows_; }
  bool operator==(const Answer& other) const { return rows_ == other.rows_ && sum_ == other.sum_; }

 private:
  Mode mode_;
  std::uint64_t rows_ = 0;
  std::uint64_t sum_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> rows_by_key_;
};

/// Of a row, cell by cell.
class RowHash {
 public:
  void add(std::int64_t cell) { mix(static_cast<std::uint64_t>(cell)); }
  void add(double cell) { mix(std::bit_cast<std::uint64_t>(cell)); }
  void add(std::string_view cell) { mix(XXH3_64bits(cell.data(), cell.size())); }
  std::uint64_t value() const { return hash_; }

 private:
  void mix(std::uint64_t cell) {
    hash_ = (hash_ ^ cell) * 0x9e37'79b9'7f4a'7c15;
    hash_ ^= hash_ >> 29;
  }
  std::uint64_t hash_ = 1;
};

template <class... Cells>
std::uint64_t hash_of(const Cells&... cells) {
  RowHash hash;
  (hash.add(cells), ...);
  return hash.value();
}

/// The least that reading a cell is.
inline std::uint64_t look_at(std::int64_t cell) {
  return static_cast<std::uint64_t>(cell);
}
inline std::uint64_t look_at(double cell) {
  return std::bit_cast<std::uint64_t>(cell);
}
inline std::uint64_t look_at(std::string_view cell) {
  return cell.size();
}

/// The rows that a program gives, some thousand at a time, as an operator hands on chunks.
template <class... Cells>
class Rows {
 public:
  explicit Rows(Answer& answer) : answer_(answer) { rows_.reserve(rows_max); }

  void add(const Cells&... cells) {
    rows_.emplace_back(cells...);
    if (rows_.size() == rows_max) hand_on();
  }
  /// A version of the row with this key.
  void put(std::uint64_t key, const Cells&... cells) {
    if (answer_.compares()) return answer_.put(key, hash_of(cells...));
    add(cells...);
  }
  /// Before what the texts point to is gone.
  [[gnu::noinline]] void hand_on() {
    std::uint64_t seen = 0;
    for (const auto& row : rows_) {
      if (answer_.compares()) {
        answer_.add(std::apply([](const auto&... cell) { return hash_of(cell...); }, row));
      } else {
        seen += std::apply([](const auto&... cell) { return (look_at(cell) + ...); }, row);
      }
    }
    if (!answer_.compares()) answer_.look(rows_.size(), seen);
    rows_.clear();
  }

 private:
  static constexpr std::size_t rows_max = 4096;
  Answer& answer_;
  std::vector<std::tuple<Cells...>> rows_;
};

}  // namespace leat::nexmark
