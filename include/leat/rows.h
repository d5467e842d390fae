// Rows as ordinary structs, which say once what their columns are:
//
//   struct Order {
//     std::string customer;
//     std::optional<double> amount;
//     leat::Timestamp time;
//
//     static void columns(auto& self, auto& visit) {
//       visit("customer", self.customer);
//       visit("amount", self.amount);
//       visit("time", self.time);
//     }
//   };
//
// Such a struct has a default constructor, and serves as a source's schema, in functions and in
// tests. Begin with stream.h.
//
//   bool                        boolean      Timestamp                           timestamp
//   std::int64_t                bigint       std::chrono::sys_days,
//   double                      double       std::chrono::year_month_day         date
//   Decimal<precision, scale>   decimal      Interval                            interval
//   std::string                 text         std::optional<T>                    may be NULL
//   Bytes                       bytes        std::vector<T>                      an array
//
// What is no std::optional must not be NULL: a row where it is makes a bad row of it.
//
// A source's column may come from elsewhere in the record, as Column says:
// `visit("id", self.id, Column::From::key)`,
// `visit("user", self.user, Column::From::value, "$.user.name")`,
// `visit("trace", self.trace, Column::From::header, "trace-id")`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "leat/types.h"

namespace leat::flow {

/// Bytes that need not be UTF-8.
struct Bytes {
  std::string value;
  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

namespace detail {

// ---- From C++ types to columns' -----------------------------------------------------------------

template <class T>
struct TypeOf;
template <Type::Kind kind>
struct PlainType {
  static constexpr Type type = kind;
  static constexpr bool nullable = false;
};
template <>
struct TypeOf<bool> : PlainType<Type::boolean> {};
template <>
struct TypeOf<std::int64_t> : PlainType<Type::bigint> {};
template <>
struct TypeOf<double> : PlainType<Type::double_precision> {};
template <>
struct TypeOf<std::string> : PlainType<Type::text> {};
template <>
struct TypeOf<Bytes> : PlainType<Type::bytes> {};
template <>
struct TypeOf<Timestamp> : PlainType<Type::timestamp> {};
template <>
struct TypeOf<std::chrono::sys_days> : PlainType<Type::date> {};
template <>
struct TypeOf<std::chrono::year_month_day> : PlainType<Type::date> {};
template <>
struct TypeOf<Interval> : PlainType<Type::interval> {};
template <int precision, int scale>
struct TypeOf<Decimal<precision, scale>> {
  static constexpr Type type = flow::decimal(precision, scale);
  static constexpr bool nullable = false;
};
template <class T>
struct TypeOf<std::optional<T>> {
  static constexpr Type type = TypeOf<T>::type;
  static constexpr bool nullable = true;
};
template <class T>
struct TypeOf<std::vector<T>> {
  static constexpr Type type = array_of(TypeOf<T>::type);
  static constexpr bool nullable = false;
};

class ColumnCollector {
 public:
  template <class T>
  void operator()(std::string_view name, const T&, Column::From from = Column::From::value,
                  std::string_view of = {}) {
    Column column{std::string(name), TypeOf<T>::type, from};
    (from == Column::From::header ? column.header : column.path) = of;
    columns.push_back(std::move(column));
  }
  std::vector<Column> columns;
};

// ---- Cells in the runtime's columns -------------------------------------------------------------

/// One column of some rows. The values are of the kind that the column's type has in memory.
struct Cells {
  const std::uint8_t* nulls;  // 1 where a cell is NULL
  const void* values;
  const Cells* items;  // of arrays
};
struct ItemRange {
  std::size_t begin;
  std::size_t count;
};
Interval interval_at(const Cells& cells, std::size_t row);
ItemRange items_at(const Cells& cells, std::size_t row);

template <class T>
const T& value_at(const Cells& cells, std::size_t row) {
  return static_cast<const T*>(cells.values)[row];
}

inline void read_value(const Cells& cells, std::size_t row, bool& out) {
  out = value_at<std::int64_t>(cells, row) != 0;
}
inline void read_value(const Cells& cells, std::size_t row, std::int64_t& out) {
  out = value_at<std::int64_t>(cells, row);
}
inline void read_value(const Cells& cells, std::size_t row, double& out) {
  out = value_at<double>(cells, row);
}
inline void read_value(const Cells& cells, std::size_t row, std::string& out) {
  out = value_at<std::string_view>(cells, row);
}
inline void read_value(const Cells& cells, std::size_t row, Bytes& out) {
  out.value = value_at<std::string_view>(cells, row);
}
inline void read_value(const Cells& cells, std::size_t row, Timestamp& out) {
  out = Timestamp(std::chrono::milliseconds(value_at<std::int64_t>(cells, row)));
}
inline void read_value(const Cells& cells, std::size_t row, std::chrono::sys_days& out) {
  out = std::chrono::sys_days(std::chrono::days(value_at<std::int64_t>(cells, row)));
}
inline void read_value(const Cells& cells, std::size_t row, std::chrono::year_month_day& out) {
  out = std::chrono::sys_days(std::chrono::days(value_at<std::int64_t>(cells, row)));
}
inline void read_value(const Cells& cells, std::size_t row, Interval& out) {
  out = interval_at(cells, row);
}
template <int precision, int scale>
void read_value(const Cells& cells, std::size_t row, Decimal<precision, scale>& out) {
  out = Decimal<precision, scale>::of_units(value_at<Int128>(cells, row));
}
template <class T>
bool read_cell(const Cells& cells, std::size_t row, T& out);
template <class T>
bool read_cell(const Cells& cells, std::size_t row, std::optional<T>& out);
template <class T>
bool read_cell(const Cells& cells, std::size_t row, std::vector<T>& out);

/// False for a NULL that has no place in `out`.
template <class T>
bool read_cell(const Cells& cells, std::size_t row, T& out) {
  if (cells.nulls[row] != 0) return false;
  read_value(cells, row, out);
  return true;
}
template <class T>
bool read_cell(const Cells& cells, std::size_t row, std::optional<T>& out) {
  if (cells.nulls[row] == 0) return read_cell(cells, row, out.emplace());
  out.reset();
  return true;
}
template <class T>
bool read_cell(const Cells& cells, std::size_t row, std::vector<T>& out) {
  if (cells.nulls[row] != 0) return false;
  ItemRange range = items_at(cells, row);
  out.clear();
  for (std::size_t i = 0; i < range.count; ++i) {
    T item{};
    if (!read_cell(*cells.items, range.begin + i, item)) return false;
    out.push_back(std::move(item));
  }
  return true;
}

/// Reads a row's columns one after the other.
class RowReader {
 public:
  RowReader(const Cells* columns, std::size_t row) : next_(columns), row_(row) {}
  template <class T, class... Origin>
  void operator()(std::string_view name, T& member, const Origin&...) {
    if (!read_cell(*next_++, row_, member) && null_in_.empty()) null_in_ = name;
  }
  /// The first column that must not be NULL, and is; empty if there is none.
  std::string_view null_in() const { return null_in_; }

