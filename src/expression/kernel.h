// Calls as loops over columns.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <type_traits>

#include "base/assert.h"
#include "column/row_blocks.h"
#include "expression/operand.h"
#include "expression/vectorized.h"
#include "plan/bound_plan.h"

namespace leat::expression {

/// One call on one chunk: what a kernel takes and where it puts what it gives.
struct Call {
  std::span<const Operand> arguments;
  Rows rows;
  OwnedVector& result;
  RowErrors& errors;
  std::int64_t now_ms;

  column::Vector& out() const { return result.vector; }
};

/// Sets the cells of the rows, or adds their errors. Bound once to a function and the types of its
/// arguments; called once a chunk.
using Kernel = std::function<void(const Call&)>;

/// The cells of a vector as what they are kept as: std::int64_t, double, Int128, std::string_view,
/// Interval or Range.
template <class T, class AnyVector>
auto cells_of(AnyVector& vector) {
  if constexpr (std::is_same_v<T, std::int64_t>) return vector.integers().data();
  if constexpr (std::is_same_v<T, double>) return vector.reals().data();
  if constexpr (std::is_same_v<T, column::Int128>) return vector.decimals().data();
  if constexpr (std::is_same_v<T, std::string_view>) return vector.texts().data();
  if constexpr (std::is_same_v<T, column::Interval>) return vector.intervals().data();
  if constexpr (std::is_same_v<T, column::Vector::Range>) return vector.lists().data();
}

/// An argument's cells by row, whether it has one for each or one for all.
template <class T>
class Cells {
 public:
  explicit Cells(const Operand& operand)
      : cells_(cells_of<T>(*operand.vector)), mask_(operand.constant ? 0 : ~std::uint32_t{0}) {}
  const T& operator[](std::uint32_t row) const { return cells_[row & mask_]; }

 private:
  const T* cells_;
  std::uint32_t mask_;
};

/// Where at least one of some arguments is NULL.
class Nulls {
 public:
  static constexpr std::size_t arguments_max = 7;
  explicit Nulls(std::span<const Operand> arguments) {
    ASSERT(arguments.size() <= arguments_max);
    for (const auto& argument : arguments) {
      if (!argument.vector->has_nulls()) continue;
      masks_[count_++] = {argument.vector->nulls().data(),
                          argument.constant ? 0 : ~std::uint32_t{0}};
    }
  }
  bool any() const { return count_ > 0; }
  bool any_constant() const {
    return std::any_of(masks_.begin(), masks_.begin() + count_,
                       [](const Mask& mask) { return mask.rows == 0; });
  }
  bool at(std::uint32_t row) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (masks_[i].nulls[row & masks_[i].rows] != 0) return true;
    }
    return false;
  }
  /// Whether one of these rows has one: column/row_blocks.h.
  bool any_in(const Rows& rows) const {
    return std::any_of(masks_.begin(), masks_.begin() + count_, [&](const Mask& mask) {
      if (mask.rows == 0) return rows.count > 0 && mask.nulls[0] != 0;
      return column::any_null(mask.nulls, rows.list, rows.count);
    });
  }

 private:
  struct Mask {
    const std::uint8_t* nulls;
    std::uint32_t rows;
  };
  std::array<Mask, arguments_max> masks_{};
  std::size_t count_ = 0;
};

/// Sets NULL where an argument is, and calls `use` for all other rows.
template <class Use>
void for_known_rows(const Call& call, Use use) {
  Nulls nulls(call.arguments);
  if (!nulls.any() || !nulls.any_in(call.rows)) return call.rows.each(use);
  call.rows.each([&](std::uint32_t row) {
    if (nulls.at(row))
      call.out().set_null(row);
    else
      use(row);
  });
}

/// Sets NULL where an argument is, of these rows only: who finds no NULL has less to do.
inline void set_nulls(const Call& call) {
  Nulls nulls(call.arguments);
  if (!nulls.any()) return;
  if (call.rows.is_all() && !nulls.any_constant()) {
    for (const auto& argument : call.arguments) call.out().set_nulls_of(*argument.vector);
    return;
  }
  if (!nulls.any_in(call.rows)) return;
  call.rows.each([&](std::uint32_t row) {
    if (nulls.at(row)) call.out().set_null(row);
  });
}

/// A result that may be none.
template <class R>
struct Checked {
  R value;
  std::uint64_t bad;  // 0 if it is one: or-ed together without a branch
};

/// Calls `use` with what gives an argument's cell by its row: a function, since the loop for a
/// constant is another one.
template <class T, class Use>
auto with_cells(const Operand& operand, Use use) {
  const T* cells = cells_of<T>(*operand.vector);
  if (operand.constant) return use([cell = cells[0]](std::size_t) -> const T& { return cell; });
  return use([cells](std::size_t row) -> const T& { return cells[row]; });
}

/// out[row] = f(row), which is Checked<R>, with nothing in the way of wide instructions. Says
/// whether any is bad.
template <class R, class F>
std::uint64_t loop_over(R* __restrict out, std::size_t count, F f) {
  std::uint64_t bad = 0;
  for (std::size_t row = 0; row < count; ++row) {
    Checked<R> result = f(row);
    out[row] = result.value;
    bad |= result.bad;
  }
  return bad;
}

