// One operation of a public object: begun on any thread, carried out on the cluster's executor,
// completed once, by its result or by its cancellation, where its caller wants it.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>

#include "client/anchor.h"
#include "client/caller.h"
#include "client/effect.h"
#include "client/error.h"
#include "leat/completion.h"
#include "net/task.h"

namespace leat::client {

/// T: nothing, or the one type of what the operation gives.
template <class... T>
class Operation : public std::enable_shared_from_this<Operation<T...>> {
 public:
  using Completion = leat::detail::Completion<T...>;
  using Outcome = Result<std::tuple_element_t<0, std::tuple<T..., void>>>;

  Operation(const Anchor& anchor, Completion completion, Effect effect)
      : completion_(std::move(completion)),
        strand_(anchor.cluster()->executor()),
        executor_(with_work(anchor.executor())),
        completion_executor_(
            with_work(boost::asio::get_associated_executor(completion_, anchor.executor()))),
        effect_(effect) {}

  /// From now on the caller's cancellation slot cancels. Where the operation is begun.
  void obey_slot() {
    auto slot = boost::asio::get_associated_cancellation_slot(completion_);
    if (!slot.is_connected()) return;
    slot.assign([weak = this->weak_from_this(), strand = strand_](auto) {
      boost::asio::post(strand, [weak] {
        if (auto self = weak.lock()) self->cancel();
      });
    });
  }

  /// As complete(), on any thread.
  void complete_soon(Outcome outcome) {
    auto work = [self = this->shared_from_this(), outcome = std::move(outcome)]() mutable {
      self->complete(std::move(outcome));
    };
    boost::asio::post(strand_, std::move(work));
  }

  // Below: on the strand.

  /// What cancelling leaves behind from now on.
  void set_effect(Effect effect) { effect_ = effect; }
  /// No effect the second time.
  void complete(Outcome outcome) {
    if (!completion_) return;
    auto finish = [completion = std::move(completion_), outcome = std::move(outcome)]() mutable {
      boost::asio::get_associated_cancellation_slot(completion).clear();
      call(std::move(completion), std::move(outcome));
    };
    // First out of the strand, which a completion must not hold up.
    boost::asio::post(executor_,
                      boost::asio::bind_executor(completion_executor_, std::move(finish)));
  }
  void cancel() {
    stop_.request_stop();
    Error error{Errc::cancelled, "cancelled"};
    error.possibly_persisted = effect_ == Effect::possible;
    complete(tl::unexpected(std::move(error)));
  }
  /// Requested when nobody waits for the outcome any more.
  std::stop_token stop() const { return stop_.get_token(); }

 private:
  template <class Executor>
  static auto with_work(const Executor& executor) {
    return boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked);
  }
  static void call(Completion completion, Outcome outcome) {
    using boost::system::error_code;
    if (!outcome)
      std::move(completion)(error_code(to_error_code(outcome.error())),
                            std::move(outcome.error().what), T()...);
    else if constexpr (sizeof...(T) == 0)
      std::move(completion)(error_code(), std::string());
    else
      std::move(completion)(error_code(), std::string(), std::move(*outcome));
  }

  Completion completion_;
  boost::asio::any_io_executor strand_;
  boost::asio::any_io_executor executor_;
  boost::asio::any_completion_executor completion_executor_;
  std::atomic<Effect> effect_;
  std::stop_source stop_;
};

/// Carries out `task` and completes the operation with what comes out.
template <class... T>
net::Task<void> drive(std::shared_ptr<Operation<T...>> operation,
                      net::Task<typename Operation<T...>::Outcome> task) {
  typename Operation<T...>::Outcome outcome = tl::unexpected(Error(Errc::cancelled, ""));
  try {
    typename Operation<T...>::Outcome result = co_await std::move(task);
    outcome = std::move(result);
  } catch (const std::exception& exception) {
    outcome = tl::unexpected(Error(Errc::io_error, exception.what()));
  }
  operation->complete(std::move(outcome));
}

/// Begins an operation that is the coroutine `start(caller)`.
template <class... T, class Start>
void launch(const Anchor& anchor, leat::detail::Completion<T...> completion, Effect effect,
            Start start) {
  auto operation = std::make_shared<Operation<T...>>(anchor, std::move(completion), effect);
  operation->obey_slot();
  Caller caller{anchor.cluster(), operation->stop()};
  auto task = start(std::move(caller));
  boost::asio::co_spawn(anchor.cluster()->executor(), drive(std::move(operation), std::move(task)),
                        boost::asio::detached);
}

}  // namespace leat::client