 private:
  const Cells* next_;
  std::size_t row_;
  std::string_view null_in_;
};

/// Appends cells to one column.
class CellAppender;
void append_null(CellAppender& to);
void append_integer(CellAppender& to, std::int64_t value);
void append_real(CellAppender& to, double value);
void append_decimal(CellAppender& to, Int128 units);
/// Copied.
void append_text(CellAppender& to, std::string_view value);
void append_interval(CellAppender& to, const Interval& value);
/// A list of the `count` cells that are appended next to the column that it returns.
CellAppender& append_list(CellAppender& to, std::size_t count);

inline void append_cell(CellAppender& to, bool value) {
  append_integer(to, value ? 1 : 0);
}
inline void append_cell(CellAppender& to, std::int64_t value) {
  append_integer(to, value);
}
inline void append_cell(CellAppender& to, double value) {
  append_real(to, value);
}
inline void append_cell(CellAppender& to, const std::string& value) {
  append_text(to, value);
}
inline void append_cell(CellAppender& to, const Bytes& value) {
  append_text(to, value.value);
}
inline void append_cell(CellAppender& to, Timestamp value) {
  append_integer(to, value.time_since_epoch().count());
}
inline void append_cell(CellAppender& to, std::chrono::sys_days value) {
  append_integer(to, value.time_since_epoch().count());
}
inline void append_cell(CellAppender& to, std::chrono::year_month_day value) {
  append_cell(to, std::chrono::sys_days(value));
}
inline void append_cell(CellAppender& to, const Interval& value) {
  append_interval(to, value);
}
template <int precision, int scale>
void append_cell(CellAppender& to, Decimal<precision, scale> value) {
  append_decimal(to, value.units());
}
template <class T>
void append_cell(CellAppender& to, const std::optional<T>& value);
template <class T>
void append_cell(CellAppender& to, const std::vector<T>& values) {
  CellAppender& items = append_list(to, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) append_cell(items, T(values[i]));
}
template <class T>
void append_cell(CellAppender& to, const std::optional<T>& value) {
  value ? append_cell(to, *value) : append_null(to);
}

/// Appends a row's cells one after the other, to a column each.
class RowAppender {
 public:
  explicit RowAppender(CellAppender* const* columns) : next_(columns) {}
  template <class T, class... Origin>
  void operator()(std::string_view, const T& member, const Origin&...) {
    append_cell(**next_++, member);
  }

 private:
  CellAppender* const* next_;
};

}  // namespace detail

/// A struct that describes its columns.
template <class T>
concept Row = std::is_default_constructible_v<T> &&
    requires(T& row, detail::ColumnCollector& visit) {
  T::columns(row, visit);
};

/// The columns that a struct describes, in its order.
template <Row T>
std::vector<Column> columns_of() {
  detail::ColumnCollector collector;
  T row{};
  T::columns(row, collector);
  return std::move(collector.columns);
}

}  // namespace leat::flow
