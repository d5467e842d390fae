// A cluster with a thread of its own: what the blocking classes share.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "client/background.h"
#include "client/cluster.h"
#include "net/task.h"

namespace leat::client {

/// Thread-safe. Its end closes the cluster and joins the thread; that waits for no broker.
class Session {
 public:
  explicit Session(ClientOptions options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs `operation(cluster)`, a coroutine, on the thread, and waits for what it returns. The
  /// cluster is a shared pointer.
  template <class Operation>
  auto run(Operation operation) {
    using Value = typename std::invoke_result_t<Operation&, std::shared_ptr<Cluster>>::value_type;
    // Shared, since the one who sets it may still be at it when the one who waits goes on.
    auto promise = std::make_shared<std::promise<Value>>();
    boost::asio::post(background_.context(), [this, &operation, promise] {
      boost::asio::co_spawn(background_.context(), operation(cluster_),
                            [promise](std::exception_ptr exception, Value value) {
                              if (exception)
                                promise->set_exception(exception);
                              else
                                promise->set_value(std::move(value));
                            });
    });
    return promise->get_future().get();
  }
  /// Runs `work` on the thread, soon.
  template <class Work>
  void post(Work work) {
    boost::asio::post(background_.context(), std::move(work));
  }
  const std::shared_ptr<Cluster>& cluster() const { return cluster_; }

 private:
  Background background_;
  std::shared_ptr<Cluster> cluster_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace leat::client
