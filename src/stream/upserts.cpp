#include "stream/upserts.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "column/position.h"
#include "column/row_key.h"

namespace leat::stream {

using column::Chunk;
using column::RowKind;
using column::Selection;

namespace {

using Rows = std::vector<std::uint32_t>;

bool gives(RowKind kind) {
  return kind == RowKind::insert || kind == RowKind::update_after;
}

RowKind kind_of(const Chunk& chunk, std::uint32_t row) {
  const auto& kinds = chunk.context->kinds;
  return kinds.empty() ? RowKind::insert : kinds[row];
}

void append_key(std::string& out, const Chunk& chunk, std::uint32_t row,
                std::span<const std::size_t> keys) {
  for (std::size_t key : keys) column::append_key(out, *chunk.columns[key], row);
}

/// Tells whether versions come in pairs, each behind the one that it replaces.
class Pairs {
 public:
  explicit Pairs(std::span<const std::size_t> keys) : keys_(keys) {}

  bool are_all_of(const Chunk& chunk) {
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      RowKind kind = kind_of(chunk, chunk.selection[i]);
      if (gives(kind)) continue;
      if (kind == RowKind::erase || ++i == chunk.selection.size()) return false;
      std::uint32_t before = chunk.selection[i - 1], after = chunk.selection[i];
      if (kind_of(chunk, after) != RowKind::update_after) return false;
      if (!have_one_key(chunk, before, after)) return false;
    }
    return true;
  }

 private:
  bool have_one_key(const Chunk& chunk, std::uint32_t before, std::uint32_t after) {
    before_.clear();
    after_.clear();
    append_key(before_, chunk, before, keys_);
    append_key(after_, chunk, after, keys_);
    return before_ == after_;
  }

  std::span<const std::size_t> keys_;
  std::string before_, after_;
};

/// Which rows each key was given and had taken back.
class KeyCounts {
 public:
  KeyCounts(std::span<const Chunk> changes, std::span<const std::size_t> keys)
      : changes_(changes), keys_(keys), passing_(changes.size()) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      column::RunCursor runs(*changes[i].context);
      for (std::size_t at = 0; at < changes[i].selection.size(); ++at) {
        std::uint32_t row = changes[i].selection[at];
        count({i, row}, changes[i].context->position(row, runs.run_of(row)));
      }
    }
    for (Rows& rows : passing_) std::sort(rows.begin(), rows.end());
  }

  /// The rows of a chunk that came and went.
  const Rows& passing(std::size_t chunk) const { return passing_[chunk]; }
  /// The rows of each chunk that were the last of keys which have none now.
  std::vector<Rows> gone() const {
    std::vector<Rows> rows(changes_.size());
    for (const auto& [key, count] : by_key_) {
      if (count.given == 0 && count.taken) rows[count.taken->chunk].push_back(count.taken->row);
    }
    for (Rows& of_chunk : rows) std::sort(of_chunk.begin(), of_chunk.end());
    return rows;
  }

 private:
  struct Place {
    std::size_t chunk = 0;
    std::uint32_t row = 0;
  };
  struct Count {
    int given = 0;               // and not taken back, but for what was there before
    std::optional<Place> taken;  // the last one of before
  };

  void count(const Place& at, const column::Position& position) {
    const Chunk& chunk = changes_[at.chunk];
    row_.clear();
    column::append_position(row_, position);
    key_.clear();
    append_key(key_, chunk, at.row, keys_);
    Count& count = by_key_[key_];
    RowKind kind = kind_of(chunk, at.row);
    if (kind == RowKind::insert) new_rows_.insert(row_);
    bool is_new = new_rows_.contains(row_);
    row_ += key_;
    if (gives(kind)) {
      ++count.given;
      if (is_new) given_[row_] = at;
      return;
    }
    auto given = given_.find(row_);
    if (given == given_.end()) {
      count.taken = at;
      return;
    }
    --count.given;
    passing_[given->second.chunk].push_back(given->second.row);
    given_.erase(given);
  }

  std::span<const Chunk> changes_;
  std::span<const std::size_t> keys_;
  boost::unordered_flat_map<std::string, Count> by_key_;
  boost::unordered_flat_set<std::string> new_rows_;      // that were not there before, by position
  boost::unordered_flat_map<std::string, Place> given_;  // their versions, by position and key
  std::vector<Rows> passing_;
  std::string row_, key_;
};

/// Without these rows.
Chunk given_rows(const Chunk& chunk, const Rows& passing) {
  Rows rows;
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    bool stays = !std::binary_search(passing.begin(), passing.end(), row);
    if (stays && gives(kind_of(chunk, row))) rows.push_back(row);
  }
  if (rows.size() == chunk.selection.size()) return chunk;
  Chunk some = chunk;
  some.selection = Selection::of(std::move(rows));
  return some;
}

Chunk erased_rows(const Chunk& chunk, Rows rows) {
  Chunk some = chunk;
  auto context = std::make_shared<column::RowContext>(*chunk.context);
  for (std::uint32_t row : rows) context->kinds[row] = RowKind::erase;
  some.context = std::move(context);
  some.selection = Selection::of(std::move(rows));
  return some;
}

}  // namespace

std::vector<Chunk> as_upserts(std::span<const Chunk> changes, std::span<const std::size_t> keys) {
  Pairs pairs(keys);
  bool in_pairs = std::all_of(changes.begin(), changes.end(),
                              [&](const Chunk& chunk) { return pairs.are_all_of(chunk); });
  std::optional<KeyCounts> counts;
  if (!in_pairs) counts.emplace(changes, keys);
  std::vector<Chunk> upserts;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Chunk given = given_rows(changes[i], counts ? counts->passing(i) : Rows());
    if (given.selection.size() > 0) upserts.push_back(std::move(given));
  }
  // As windows have them, whose keys never go.
  if (in_pairs) return upserts;
  std::vector<Rows> gone = counts->gone();
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (!gone[i].empty()) upserts.push_back(erased_rows(changes[i], std::move(gone[i])));
  }
  return upserts;
}

}  // namespace leat::stream
