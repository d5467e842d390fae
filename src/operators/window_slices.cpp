#include "operators/window_slices.h"

#include "base/assert.h"

namespace leat::operators {

using Kind = plan::WindowShape::Kind;

namespace {

std::int64_t stride_of(const plan::WindowShape& shape) {
  if (shape.kind == Kind::hopping) return shape.slide_ms;
  return shape.kind == Kind::cumulate ? shape.step_ms : shape.size_ms;
}

// The largest multiple of `step` from `offset` that is not above `value`.
std::int64_t align(std::int64_t value, std::int64_t step, std::int64_t offset) {
  std::int64_t rest = (value - offset) % step;
  return value - (rest < 0 ? rest + step : rest);
}

}  // namespace

WindowSlices::WindowSlices(const plan::WindowShape& shape)
    : size_ms_(shape.size_ms),
      offset_ms_(shape.offset_ms),
      stride_ms_(stride_of(shape)),
      grows_(shape.kind == Kind::cumulate),
      single_(stride_ms_ == size_ms_) {
  ASSERT(shape.kind != Kind::session);
}

SliceSpan WindowSlices::slice_of(std::int64_t time_ms) const {
  std::int64_t begin = align(time_ms, stride_ms_, offset_ms_);
  if (grows_) {
    std::int64_t end = begin + stride_ms_;
    return {begin, end, end, align(time_ms, size_ms_, offset_ms_) + size_ms_};
  }
  // Windows begin where slides do; they end `rest` behind that.
  std::int64_t rest = size_ms_ % stride_ms_, last = begin + size_ms_;
  SliceSpan slice{begin, begin + stride_ms_, 0, last};
  if (rest != 0 && time_ms < begin + rest)
    slice.end_ms = begin + rest;
  else
    slice.start_ms = begin + rest;
  slice.first_end_ms = last - (last - slice.end_ms) / stride_ms_ * stride_ms_;
  return slice;
}

std::int64_t WindowSlices::first_open(const SliceSpan& slice, Watermark watermark,
                                      std::int64_t lateness_ms) const {
  if (watermark < slice.first_end_ms + lateness_ms) return slice.first_end_ms;
  if (watermark >= slice.last_end_ms + lateness_ms) return slice.last_end_ms + stride_ms_;
  std::int64_t passed = (watermark - lateness_ms - slice.first_end_ms) / stride_ms_;
  return slice.first_end_ms + (passed + 1) * stride_ms_;
}

Span WindowSlices::window(std::int64_t end_ms) const {
  if (grows_) return {align(end_ms - 1, size_ms_, offset_ms_), end_ms};
  return {end_ms - size_ms_, end_ms};
}

std::int64_t WindowSlices::end_after(std::int64_t time_ms) const {
  return align(time_ms, stride_ms_, offset_ms_ + size_ms_) + stride_ms_;
}

}  // namespace leat::operators
