// What the program tells its operator: one line an event on stderr, text for a terminal, JSON
// otherwise. Thread-safe; a line is written with one call.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace leat {

enum class LogLevel { debug, info, warning, error, none };

/// Writes `message` at `level`, if that is not below the level set.
void log_message(LogLevel level, std::string_view message);
/// The least level that is written; info at the start. With `none` nothing is.
void set_log_level(LogLevel level);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace leat
