// What a function keeps: for each key its own, and timers.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/state.h"
#include "operators/key_table.h"
#include "operators/process.h"

namespace leat::operators {

/// Not thread-safe.
class ProcessKeys {
 public:
  using Number = KeyTable::Number;
  struct Timer {
    std::int64_t time_ms;
    Number key;
  };

  /// `function` outlives it.
  explicit ProcessKeys(const ProcessFunction& function);

  Number find_or_add(std::string_view key);
  std::string_view key(Number number) const { return table_.key(number); }
  ProcessFunction::Kept& kept(Number number) { return *known_[number].kept; }
  /// Behind each call: what is kept may have changed, and `forget` drops the key.
  void end_call(Number number, bool forget);

  void set_timer(Number number, std::int64_t time_ms);
  void cancel_timer(Number number, std::int64_t time_ms);
  /// The first one by time, then key, if it is before that time. It is gone then.
  std::optional<Timer> take_timer(std::int64_t before_ms);
  /// The time of the last one; the least there is if there is none.
  std::int64_t last_timer_ms() const {
    return timers_.empty() ? std::numeric_limits<std::int64_t>::min() : timers_.rbegin()->time_ms;
  }

  std::size_t bytes() const;
  //   keys  := count:u32 (key:text kept:text count:u32 timer:i64*)*
  void snapshot(StateWriter& writer) const;
  Result<void> restore(StateReader& reader);

 private:
  struct Known {
    std::unique_ptr<ProcessFunction::Kept> kept;
    std::set<std::int64_t> timers;
    std::size_t bytes = 0;
  };
  struct Before {
    const KeyTable* table;
    bool operator()(const Timer& a, const Timer& b) const {
      if (a.time_ms != b.time_ms) return a.time_ms < b.time_ms;
      return a.key != b.key && table->key(a.key) < table->key(b.key);
    }
  };

  const ProcessFunction& function_;
  bool keeps_nothing_;
  KeyTable table_;
  std::vector<Known> known_;  // by the keys' numbers
  std::set<Timer, Before> timers_{Before{&table_}};
  std::size_t kept_bytes_ = 0;
  std::unique_ptr<ProcessFunction::Kept> spare_;  // where nothing is kept
};

}  // namespace leat::operators
