// Which windows a time is in.
#pragma once

#include <vector>

#include "plan/stateful_nodes.h"

namespace leat::interpreter {

/// [start, end), in milliseconds.
struct Span {
  std::int64_t start;
  std::int64_t end;
  friend auto operator<=>(const Span&, const Span&) = default;
};

/// All windows of this shape that `time` is in. REQUIRES: no sessions.
std::vector<Span> windows_of(const plan::WindowShape& shape, std::int64_t time);

}  // namespace leat::interpreter
