// How the operations of Producer, Consumer and Admin end. Each takes any of Asio's completion
// tokens as its last argument:
//
//   leat::Delivery delivery = co_await producer.async_send(record);          // throws
//   auto [ec, delivery] = co_await producer.async_send(record, as_tuple(deferred));
//   producer.async_send(record, [](boost::system::error_code ec, leat::Delivery delivery) { ... });
//
// What holds for all of them:
// - The completion is called exactly once, through its associated executor, or the object's own;
//   never within the call that begins the operation. If the execution context ends first, it is
//   destroyed instead.
// - An operation that its associated cancellation slot cancels, with any type of cancellation, ends
//   soon with ClientError::cancelled. So does everything under way when the object is closed or
//   destroyed. What a broker was asked for by then may still happen: possibly_persisted() says so.
// - Arguments are copied or moved when the operation begins. With deferred tokens, such as the
//   default one, it begins when it is awaited.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <exception>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "leat/error.h"

namespace leat {

/// See with_diagnostics().
template <class Token>
struct WithDiagnostics {
  Token token;
};

/// The operation ends as `token` says, with a leat::Exception in place of the error code: its
/// what() is the text of the diagnostics. Coroutines and futures throw it.
template <class Token>
WithDiagnostics<std::decay_t<Token>> with_diagnostics(Token&& token) {
  return {std::forward<Token>(token)};
}

/// See redirect_diagnostics().
template <class Token>
struct RedirectDiagnostics {
  Token token;
  Diagnostics* diagnostics;
};

/// The operation ends as `token` says, after what happened was written to `diagnostics`, which must
/// live until then.
template <class Token>
RedirectDiagnostics<std::decay_t<Token>> redirect_diagnostics(Token&& token,
                                                              Diagnostics& diagnostics) {
  return {std::forward<Token>(token), &diagnostics};
}

/// What operations take when they are given no token: an awaitable that throws. (Not deferred, as
/// Asio before 1.28 cannot await a deferred operation that gives an exception and a value.)
using DefaultToken = WithDiagnostics<boost::asio::use_awaitable_t<>>;

namespace detail {

/// What an operation calls in the end, with an error and its text, or with a result.
template <class... T>
using Completion =
    boost::asio::any_completion_handler<void(boost::system::error_code, std::string, T...)>;

/// A user's handler as a Completion.
template <class Handler, bool throws>
struct Adapter {
  template <class... T>
  void operator()(boost::system::error_code code, std::string text, T... value) {
    if constexpr (throws) {
      std::exception_ptr exception;
      if (code) exception = std::make_exception_ptr(Exception(code, std::move(text)));
      std::move(handler)(std::move(exception), std::move(value)...);
    } else {
      if (diagnostics) diagnostics->text = std::move(text);
      std::move(handler)(code, std::move(value)...);
    }
  }

  Handler handler;
  Diagnostics* diagnostics = nullptr;
};

template <class Token>
inline constexpr bool is_throwing = false;
template <class Token>
inline constexpr bool is_throwing<WithDiagnostics<Token>> = true;
template <class Token>
inline constexpr bool is_redirecting = false;
template <class Token>
inline constexpr bool is_redirecting<RedirectDiagnostics<Token>> = true;

/// As `token` says, calls `begin` with what it is to call in the end.
template <class... T, class Begin, class Token>
auto initiate_with(Begin begin, Token&& token) {
  using Plain = std::decay_t<Token>;
  using boost::system::error_code;
  if constexpr (is_throwing<Plain>) {
    auto inner = std::forward<Token>(token).token;
    auto start = [begin = std::move(begin)](auto handler) mutable {
      begin(Completion<T...>(Adapter<decltype(handler), true>{std::move(handler)}));
    };
    return boost::asio::async_initiate<decltype(inner), void(std::exception_ptr, T...)>(
        std::move(start), inner);
  } else if constexpr (is_redirecting<Plain>) {
    auto inner = std::forward<Token>(token).token;
    auto start = [begin = std::move(begin), to = token.diagnostics](auto handler) mutable {
      begin(Completion<T...>(Adapter<decltype(handler), false>{std::move(handler), to}));
    };
    return boost::asio::async_initiate<decltype(inner), void(error_code, T...)>(std::move(start),
                                                                                inner);
  } else {
    auto start = [begin = std::move(begin)](auto handler) mutable {
      begin(Completion<T...>(Adapter<decltype(handler), false>{std::move(handler)}));
    };
    return boost::asio::async_initiate<Token, void(error_code, T...)>(std::move(start), token);
  }
}

/// As `token` says, calls `begin` with the handle of an object and the arguments, which are kept
/// until then.
template <class Handle, class... T, class... Args, class Token, class... Given>
auto initiate(const std::shared_ptr<Handle>& handle,
              void (*begin)(Handle&, Completion<T...>, Args...), Token&& token, Given&&... given) {
  auto start = [handle, begin, args = std::tuple<Args...>(std::forward<Given>(given)...)](
                   Completion<T...> done) mutable {
    auto call = [&](Args&... each) { begin(*handle, std::move(done), std::move(each)...); };
    std::apply(call, args);
  };
  return initiate_with<T...>(std::move(start), std::forward<Token>(token));
}

}  // namespace detail
}  // namespace leat

/// Executor, allocator and cancellation slot are those of the user's handler.
template <template <class, class> class Associator, class Handler, bool throws, class Candidate>
struct boost::asio::associator<Associator, leat::detail::Adapter<Handler, throws>, Candidate>
    : Associator<Handler, Candidate> {
  using type = typename Associator<Handler, Candidate>::type;
  static type get(const leat::detail::Adapter<Handler, throws>& adapter) noexcept {
    return Associator<Handler, Candidate>::get(adapter.handler);
  }
  static type get(const leat::detail::Adapter<Handler, throws>& adapter,
                  const Candidate& candidate) noexcept {
    return Associator<Handler, Candidate>::get(adapter.handler, candidate);
  }
};
