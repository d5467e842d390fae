#include "operators/slice_stack.h"

namespace leat::operators {

void SliceStack::enter(std::int64_t start_ms, std::shared_ptr<const WindowTable> slice) {
  if (behind_.empty()) {
    behind_sum_ = slice;
  } else {
    // Whoever was given the sum may hold it still.
    if (!behind_own_ || behind_own_.use_count() > 2) {
      auto copy = make_table_();
      copy->merge(*behind_sum_, groups_);
      behind_own_ = copy;
      behind_sum_ = copy;
    }
    behind_own_->merge(*slice, groups_);
  }
  behind_.push_back({start_ms, std::move(slice)});
}

void SliceStack::leave_before(std::int64_t start_ms) {
  while (!front_.empty() && front_.back().start_ms < start_ms) front_.pop_back();
  bool older = !behind_.empty() && behind_.front().start_ms < start_ms;
  if (older) turn_over(start_ms);
}

// REQUIRES: nothing in front, which would be older.
void SliceStack::turn_over(std::int64_t start_ms) {
  while (!behind_.empty() && behind_.back().start_ms >= start_ms) {
    auto [start, slice] = std::move(behind_.back());
    behind_.pop_back();
    if (front_.empty()) {
      front_.push_back({start, std::move(slice), nullptr});
      continue;
    }
    auto sum = make_table_();
    sum->merge(*front_.back().sum, groups_);
    sum->merge(*slice, groups_);
    front_.push_back({start, sum, sum});
  }
  behind_.clear();
  behind_sum_.reset();
  behind_own_.reset();
}

SliceStack::Tables SliceStack::sum(std::int64_t next_ms) {
  Tables tables;
  if (!front_.empty()) {
    Front& front = front_.back();
    bool last_time = front.start_ms < next_ms && front.own && front.own.use_count() == 2;
    if (last_time && behind_sum_) {
      front.own->merge(*behind_sum_, groups_);
      return {front.sum};
    }
    tables.push_back(front.sum);
  }
  if (behind_sum_) tables.push_back(behind_sum_);
  return tables;
}

std::size_t SliceStack::bytes() const {
  std::size_t bytes = behind_own_ ? behind_own_->bytes() : 0;
  for (const Front& front : front_) {
    if (front.own) bytes += front.own->bytes();
  }
  return bytes;
}

}  // namespace leat::operators
