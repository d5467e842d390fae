#include <algorithm>

#include <doctest/doctest.h>

#include "base/random.h"
#include "interpreter/windows.h"
#include "operators/window_slices.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

plan::WindowShape random_shape(Random& random) {
  using Kind = plan::WindowShape::Kind;
  plan::WindowShape shape;
  shape.kind = static_cast<Kind>(random.below(3));
  shape.size_ms = random.between(1, 60);
  shape.offset_ms = random.between(-100, 100);
  if (shape.kind == Kind::hopping) shape.slide_ms = random.between(1, shape.size_ms);
  if (shape.kind == Kind::cumulate) {
    shape.step_ms = shape.size_ms;
    shape.size_ms *= random.between(1, 9);
  }
  return shape;
}

}  // namespace

TEST_CASE("all moments of a slice are in the same windows, and no other one beside it is") {
  Random random(7);
  for (int i = 0; i < 3'000; ++i) {
    plan::WindowShape shape = random_shape(random);
    WindowSlices slices(shape);
    std::int64_t time = random.between(-300, 300);
    SliceSpan slice = slices.slice_of(time);
    CHECK(slice.contains(time));
    auto windows = interpreter::windows_of(shape, time);
    std::sort(windows.begin(), windows.end(),
              [](const auto& a, const auto& b) { return a.end < b.end; });
    std::int64_t end = slice.first_end_ms;
    for (const auto& window : windows) {
      CHECK(end == window.end);
      CHECK(slices.window(end) == Span{window.start, window.end});
      CHECK(slices.end_after(end - 1) == end);
      CHECK(slices.end_after(end) == end + slices.stride_ms());
      end += slices.stride_ms();
    }
    CHECK(slice.last_end_ms + slices.stride_ms() == end);
    CHECK(slices.slice_of(slice.start_ms).end_ms == slice.end_ms);
    CHECK(slices.slice_of(slice.end_ms - 1).start_ms == slice.start_ms);
    CHECK(slices.slice_of(slice.end_ms).start_ms == slice.end_ms);
  }
}

TEST_CASE("the first window that is open ends behind the watermark, less the lateness") {
  Random random(8);
  for (int i = 0; i < 3'000; ++i) {
    plan::WindowShape shape = random_shape(random);
    WindowSlices slices(shape);
    SliceSpan slice = slices.slice_of(random.between(-300, 300));
    std::int64_t lateness = random.one_in(2) ? 0 : random.between(0, 80);
    Watermark watermark = slice.start_ms + random.between(-100, 400);
    std::int64_t first = slice.first_end_ms;
    while (first <= slice.last_end_ms && first + lateness <= watermark) first += slices.stride_ms();
    CHECK(slices.first_open(slice, watermark, lateness) == first);
    CHECK(slices.first_open(slice, watermark_min, lateness) == slice.first_end_ms);
    CHECK(slices.first_open(slice, watermark_max, lateness) > slice.last_end_ms);
  }
}

TEST_SUITE_END();
