// Calls as loops over columns.
#pragma once

#include <array>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <type_traits>

#include "base/assert.h"
#include "expression/operand.h"
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
  static constexpr std::size_t arguments_max = 4;
  explicit Nulls(std::span<const Operand> arguments) {
    ASSERT(arguments.size() <= arguments_max);
    for (const auto& argument : arguments) {
      if (!argument.vector->has_nulls()) continue;
      masks_[count_++] = {argument.vector->nulls().data(),
                          argument.constant ? 0 : ~std::uint32_t{0}};
    }
  }
  bool any() const { return count_ > 0; }
  bool at(std::uint32_t row) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (masks_[i].nulls[row & masks_[i].rows] != 0) return true;
    }
    return false;
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
  if (!nulls.any()) return call.rows.each(use);
  call.rows.each([&](std::uint32_t row) {
    if (nulls.at(row))
      call.out().set_null(row);
    else
      use(row);
  });
}

/// Sets NULL where an argument is.
inline void set_nulls(const Call& call) {
  Nulls nulls(call.arguments);
  if (!nulls.any()) return;
  call.rows.each([&](std::uint32_t row) {
    if (nulls.at(row)) call.out().set_null(row);
  });
}

/// result = f(a), or f(a, b). `f` may be asked about cells that are NULL. The loops are those that
/// compilers make wide instructions of.
template <class R, class A, class F>
void map(const Call& call, F f) {
  R* out = cells_of<R>(call.out());
  const A* a = cells_of<A>(*call.arguments[0].vector);
  if (call.rows.is_all()) {
    for (std::size_t row = 0; row < call.rows.count; ++row) out[row] = f(a[row]);
  } else {
    call.rows.each([&](std::uint32_t row) { out[row] = f(a[row]); });
  }
  set_nulls(call);
}

template <class R, class A, class B, class F>
void map(const Call& call, F f) {
  R* out = cells_of<R>(call.out());
  const A* a = cells_of<A>(*call.arguments[0].vector);
  const B* b = cells_of<B>(*call.arguments[1].vector);
  std::size_t count = call.rows.count;
  bool a_is_one = call.arguments[0].constant, b_is_one = call.arguments[1].constant;
  if (!call.rows.is_all()) {
    Cells<A> left(call.arguments[0]);
    Cells<B> right(call.arguments[1]);
    call.rows.each([&](std::uint32_t row) { out[row] = f(left[row], right[row]); });
  } else if (a_is_one == b_is_one) {  // of calls with constants alone there is one row
    for (std::size_t row = 0; row < count; ++row) out[row] = f(a[row], b[row]);
  } else if (b_is_one) {
    const B constant = b[0];
    for (std::size_t row = 0; row < count; ++row) out[row] = f(a[row], constant);
  } else {
    const A constant = a[0];
    for (std::size_t row = 0; row < count; ++row) out[row] = f(constant, b[row]);
  }
  set_nulls(call);
}

/// A result that may be none.
template <class R>
struct Checked {
  R value;
  std::uint64_t bad;  // 0 or 1: or-ed together without a branch
};

/// The same as map() where `f` gives Checked<R>, and `why` says why a pair of arguments, or one,
/// has no result.
template <class R, class A, class F, class Why>
void map_checked(const Call& call, F f, Why why) {
  std::uint64_t bad = 0;
  map<R, A>(call, [&bad, f](A a) {
    Checked<R> result = f(a);
    bad |= result.bad;
    return result.value;
  });
  if (bad == 0) return;
  Cells<A> cells(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    if (f(cells[row]).bad != 0) call.errors.add(row, why(cells[row]));
  });
}

template <class R, class A, class B, class F, class Why>
void map_checked(const Call& call, F f, Why why) {
  std::uint64_t bad = 0;
  map<R, A, B>(call, [&bad, f](A a, B b) {
    Checked<R> result = f(a, b);
    bad |= result.bad;
    return result.value;
  });
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
Kernel comparison_kernel(const plan::BoundExpression& call);
Kernel logic_kernel(const plan::BoundExpression& call);
Kernel text_kernel(const plan::BoundExpression& call);
Kernel pattern_kernel(const plan::BoundExpression& call);
Kernel time_kernel(const plan::BoundExpression& call);
Kernel to_char_kernel(const plan::BoundExpression& call);
Kernel json_kernel(const plan::BoundExpression& call);
Kernel array_kernel(const plan::BoundExpression& call);
Kernel cast_kernel(const plan::BoundExpression& cast);

/// REQUIRES: a call or a cast as plan::bind_expression() makes them.
Kernel find_kernel(const plan::BoundExpression& expression);

}  // namespace leat::expression
