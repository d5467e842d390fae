// What is computed of a row's columns: col("price") * col("quantity") > 100. functions.h has the
// functions. Begin with stream.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "leat/types.h"

namespace leat::flow {

namespace detail {
struct GraphAccess;
}
struct Named;

/// A column, a literal, or something made of these: a description, that is checked when its
/// pipeline is built. Made from C++ values where one is expected; a duration is an interval.
/// Without being asked bigint becomes decimal or double, decimal becomes double, and a date the
/// timestamp of its midnight; for all else there is cast().
class Expression {
 public:
  template <class T>
  requires std::is_same_v<T, bool> Expression(T value) : inside_(literal_boolean(value)) {}
  /// bigint.
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char> &&
           (std::is_signed_v<T> || sizeof(T) < sizeof(std::int64_t))) Expression(T value)
      : inside_(literal_bigint(value)) {}
  /// Throws Error unless it is finite.
  Expression(double value);
  /// Text: UTF-8.
  Expression(const char* text) : Expression(std::string_view(text)) {}
  Expression(const std::string& text) : Expression(std::string_view(text)) {}
  Expression(std::string_view text);
  /// Throws Error beyond the years 0000 to 9999.
  Expression(Timestamp time);
  Expression(std::chrono::sys_days date);
  Expression(std::chrono::year_month_day date) : Expression(std::chrono::sys_days(date)) {}
  Expression(Interval interval);
  template <class Rep, class Period>
  Expression(std::chrono::duration<Rep, Period> duration) : Expression(interval_of(duration)) {}
  /// A literal decimal has the type that its digits need.
  template <int precision, int scale>
  Expression(Decimal<precision, scale> value) : inside_(literal_decimal(value.units(), scale)) {}
  ~Expression();
  Expression(const Expression&);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression) noexcept;

  /// As a column of that name.
  Named as(std::string name) const;

  // Sums, comparisons and conditions as SQL has them: with NULL they give NULL, but for false &&
  // and true ||. Whole numbers are divided to a whole number; what overflows, and division by zero,
  // makes the row a bad one.
  friend Expression operator+(Expression a, Expression b) { return binary("+", a, b); }
  friend Expression operator-(Expression a, Expression b) { return binary("-", a, b); }
  friend Expression operator*(Expression a, Expression b) { return binary("*", a, b); }
  friend Expression operator/(Expression a, Expression b) { return binary("/", a, b); }
  friend Expression operator%(Expression a, Expression b) { return binary("%", a, b); }
  friend Expression operator==(Expression a, Expression b) { return binary("=", a, b); }
  friend Expression operator!=(Expression a, Expression b) { return binary("<>", a, b); }
  friend Expression operator<(Expression a, Expression b) { return binary("<", a, b); }
  friend Expression operator<=(Expression a, Expression b) { return binary("<=", a, b); }
  friend Expression operator>(Expression a, Expression b) { return binary(">", a, b); }
  friend Expression operator>=(Expression a, Expression b) { return binary(">=", a, b); }
  friend Expression operator&&(Expression a, Expression b) { return binary("and", a, b); }
  friend Expression operator||(Expression a, Expression b) { return binary("or", a, b); }
  friend Expression operator!(Expression a) { return unary("not", a); }
  friend Expression operator-(Expression a) { return unary("negate", a); }

 private:
  friend struct detail::GraphAccess;
  struct Inside;
  explicit Expression(Inside* inside) : inside_(inside) {}

  static Inside* literal_boolean(bool value);
  static Inside* literal_bigint(std::int64_t value);
  static Inside* literal_decimal(detail::Int128 units, int scale);
  static Expression binary(std::string_view function, const Expression& a, const Expression& b);
  static Expression unary(std::string_view function, const Expression& a);
  template <class Rep, class Period>
  static Interval interval_of(std::chrono::duration<Rep, Period> duration) {
    using Duration = std::chrono::duration<Rep, Period>;
    using std::chrono::days, std::chrono::months;
    if constexpr (std::is_same_v<Period, months::period> ||
                  std::is_same_v<Period, std::chrono::years::period>)
      return {.months = months(duration).count()};
    else if constexpr (std::is_convertible_v<Duration, days>)
      return {.days = days(duration).count()};
    else
      return {.time = duration};
  }

  Inside* inside_;
};

/// An expression as a column.
struct Named {
  Named(std::string column, Expression of) : name(std::move(column)), expression(std::move(of)) {}
  /// A column under its own name. Throws Error where the expression is something else.
  Named(Expression column);

  std::string name;
  Expression expression;
};

/// The column of that name.
Expression col(std::string_view name);
Expression null(Type type);
Expression bytes(std::string_view value);
/// A literal decimal, with the digits that are written: decimal("1.50").
Expression decimal(std::string_view digits);

/// What cannot be converted makes the row a bad one.
Expression cast(Expression value, Type to);
/// A function by its name in plans.
Expression call(std::string_view function, std::vector<Expression> arguments);

}  // namespace leat::flow
