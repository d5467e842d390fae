#include "expression/optimize.h"

#include "expression/date_bin.h"

#include <algorithm>

#include "column/calendar.h"
#include "column/row_blocks.h"

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
    if (holds(time)) return begin_;
    // What stands under a NULL may be any number.
    if (!is_time(time)) return {0, 1};
    find(time);
    return begin_;
  }
  /// Whether a block of times lies in the bin that was asked for last.
  bool holds_block(const int64_t* times) const {
    std::uint64_t others = 0;
    for (std::size_t i = 0; i < column::block_rows; ++i) others |= holds(times[i]) ? 0 : 1;
    return others == 0;
  }
  Checked<int64_t> last() const { return begin_; }

 private:
  bool holds(int64_t time) const {
    return static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(begin_.value) < length_;
  }
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

// Sets the cells of `out`. Says whether a time has no bin.
bool bin_rows(const Rows& rows, const int64_t* times, Bins bins, int64_t* out) {
  std::uint64_t bad = 0;
  auto one = [&](std::size_t, std::uint32_t row) {
    Checked<int64_t> begin = bins.begin_of(times[row]);
    out[row] = begin.value;
    bad |= begin.bad;
  };
  auto block = [&](std::size_t i, std::uint32_t row) {
    column::ask_ahead(times + row);
    if (bins.holds_block(times + row)) {
      std::fill_n(out + row, column::block_rows, bins.last().value);
      bad |= bins.last().bad;
    } else {
      for (std::uint32_t k = 0; k < column::block_rows; ++k) one(i + k, row + k);
    }
  };
  column::each_block(rows.list, rows.count, block, one);
  return bad != 0;
}

void date_bin(const Call& call) {
  const Operand &stride = call.arguments[0], &time = call.arguments[1], &origin = call.arguments[2];
  bool known = stride.constant && origin.constant && !stride.is_null(0) && !origin.is_null(0);
  if (!known || time.constant || Bins::error_of(stride.vector->interval(0)) != nullptr)
    return bin_each(call);
  Bins bins(stride.vector->interval(0), origin.vector->integer(0));
  const int64_t* times = cells_of<int64_t>(*time.vector);
  int64_t* out = cells_of<int64_t>(call.out());
  Rows rows = call.rows;
  if (vectorized([=] { return bin_rows(rows, times, bins, out); })) return bin_each(call);
  set_nulls(call);
}

}  // namespace

Kernel date_bin_kernel(const plan::BoundExpression& call) {
  if (call.function != "date_bin") return {};
  return date_bin;
}

}  // namespace leat::expression
