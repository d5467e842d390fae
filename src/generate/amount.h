// Money as text.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace leat::generate {

/// 1230 is "12.30".
inline std::string amount_text(std::int64_t cents) {
  std::int64_t whole = cents < 0 ? -cents : cents;
  return fmt::format("{}{}.{:02}", cents < 0 ? "-" : "", whole / 100, whole % 100);
}

}  // namespace leat::generate
