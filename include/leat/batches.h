// Functions of a program that see many rows at once, column by column: for what a loop over a
// column does faster than a call for each row.
//
//   orders.process_batches(
//       [](const Batch<Order>& batch, Totals& totals, BatchOutput<Large>& out) {
//         auto amounts = batch.values<double>("amount");
//         auto missing = batch.nulls("amount");
//         for (std::size_t i = 0; i < batch.size(); ++i) {
//           if (missing[i] != 0) continue;
//           totals.amount += amounts[i];
//           if (amounts[i] > 10'000) out.emit(i, {amounts[i], totals.amount});
//         }
//       })
//
// The function's own types say what it reads, keeps and gives, as in process.h. Rows come in the
// order of event time, when no earlier one can come any more. Where one batch ends and the next
// begins depends on how fast rows come: nothing that is given may hang on it.
//
// Of a stream there is one state. Behind key_by() there is one for each worker, in which all rows
// of a key meet, with those of other keys: so it holds what it keeps by key. A state is a struct
// that describes its members, or says itself what its bytes are: `void write(std::string& out)
// const`, `bool read(std::string_view bytes)`, `std::size_t bytes() const` for its memory. It may
// be left out. Begin with stream.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "leat/pipeline.h"
#include "leat/process.h"
#include "leat/rows.h"
#include "leat/state.h"

namespace leat::flow {

namespace detail {

/// A batch, as the runtime has it.
struct BatchRows {
  const Cells* columns;
  const std::int64_t* times_ms;
  std::size_t size;
};

/// What a function may do while it is called.
class BatchCall {
 public:
  virtual ~BatchCall() = default;
  /// The columns to which the next row is appended, a cell each.
  virtual CellAppender* const* begin_row(std::size_t of) = 0;
  virtual void reject(std::size_t row, std::string_view reason) = 0;
};

/// A function and its types, as the runtime sees them.
class UserBatches : public UserState {
 public:
  virtual std::vector<Column> input() const = 0;
  virtual std::vector<Column> output() const = 0;
  virtual void on_batch(const BatchRows& rows, void* state, BatchCall& call) const = 0;
};

/// What a column's values are in memory.
enum class Held : std::uint8_t { integer, real, units, text, other };

inline Held held_as(const Type& type) {
  if (type.array) return Held::other;
  switch (type.kind) {
    case Type::Kind::boolean:
    case Type::Kind::bigint:
    case Type::Kind::timestamp:
    case Type::Kind::date: return Held::integer;
    case Type::Kind::double_precision: return Held::real;
    case Type::Kind::decimal: return Held::units;
    case Type::Kind::text:
    case Type::Kind::bytes: return Held::text;
    case Type::Kind::interval: break;
  }
  return Held::other;
}

template <class T>
inline constexpr Held held_in = Held::other;
template <>
inline constexpr Held held_in<std::int64_t> = Held::integer;
template <>
inline constexpr Held held_in<double> = Held::real;
template <>
inline constexpr Held held_in<Int128> = Held::units;
template <>
inline constexpr Held held_in<std::string_view> = Held::text;

}  // namespace detail

/// What decimals are in memory: how many units of their last digit.
using DecimalUnits = detail::Int128;

/// Rows in the order of event time, with the columns that `R` describes. Borrowed: what it gives is
/// good during the call.
template <Row R>
class Batch {
 public:
  explicit Batch(const detail::BatchRows& rows) : rows_(rows), columns_(columns_of<R>()) {}

  std::size_t size() const { return rows_.size; }
  /// Event times, in ms since 1970.
  std::span<const std::int64_t> times_ms() const { return {rows_.times_ms, rows_.size}; }
  /// 1 where the cell is NULL, whose value may be anything then.
  std::span<const std::uint8_t> nulls(std::string_view column) const {
    return {cells(column).nulls, rows_.size};
  }
  /// As they are in memory: std::int64_t of bigint, boolean (0 or 1), timestamp (ms) and date (days
  /// since 1970), double, DecimalUnits of decimal, std::string_view of text and bytes. Throws Error
  /// for another column, or another type.
  template <class T>
  std::span<const T> values(std::string_view column) const {
    const Column& of = columns_[place(column)];
    static_assert(detail::held_in<T> != detail::Held::other, "no column is held as that");
    if (detail::held_as(of.type) != detail::held_in<T>) {
      throw Error("column '" + of.name + "' is " + name_of(of.type) + ", which is held otherwise");
    }
    return {static_cast<const T*>(cells(column).values), rows_.size};
  }
  /// A whole row, as process() gets it. Throws Error where a NULL has no place in the struct.
  R row(std::size_t i) const {
    R row{};
    detail::RowReader reader(rows_.columns, i);
    R::columns(row, reader);
    if (reader.null_in().empty()) return row;
    throw Error("column '" + std::string(reader.null_in()) + "' is NULL");
  }

 private:
  std::size_t place(std::string_view column) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].name == column) return i;
    }
    throw Error("the batch has no column '" + std::string(column) + "'");
  }
  const detail::Cells& cells(std::string_view column) const { return rows_.columns[place(column)]; }

  const detail::BatchRows& rows_;
  std::vector<Column> columns_;
};

/// Takes what a function gives.
template <Row Out>
class BatchOutput {
 public:
  explicit BatchOutput(detail::BatchCall& call) : call_(call) {}

  /// Gives a row with the event time of row `of`, which must not be before that of the last one.
  void emit(std::size_t of, const Out& row) {
    detail::RowAppender appender(call_.begin_row(of));
    Out::columns(row, appender);
  }
  /// That row is a bad one.
  void reject(std::size_t row, std::string_view reason) { call_.reject(row, reason); }

 private:
  detail::BatchCall& call_;
};

namespace detail {

template <class Function>
struct BatchParameters : BatchParameters<decltype(&Function::operator())> {};
template <class R, class State, class Out>
struct BatchParameters<void (*)(const Batch<R>&, State&, BatchOutput<Out>&)> {
  using Input = R;
  using Kept = State;
  using Output = Out;
};
template <class R, class Out>
struct BatchParameters<void (*)(const Batch<R>&, BatchOutput<Out>&)> {
  using Input = R;
  using Kept = Nothing;
  using Output = Out;
};
template <class F, class... Arguments>
struct BatchParameters<void (F::*)(Arguments...) const> : BatchParameters<void (*)(Arguments...)> {
};

template <class Function>
class BatchesOf final : public KeptBy<typename BatchParameters<Function>::Kept, UserBatches> {
 public:
  using Input = typename BatchParameters<Function>::Input;
  using State = typename BatchParameters<Function>::Kept;
  using Output = typename BatchParameters<Function>::Output;

  explicit BatchesOf(Function function) : function_(std::move(function)) {}

  std::vector<Column> input() const override { return columns_of<Input>(); }
  std::vector<Column> output() const override { return columns_of<Output>(); }
  void on_batch(const BatchRows& rows, void* state, BatchCall& call) const override {
    Batch<Input> batch(rows);
    BatchOutput<Output> output(call);
    if constexpr (std::is_same_v<State, Nothing>)
      function_(batch, output);
    else
      function_(batch, *static_cast<State*>(state), output);
  }

 private:
  Function function_;
};

}  // namespace detail

template <class Function>
Stream Stream::process_batches(Function function, BatchOptions options) const {
  return add_batches(new detail::BatchesOf<Function>(std::move(function)), {}, options);
}
template <class Function>
Stream Keyed::process_batches(Function function, BatchOptions options) const {
  return stream_.add_batches(new detail::BatchesOf<Function>(std::move(function)), keys_, options);
}

}  // namespace leat::flow
