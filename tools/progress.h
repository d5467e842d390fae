// How far long work is, on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace leat::tools {

/// "1.5 GB", "12 kB".
std::string bytes_text(std::uint64_t bytes);
/// "42 s", "3 m 05 s", "2 h 10 m".
std::string seconds_text(double seconds);

/// A line on stderr that is written over again, and nothing where stderr is no terminal. Times are
/// those of a monotonic clock. Not thread-safe.
class Progress {
 public:
  Progress();
  /// Wipes the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows what `text` gives, but only a few times a second.
  void show(const std::function<std::string()>& text);
  void wipe();

  /// Since this was made.
  double seconds() const;
  /// How long the rest will take, from how fast `done` has grown lately: the rate is smoothed.
  /// Nothing before there is any, or where it would be more than 99 hours.
  std::optional<double> seconds_left(double done, double total);
  /// How fast `done` has grown lately, per second.
  double rate() const { return rate_; }

 private:
  using Clock = std::chrono::steady_clock;
  bool is_terminal_;
  bool is_shown_ = false;
  Clock::time_point started_ = Clock::now();
  Clock::time_point shown_ = started_;
  Clock::time_point measured_ = started_;
  double measured_done_ = 0;
  double rate_ = 0;
};

}  // namespace leat::tools
