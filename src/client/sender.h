// Sends what a ProduceQueue has, and gives it what became of it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "client/cluster.h"
#include "client/produce_queue.h"
#include "net/task.h"
#include "wire/produce.h"

namespace leat::client {

/// Lives on the cluster's executor, where all members are called. The queue may be filled from any
/// thread: it is touched under its mutex only.
class Sender : public std::enable_shared_from_this<Sender> {
 public:
  struct Queue {
    explicit Queue(ProduceQueue with) : queue(std::move(with)) {}
    std::mutex mutex;
    ProduceQueue queue;  // guarded by mutex
    /// Notified when a batch was delivered.
    std::condition_variable delivered;
    /// A wake() is on its way to the sender.
    std::atomic<bool> wake_posted{false};
    /// Held while a delivery is reported.
    std::mutex report_mutex;
    /// Nobody listens to reports any more. Guarded by report_mutex.
    bool abandoned = false;
  };
  /// `on_delivery` is called for every batch, not under the queue's mutex, until the queue is
  /// abandoned.
  Sender(std::shared_ptr<Cluster> cluster, std::shared_ptr<Queue> queue,
         record::Compression compression, std::function<void(const Delivery&)> on_delivery);

  /// Runs until the cluster is closed.
  void start();
  /// Looks into the queue soon.
  void wake();
  /// Ends run() once it is awake. What is under way is still reported.
  void stop();

 private:
  using Request = ProduceQueue::Request;

  net::Task<void> run(std::shared_ptr<Sender> self);
  net::Task<void> send(std::shared_ptr<Sender> self, std::shared_ptr<Request> request);
  net::Task<void> refresh_leaders(std::shared_ptr<Sender> self);
  wire::ProduceRequest to_wire(const Request& request, std::vector<BytesView>& parts) const;
  void take_answer(Request& request, const wire::ProduceResponse& response,
                   const Connection& connection);
  void settle(ProduceQueue::Batch batch, const wire::ProduceResponse::Partition* answer,
              const Connection& connection);
  void fail_all(Request& request, const Error& error, bool possibly_persisted);
  void report(std::optional<Delivery> delivery);

  std::shared_ptr<Cluster> cluster_;
  std::shared_ptr<Queue> queue_;
  record::Compression compression_;
  std::function<void(const Delivery&)> on_delivery_;
  boost::asio::steady_timer wake_timer_;
  bool wake_asked_ = false;
  bool refreshing_ = false;
  bool stopped_ = false;
};

}  // namespace leat::client
