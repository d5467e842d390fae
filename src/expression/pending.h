// Rows of which some need less than others.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "expression/node.h"

namespace leat::expression {

/// The rows that still need something, fewer with each argument.
class Pending {
 public:
  explicit Pending(const Rows& rows) : rows_(rows) {}

  const Rows& rows() const { return rows_; }
  bool empty() const { return rows_.count == 0; }
  /// Evaluates for the rows that are left, of which those with errors go.
  Operand evaluate(const Node& node, const Frame& frame) {
    auto errors = frame.errors.reasons().size();
    Operand operand = node.evaluate(frame, rows_);
    if (frame.errors.reasons().size() != errors) {
      rows_ = without_errors(rows_, frame.errors, list_);
    }
    return operand;
  }
  /// Takes out those rows for which `is_done` is true, and gives these, good until the next call.
  template <class IsDone>
  Rows take_if(IsDone is_done) {
    list_.resize(std::max(list_.size(), rows_.count));
    done_.resize(list_.size());
    std::size_t left = 0, done = 0;
    rows_.each([&](std::uint32_t row) {
      std::size_t is = is_done(row) ? 1 : 0;
      done_[done] = row;
      list_[left] = row;
      done += is;
      left += 1 - is;
    });
    Rows taken{done, done_.data()};
    if (left == 0) taken = rows_.is_all() ? rows_ : taken;
    if (done != 0) rows_ = {left, list_.data()};
    return taken;
  }

 private:
  Rows rows_;
  std::vector<std::uint32_t> list_;
  std::vector<std::uint32_t> done_;
};

/// Sets the cells of these rows to what `result` gives for them, but of those that have an error.
inline void take_result(const Node& result, const Frame& frame, const Rows& rows,
                        OwnedVector& out) {
  Pending chosen(rows);
  Operand operand = chosen.evaluate(result, frame);
  out.take(operand, chosen.rows());
}

}  // namespace leat::expression
