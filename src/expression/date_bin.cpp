#include "expression/date_bin.h"

#include "column/calendar.h"

namespace leat::expression {

using column::day_ms;
using column::Int128;
using column::Interval;
using std::int64_t;

namespace {

/// Stretches of time, all as long as a stride, of which one begins at an origin.
class Bins {
 public:
  /// Why there are none for this stride; null if there are.
  static const char* error_of(const Interval& stride) {
    if (stride.months != 0)
      return "timestamps cannot be binned into intervals containing months or years";
    Int128 ms = length_of(stride);
    if (ms != static_cast<int64_t>(ms)) return "interval out of range";
    return ms <= 0 ? "stride must be greater than zero" : nullptr;
  }
  /// REQUIRES: !error_of(stride).
  Bins(const Interval& stride, int64_t origin)
      : length_(static_cast<std::uint64_t>(length_of(stride))), origin_(origin) {
    find(origin);
  }
  /// Most times lie in the bin of the one before.
  Checked<int64_t> begin_of(int64_t time) {
    if (static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(begin_.value) < length_)
      return begin_;
    // What stands under a NULL may be any number.
    if (!is_time(time)) return {0, 1};
    find(time);
    return begin_;
  }

 private:
  static Int128 length_of(const Interval& stride) {
    return Int128{stride.days} * day_ms + stride.ms;
  }
  static bool is_time(Int128 ms) {
    return column::timestamp_min.ms <= ms && ms <= column::timestamp_max.ms;
  }
  void find(int64_t time) {
    auto length = static_cast<int64_t>(length_);
    int64_t past = (time - origin_) % length;
    Int128 begin = Int128{time} - (past < 0 ? past + length : past);
    begin_ = {static_cast<int64_t>(begin), is_time(begin) ? 0u : 1u};
  }

  std::uint64_t length_;
  int64_t origin_;
  Checked<int64_t> begin_{};  // of the bin that was asked for last
};

void bin_each(const Call& call) {
  Cells<Interval> strides(call.arguments[0]);
  Cells<int64_t> times(call.arguments[1]), origins(call.arguments[2]);
  for_known_rows(call, [&](std::uint32_t row) {
    if (const char* error = Bins::error_of(strides[row])) return call.errors.add(row, error);
    auto begin = Bins(strides[row], origins[row]).begin_of(times[row]);
    if (begin.bad != 0) return call.errors.add(row, "timestamp out of range");
    call.out().set_integer(row, begin.value);
  });
}

void date_bin(const Call& call) {
  const Operand &stride = call.arguments[0], &origin = call.arguments[2];
  bool known = stride.constant && origin.constant && !stride.is_null(0) && !origin.is_null(0);
  if (!known || Bins::error_of(stride.vector->interval(0)) != nullptr) return bin_each(call);
  Bins bins(stride.vector->interval(0), origin.vector->integer(0));
  Cells<int64_t> times(call.arguments[1]);
  int64_t* out = cells_of<int64_t>(call.out());
  std::uint64_t bad = 0;
  call.rows.each([&, bins](std::uint32_t row) mutable {
    Checked<int64_t> begin = bins.begin_of(times[row]);
    out[row] = begin.value;
    bad |= begin.bad;
  });
  if (bad != 0) return bin_each(call);
  set_nulls(call);
}

}  // namespace

Kernel date_bin_kernel(const plan::BoundExpression& call) {
  if (call.function != "date_bin") return {};
  return date_bin;
}

}  // namespace leat::expression
