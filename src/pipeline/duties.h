// What a pipeline has to do without being asked: note that a run has ended, begin the next one.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/failures.h"

namespace leat::pipeline {

/// A duty that could not be done yet, as its operator sees it.
struct HeldUp {
  /// To be read behind "it was to".
  std::string duty;
  /// In a row, and the last one.
  std::uint32_t failures = 0;
  Error error;
  std::int64_t next_try_ms = 0;
};

/// Has what failed wait, behind pauses that grow as those of runs do, however it fails. Asks no
/// clock: times are the monotonic one's.
class Duties {
 public:
  using Time = std::chrono::nanoseconds;

  /// Whether it is to be tried now. Who has to do it, asks again and again.
  bool is_due(const std::string& duty, Time now);
  void done(const std::string& duty) { waiting_.erase(duty); }
  /// Whether that is news: it did not fail before, or in another way.
  bool failed(const std::string& duty, const Error& error, Time now);
  /// Forgets those whose time has come and that nobody has asked for since the last call: there is
  /// no need of them any more.
  void forget_unasked(Time now);
  /// Somebody has done something about what keeps them from being done.
  void try_all_now();

  bool is_waiting(const std::string& duty) const { return waiting_.contains(duty); }
  /// When the first of them is to be tried again; nothing if none failed.
  std::optional<Time> next_due() const;
  /// Where the wall's clock says `wall_ms` now.
  std::vector<HeldUp> held_up(Time now, std::int64_t wall_ms) const;

 private:
  struct Waiting {
    Failures failures;
    Time due{0};
    bool is_asked_for = true;
  };
  std::map<std::string, Waiting> waiting_;
};

}  // namespace leat::pipeline
