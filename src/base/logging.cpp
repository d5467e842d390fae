#include "base/logging.h"

#include <unistd.h>

#include <atomic>
#include <ctime>

#include "base/clock.h"

namespace leat {
namespace {

std::atomic<LogLevel> least_level{LogLevel::info};

std::string_view label(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error:
    case LogLevel::none: return "error";
  }
  return "error";
}

std::string utc_time(std::int64_t wall_ms) {
  std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     wall_ms % 1000);
}

std::string json_escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void set_log_level(LogLevel level) {
  least_level = level;
}

void log_message(LogLevel level, std::string_view message) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  static const bool terminal = isatty(STDERR_FILENO) != 0;
  static const SystemClock clock;
  std::string time = utc_time(clock.wall_ms());
  std::string line = terminal
                         ? fmt::format("{} {:<7} {}\n", time.substr(11, 12), label(level), message)
                         : fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"message\":\"{}\"}}\n",
                                       time, label(level), json_escape(message));
  // Nothing can be done about a stderr that is closed or full.
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace leat
