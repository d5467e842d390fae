// The slices of the window that closes now, added up as windows move on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "operators/window_table.h"

namespace leat::operators {

/// A queue of slices whose sum costs three additions a slice, however many are in it: two stacks.
/// Of those in front there is the sum of each with all younger ones in front; those behind are one
/// sum. When the front is used up, what is behind becomes the front. Holds slices, and changes
/// none.
class SliceStack {
 public:
  using Tables = std::vector<std::shared_ptr<const WindowTable>>;
  explicit SliceStack(std::function<std::shared_ptr<WindowTable>()> make_table)
      : make_table_(std::move(make_table)) {}

  /// REQUIRES: younger than all that are in it.
  void enter(std::int64_t start_ms, std::shared_ptr<const WindowTable> slice);
  /// Takes out slices that begin before `start_ms`.
  void leave_before(std::int64_t start_ms);
  /// What all slices are the sum of: nothing, one or two tables. Those that begin before `next_ms`
  /// will not be asked for again.
  Tables sum(std::int64_t next_ms);
  /// What it holds besides the slices.
  std::size_t bytes() const;

 private:
  struct Entry {
    std::int64_t start_ms = 0;
    std::shared_ptr<const WindowTable> slice;
  };
  struct Front {
    std::int64_t start_ms = 0;
    std::shared_ptr<const WindowTable> sum;
    std::shared_ptr<WindowTable> own;  // `sum`, if it is no slice
  };
  void turn_over(std::int64_t start_ms);

  std::function<std::shared_ptr<WindowTable>()> make_table_;
  std::vector<Front> front_;  // the oldest last
  std::vector<Entry> behind_;
  std::shared_ptr<const WindowTable> behind_sum_;
  std::shared_ptr<WindowTable> behind_own_;  // the same, if it is no slice
  std::vector<std::uint32_t> groups_;        // of an addition
};

}  // namespace leat::operators
