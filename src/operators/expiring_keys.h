// Keys that are forgotten when event time has passed them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/key_table.h"
#include "operators/watermark.h"

namespace leat::operators {

/// Numbers for keys, each with an event time from which on nobody needs it. Not thread-safe.
class ExpiringKeys {
 public:
  using Number = KeyTable::Number;

  KeyTable& table() { return table_; }
  const KeyTable& table() const { return table_; }

  /// The key goes as soon as the watermark is at least `time_ms`; counts until the next call for
  /// that key.
  void expire_at(Number number, std::int64_t time_ms) {
    if (ends_.size() <= number) ends_.resize(table_.number_end());
    ends_[number] = time_ms;
    queue_.push({time_ms, number});
  }
  /// Erases the keys whose time has come, from the earliest on, if `may_go(number)` agrees. Of one
  /// that stays the time no longer counts.
  template <class MayGo>
  void forget(Watermark watermark, const MayGo& may_go) {
    while (!queue_.empty() && queue_.top().first <= watermark) {
      auto [time_ms, number] = queue_.top();
      queue_.pop();
      // The number may have another time by now, or belong to another key.
      if (!table_.has(number) || ends_[number] != time_ms) continue;
      if (may_go(number)) table_.erase(number);
    }
  }
  std::size_t bytes() const {
    return table_.bytes() + ends_.capacity() * sizeof(std::int64_t) + queue_.size() * sizeof(End);
  }

 private:
  using End = std::pair<std::int64_t, Number>;

  KeyTable table_;
  std::vector<std::int64_t> ends_;  // by number
  std::priority_queue<End, std::vector<End>, std::greater<>> queue_;
};

}  // namespace leat::operators
