// Functions of a program that see one row after the other, and remember what they want for each
// key:
//
//   struct Count {
//     std::int64_t rows = 0;
//     static void columns(auto& self, auto& visit) { visit("rows", self.rows); }
//   };
//
//   orders.key_by("customer")
//       .process([](const Order& order, Count& count, Context<Alert>& context) {
//         if (++count.rows > 5) context.emit({order.customer, count.rows});
//       })
//
// The function's own types say what it reads, keeps and gives. The row's columns are found by their
// names among those of the input, which may have more. Rows come in the order of event time, each
// when no earlier one can come any more; with ProcessOptions::emit = at_once they come in the order
// of their partitions, as soon as they are there. A state begins as its default constructor makes
// it, and is described as rows are, so that it can be kept; it may be made of other such structs,
// vectors and optionals. It may be left out where nothing is kept, as in
// `[](const Order&, Context<Alert>&)`.
//
// A second function is called for each timer that was set, in the order of time:
//
//       [](Count& count, Context<Alert>& context) { ... }
//
// At the end of input all that are set by then are called, and of those that these set the ones up
// to the time of the last: a timer that always sets the next one ends there.
//
// A function is called by one thread at a time for a key, and by several at once for different
// keys. One that throws makes the row a bad one; what it has given, kept and set before stays. What
// it gives must follow from what it is given, or a replay gives something else. Begin with
// stream.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "leat/pipeline.h"
#include "leat/rows.h"
#include "leat/state.h"

namespace leat::flow {

namespace detail {

/// What a function may do while it is called.
class ProcessCall {
 public:
  virtual ~ProcessCall() = default;
  virtual std::int64_t time_ms() const = 0;
  /// The columns to which the next row is appended, a cell each.
  virtual CellAppender* const* begin_row() = 0;
  virtual void set_timer(std::int64_t time_ms) = 0;
  virtual void cancel_timer(std::int64_t time_ms) = 0;
  virtual void forget() = 0;
};

/// What a function keeps, as the runtime sees it.
class UserState {
 public:
  virtual ~UserState() = default;
  virtual void* make_state() const = 0;
  virtual void delete_state(void* state) const = 0;
  /// What a state is made of: those of another description are not read.
  virtual std::string describe_state() const = 0;
  virtual void write_state(const void* state, std::string& out) const = 0;
  virtual bool read_state(std::string_view in, void* state) const = 0;
  virtual std::size_t state_bytes(const void* state) const = 0;
};

/// A state that says itself what its bytes are.
template <class State>
concept WritesItself = requires(const State& state, State& to, std::string& out,
                                std::string_view in) {
  state.write(out);
  to.read(in);
  state.bytes();
};

template <class State, class User>
class KeptBy : public User {
 public:
  void* make_state() const override { return new State(); }
  void delete_state(void* state) const override { delete static_cast<State*>(state); }
  std::string describe_state() const override {
    std::string text;
    if constexpr (WritesItself<State>)
      text = "bytes of its own";
    else
      describe_value<State>(text);
    return text;
  }
  void write_state(const void* state, std::string& out) const override {
    const auto& of = *static_cast<const State*>(state);
    if constexpr (WritesItself<State>)
      of.write(out);
    else
      detail::write_state(out, of);
  }
  bool read_state(std::string_view in, void* state) const override {
    auto& of = *static_cast<State*>(state);
    if constexpr (WritesItself<State>)
      return of.read(in);
    else
      return detail::read_state(in, of) && in.empty();
  }
  std::size_t state_bytes(const void* state) const override {
    const auto& of = *static_cast<const State*>(state);
    if constexpr (WritesItself<State>)
      return of.bytes();
    else
      return sizeof(State) + detail::bytes_behind(of);
  }
};

/// A function and its types, as the runtime sees them.
class UserProcess : public UserState {
 public:
  virtual std::vector<Column> input() const = 0;
  virtual std::vector<Column> output() const = 0;
  virtual bool has_timers() const = 0;

