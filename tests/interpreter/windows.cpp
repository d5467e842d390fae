#include "interpreter/windows.h"

#include "base/assert.h"
#include "interpreter/calendar.h"

namespace leat::interpreter {

using plan::WindowShape;

std::vector<Span> windows_of(const WindowShape& shape, std::int64_t time) {
  ASSERT(shape.kind != WindowShape::Kind::session);
  std::vector<Span> spans;
  std::int64_t offset = shape.offset_ms;
  if (shape.kind == WindowShape::Kind::hopping) {
    std::int64_t last = floor_divide(time - offset, shape.slide_ms) * shape.slide_ms + offset;
    for (std::int64_t start = last; time < start + shape.size_ms; start -= shape.slide_ms) {
      spans.push_back({start, start + shape.size_ms});
    }
    return spans;
  }
  std::int64_t start = floor_divide(time - offset, shape.size_ms) * shape.size_ms + offset;
  bool grows = shape.kind == WindowShape::Kind::cumulate;
  std::int64_t step = grows ? shape.step_ms : shape.size_ms;
  for (std::int64_t end = start + step; end <= start + shape.size_ms; end += step) {
    if (time < end) spans.push_back({start, end});
  }
  return spans;
}

}  // namespace leat::interpreter