/// The same for those rows of the call. `Cells` are what the loop works on: wide instructions know
/// numbers alone.
template <class R, class... Cells, class F>
std::uint64_t loop_over_rows(const Call& call, F f) {
  R* out = cells_of<R>(call.out());
  Rows rows = call.rows;
  if constexpr ((std::is_arithmetic_v<R> && ... && std::is_arithmetic_v<Cells>)) {
    rows = rows.without_gaps();
    if (rows.is_all()) {
      std::uint64_t bad = vectorized([=] { return loop_over(out, rows.count, f); });
      // It may be of a row between those that are meant.
      if (bad == 0 || call.rows.is_all()) return bad;
      rows = call.rows;
    }
  } else if (rows.is_all()) {
    return loop_over(out, rows.count, f);
  }
  std::uint64_t bad = 0;
  rows.each([&](std::uint32_t row) {
    Checked<R> result = f(row);
    out[row] = result.value;
    bad |= result.bad;
  });
  return bad;
}

/// result = f(a), or f(a, b), which are Checked<R>, whether or not a cell is NULL. Says whether any
/// is bad.
template <class R, class A, class F>
std::uint64_t map_cells(const Call& call, F f) {
  return with_cells<A>(call.arguments[0], [&](auto a) {
    return loop_over_rows<R, A>(call, [f, a](std::size_t row) { return f(a(row)); });
  });
}

template <class R, class A, class B, class F>
std::uint64_t map_cells(const Call& call, F f) {
  return with_cells<A>(call.arguments[0], [&](auto a) {
    return with_cells<B>(call.arguments[1], [&](auto b) {
      return loop_over_rows<R, A, B>(call,
                                     [f, a, b](std::size_t row) { return f(a(row), b(row)); });
    });
  });
}

/// result = f(a), or f(a, b), NULL where an argument is. `f` may be asked about cells that are
/// NULL.
template <class R, class... A, class F>
void map(const Call& call, F f) {
  map_cells<R, A...>(call, [f](const A&... cells) { return Checked<R>{f(cells...), 0}; });
  set_nulls(call);
}

/// The same where `f` gives Checked<R>, and `why` says why a pair of arguments, or one, has no
/// result.
template <class R, class A, class F, class Why>
void map_checked(const Call& call, F f, Why why) {
  std::uint64_t bad = map_cells<R, A>(call, f);
  set_nulls(call);
  if (bad == 0) return;
  Cells<A> cells(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    if (f(cells[row]).bad != 0) call.errors.add(row, why(cells[row]));
  });
}

template <class R, class A, class B, class F, class Why>
void map_checked(const Call& call, F f, Why why) {
  std::uint64_t bad = map_cells<R, A, B>(call, f);
  set_nulls(call);
  if (bad == 0) return;
  Cells<A> left(call.arguments[0]);
  Cells<B> right(call.arguments[1]);
  for_known_rows(call, [&](std::uint32_t row) {
    if (f(left[row], right[row]).bad != 0) call.errors.add(row, why(left[row], right[row]));
  });
}

// The kernels, by subject. Each takes a bound call, or a cast, and gives nothing if it is of
// another subject.
Kernel arithmetic_kernel(const plan::BoundExpression& call);
Kernel decimal_kernel(const plan::BoundExpression& call);
Kernel mathematics_kernel(const plan::BoundExpression& call);
Kernel rounding_kernel(const plan::BoundExpression& call);
Kernel comparison_kernel(const plan::BoundExpression& call);
Kernel logic_kernel(const plan::BoundExpression& call);
Kernel text_kernel(const plan::BoundExpression& call);
Kernel reshape_kernel(const plan::BoundExpression& call);
Kernel encoding_kernel(const plan::BoundExpression& call);
Kernel text_array_kernel(const plan::BoundExpression& call);
Kernel pattern_kernel(const plan::BoundExpression& call);
Kernel time_kernel(const plan::BoundExpression& call);
Kernel read_time_kernel(const plan::BoundExpression& call);
Kernel to_char_kernel(const plan::BoundExpression& call);
Kernel interval_kernel(const plan::BoundExpression& call);
Kernel write_number_kernel(const plan::BoundExpression& call);
Kernel read_number_kernel(const plan::BoundExpression& call);
Kernel json_kernel(const plan::BoundExpression& call);
Kernel array_kernel(const plan::BoundExpression& call);
Kernel cast_kernel(const plan::BoundExpression& cast);

/// A call that gives a boolean, on one chunk, of which only the rows for which it is true are
/// wanted.
struct Choice {
  std::span<const Operand> arguments;
  Rows rows;
  std::uint32_t* out;  // has room for all of them, and may be where they are listed
};

/// Writes the rows for which a call is true to `out`. Says how many these are.
using Selector = std::function<std::size_t(const Choice&)>;

/// Of comparisons; nothing for other calls, whose result has to be looked at.
Selector comparison_selector(const plan::BoundExpression& call);

/// Writes those of `rows` for which `is_true` to `out`. No branch: each row is written, and the
/// next one over it if it is not wanted.
template <class IsTrue>
std::size_t collect(const Rows& rows, std::uint32_t* out, IsTrue is_true) {
  std::size_t kept = 0;
  rows.each([&](std::uint32_t row) {
    bool wanted = is_true(row);
    out[kept] = row;
    kept += wanted ? 1 : 0;
  });
  return kept;
}

/// REQUIRES: a call or a cast as plan::bind_expression() makes them.
Kernel find_kernel(const plan::BoundExpression& expression);

}  // namespace leat::expression
