// What a public object holds of the inside, for as long as there is an execution context.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "client/cluster.h"
#include "client/error.h"
#include "leat/options.h"

namespace leat::client {

/// Thread-safe after construction. A program may destroy its objects after the context that they
/// ran on: what is in here and belongs to the context is given up when that ends.
class Anchor {
 public:
  /// The cluster gets a strand of `executor`, and is closed when options.stop says so, or from the
  /// beginning, if something is `wrong`.
  Anchor(boost::asio::any_io_executor executor, ClientOptions options,
         std::optional<Error> wrong = {});
  virtual ~Anchor();
  Anchor(const Anchor&) = delete;
  Anchor& operator=(const Anchor&) = delete;

  /// Soon, on the strand. No effect once the context has ended.
  void close();

  // REQUIRES, for the others: the context has not ended.

  const std::shared_ptr<Cluster>& cluster() const { return cluster_; }
  /// Where operations complete that have no executor of their own.
  const boost::asio::any_io_executor& executor() const { return executor_; }

 protected:
  /// Gives up whatever belongs to the context, which is about to end. No coroutine runs any more.
  virtual void let_go();

 private:
  class Registry;

  boost::asio::any_io_executor executor_;
  std::shared_ptr<Cluster> cluster_;
  /// Null when the context has ended.
  Registry* registry_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace leat::client