  /// Why the row cannot be read; empty if it was.
  virtual std::string on_row(const Cells* columns, std::size_t row, void* state,
                             ProcessCall& call) const = 0;
  virtual void on_timer(void* state, ProcessCall& call) const = 0;
};

}  // namespace detail

/// What a function is given beside its row.
template <Row Out>
class Context {
 public:
  explicit Context(detail::ProcessCall& call) : call_(call) {}

  /// Gives a row, with the event time of the row or timer that the function is called for.
  void emit(const Out& row) {
    detail::RowAppender appender(call_.begin_row());
    Out::columns(row, appender);
  }
  /// The event time of the row, or the time of the timer.
  Timestamp time() const { return Timestamp(std::chrono::milliseconds(call_.time_ms())); }
  /// Has the second function called for this key when event time has passed `time`, behind all rows
  /// of that time; once, however often it is set. At the earliest behind this row, or 1 ms behind
  /// this timer. Throws Error if there is no second function.
  void set_timer(Timestamp time) { call_.set_timer(time.time_since_epoch().count()); }
  void cancel_timer(Timestamp time) { call_.cancel_timer(time.time_since_epoch().count()); }
  /// Drops the key's state and timers behind this call: the next row begins anew.
  void forget() { call_.forget(); }

 private:
  detail::ProcessCall& call_;
};

namespace detail {

/// The types in a function's parameters.
template <class Function>
struct Parameters : Parameters<decltype(&Function::operator())> {};
template <class R, class State, class Out>
struct Parameters<void (*)(const R&, State&, Context<Out>&)> {
  using Input = R;
  using Kept = State;
  using Output = Out;
};
template <class R, class Out>
struct Parameters<void (*)(const R&, Context<Out>&)> {
  using Input = R;
  using Kept = Nothing;
  using Output = Out;
};
template <class F, class... Arguments>
struct Parameters<void (F::*)(Arguments...) const> : Parameters<void (*)(Arguments...)> {};

struct NoTimers {};

template <class OnRow, class OnTimer>
class ProcessOf final : public KeptBy<typename Parameters<OnRow>::Kept, UserProcess> {
 public:
  using Input = typename Parameters<OnRow>::Input;
  using State = typename Parameters<OnRow>::Kept;
  using Output = typename Parameters<OnRow>::Output;
  static constexpr bool timed = !std::is_same_v<OnTimer, NoTimers>;

  ProcessOf(OnRow row_function, OnTimer timer_function)
      : row_function_(std::move(row_function)), timer_function_(std::move(timer_function)) {}

  std::vector<Column> input() const override { return columns_of<Input>(); }
  std::vector<Column> output() const override { return columns_of<Output>(); }
  bool has_timers() const override { return timed; }

  std::string on_row(const Cells* columns, std::size_t row, void* state,
                     ProcessCall& call) const override {
    Input input{};
    RowReader reader(columns, row);
    Input::columns(input, reader);
    if (!reader.null_in().empty()) return "column '" + std::string(reader.null_in()) + "' is NULL";
    Context<Output> context(call);
    if constexpr (std::is_same_v<State, Nothing>)
      row_function_(input, context);
    else
      row_function_(input, *static_cast<State*>(state), context);
    return {};
  }
  void on_timer(void* state, ProcessCall& call) const override {
    if constexpr (timed) {
      Context<Output> context(call);
      timer_function_(*static_cast<State*>(state), context);
    }
  }

 private:
  OnRow row_function_;
  OnTimer timer_function_;
};

}  // namespace detail

template <class OnRow>
Stream Keyed::process(OnRow on_row, ProcessOptions options) const {
  return process(std::move(on_row), detail::NoTimers{}, std::move(options));
}

template <class OnRow, class OnTimer>
Stream Keyed::process(OnRow on_row, OnTimer on_timer, ProcessOptions options) const {
  return add(new detail::ProcessOf<OnRow, OnTimer>(std::move(on_row), std::move(on_timer)),
             options);
}

}  // namespace leat::flow
