#include "tools/progress.h"

#include <unistd.h>

#include <cmath>

#include <fmt/core.h>

namespace leat::tools {

std::string bytes_text(std::uint64_t bytes) {
  constexpr double step = 1000;
  double value = static_cast<double>(bytes);
  if (value < step) return fmt::format("{} bytes", bytes);
  for (const char* unit : {"kB", "MB", "GB"}) {
    value /= step;
    if (value < step) return fmt::format("{:.{}f} {}", value, value < 10 ? 1 : 0, unit);
  }
  return fmt::format("{:.1f} TB", value / step);
}

std::string seconds_text(double seconds) {
  auto whole = static_cast<std::int64_t>(std::ceil(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} m {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} m", whole / 3600, whole / 60 % 60);
}

Progress::Progress() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  wipe();
}

void Progress::show(const std::function<std::string()>& text) {
  if (!is_terminal_) return;
  auto now = Clock::now();
  if (now - shown_ < std::chrono::milliseconds(200)) return;
  shown_ = now;
  is_shown_ = true;
  fmt::print(stderr, "\r{}\x1b[K", text());
}

void Progress::wipe() {
  if (is_shown_) fmt::print(stderr, "\r\x1b[K");
  is_shown_ = false;
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - started_).count();
}

std::optional<double> Progress::seconds_left(double done, double total) {
  constexpr double weight = 0.3;
  constexpr double shown_max = 99 * 3600;
  auto now = Clock::now();
  double elapsed = std::chrono::duration<double>(now - measured_).count();
  if (elapsed > 0) {
    double lately = (done - measured_done_) / elapsed;
    rate_ = measured_ == started_ ? lately : weight * lately + (1 - weight) * rate_;
    measured_ = now;
    measured_done_ = done;
  }
  if (rate_ <= 0) return std::nullopt;
  double left = (total - done) / rate_;
  if (left > shown_max) return std::nullopt;
  return left;
}

}  // namespace leat::tools
