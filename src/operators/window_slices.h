// Which windows a moment is in, and which parts of time are in the same ones.
#pragma once

#include <cstdint>
#include <optional>

#include "operators/watermark.h"
#include "plan/stateful_nodes.h"

namespace leat::operators {

/// [start, end), in milliseconds.
struct Span {
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  friend auto operator<=>(const Span&, const Span&) = default;
};

/// Moments [start, end) that are in the same windows: those that end at `first_end`, a stride
/// behind it, and so on up to `last_end`.
struct SliceSpan {
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  std::int64_t first_end_ms = 0;
  std::int64_t last_end_ms = 0;

  bool contains(std::int64_t time_ms) const { return start_ms <= time_ms && time_ms < end_ms; }
};

/// Windows of one shape, cut where one of them begins or ends: into one piece a slide, or two. All
/// their ends are a whole number of strides apart, and no two windows have the same end.
class WindowSlices {
 public:
  /// REQUIRES: no sessions.
  explicit WindowSlices(const plan::WindowShape& shape);

  SliceSpan slice_of(std::int64_t time_ms) const;
  std::int64_t stride_ms() const { return stride_ms_; }
  /// Of the slice's windows the first one whose end is greater than `watermark` - `lateness_ms`:
  /// its end; a stride behind the last one if there is none.
  std::int64_t first_open(const SliceSpan& slice, Watermark watermark,
                          std::int64_t lateness_ms) const;
  /// The window that ends there. REQUIRES: there is one.
  Span window(std::int64_t end_ms) const;
  /// The end of the first window that ends behind `time_ms`.
  std::int64_t end_after(std::int64_t time_ms) const;
  /// Whether each moment is in one window.
  bool single() const { return single_; }

 private:
  std::int64_t size_ms_;
  std::int64_t offset_ms_;
  std::int64_t stride_ms_;  // between ends
  bool grows_;              // cumulating windows
  bool single_;
};

}  // namespace leat::operators
