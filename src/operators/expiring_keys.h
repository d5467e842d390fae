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
    End& end = ends_[number];
    end.counts = true;
    end.time_ms = time_ms;
    // Mostly the time moves on: that is seen when it comes.
    if (!end.is_queued || end.queued_ms > time_ms) queue(number, time_ms);
  }
  /// Erases the keys whose time has come, from the earliest on, if `may_go(number)` agrees. Of one
  /// that stays the time no longer counts.
  template <class MayGo>
  void forget(Watermark watermark, const MayGo& may_go) {
    while (!queue_.empty() && queue_.top().first <= watermark) {
      auto [time_ms, number] = queue_.top();
      queue_.pop();
      End& end = ends_[number];
      if (!end.is_queued || end.queued_ms != time_ms) continue;
      end.is_queued = false;
      // The number may belong to another key by now.
      if (!end.counts || !table_.has(number)) continue;
      if (end.time_ms > time_ms) {
        queue(number, end.time_ms);
        continue;
      }
      end.counts = false;
      if (may_go(number)) table_.erase(number);
    }
  }
  std::size_t bytes() const {
    return table_.bytes() + ends_.capacity() * sizeof(End) + queue_.size() * sizeof(Queued);
  }

 private:
  struct End {
    std::int64_t time_ms = 0;
    std::int64_t queued_ms = 0;  // the earliest time at which it is looked at, if it is queued
    bool counts = false;
    bool is_queued = false;
  };
  using Queued = std::pair<std::int64_t, Number>;

  void queue(Number number, std::int64_t time_ms) {
    ends_[number].is_queued = true;
    ends_[number].queued_ms = time_ms;
    queue_.push({time_ms, number});
  }

  KeyTable table_;
  std::vector<End> ends_;  // by number
  std::priority_queue<Queued, std::vector<Queued>, std::greater<>> queue_;
};

}  // namespace leat::operators
