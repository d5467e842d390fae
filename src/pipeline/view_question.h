// What is asked of a view.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace leat::pipeline {

/// A moment of a view. MOMENT := 'end' | N, an epoch | N ',' N, those of a union view's batch and
/// live view | '@' TIME, the last epoch that was made by then (log_position.h says what a TIME is).
struct ViewTime {
  std::optional<std::uint64_t> epoch;
  /// Of the live view of a union.
  std::optional<std::uint64_t> live_epoch;
  std::optional<std::int64_t> time_ms;

  bool is_now() const { return !epoch && !time_ms; }
  /// Errc::invalid_argument with what there is.
  static Result<ViewTime> parse(const std::string& text, std::int64_t now_ms);
};

struct ViewQuestion {
  std::string view;
  /// The text of a single key column, a JSON array of several.
  std::optional<std::string> key;
  ViewTime at;
  /// What an answer before it had as "next": rows behind those.
  std::optional<std::string> after;
  std::size_t limit = 1000;
};

}  // namespace leat::pipeline
