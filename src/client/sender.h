// Sends what a ProduceQueue has, and tells what became of it: the queue's sockets, clock and lock.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cluster.h"
#include "client/produce_queue.h"
#include "client/producer_identity.h"
#include "net/task.h"
#include "wire/produce.h"

namespace leat::client {

/// Lives on the cluster's executor, where everything is called that is not said to be thread-safe,
/// and where all reports and completions come from. Memory is bounded by options.buffer_bytes.
class Sender : public std::enable_shared_from_this<Sender> {
 public:
  using OnDelivery = std::function<void(const Delivery&)>;
  using Done = UniqueFunction<void(Result<void>)>;

  /// `on_delivery` is called for every batch, not under the queue's lock, until abandon().
  Sender(Cluster& cluster, const ProducerOptions& options, OnDelivery on_delivery);

  /// Runs until the cluster is closed, or stop().
  void start();
  /// Ends that. What is under way is still reported.
  void stop();

  enum class Append : std::uint8_t { appended, no_room, unknown_topic };
  /// Queues a record, whose bytes are copied. Thread-safe. An error is the record's own.
  Result<Append> try_append(std::string_view topic, const OutRecord& record, Hook hook = {});
  /// Makes a topic known, and existing where the cluster makes topics that are asked for.
  net::Task<Result<void>> learn_topic(std::string name);

  /// Calls `done` as soon as that much may be appended. Until then nothing lingers. Thread-safe.
  void when_room(std::size_t bytes, Done done);
  /// Calls `done` when everything that was appended before was delivered, one way or the other;
  /// nothing of that lingers. Thread-safe.
  void when_flushed(Done done);

  /// No report is made from now on, nor is one under way when this returns. Thread-safe.
  void abandon();

 private:
  using Request = ProduceQueue::Request;
  struct Wait {
    std::optional<std::size_t> room;
    std::uint64_t flush = 0;
    Done done;
  };

  /// Looks into the queue soon. Thread-safe.
  void post_wake();
  void wake();
  net::Task<void> run();
  net::Task<void> send(std::shared_ptr<Request> request);
  net::Task<void> ask_producer(wire::InitProducerIdRequest request);
  net::Task<void> refresh_leaders();
  wire::ProduceRequest to_wire(const Request& request, std::vector<BytesView>& parts) const;
  void take_answer(Request& request, const wire::ProduceResponse& response,
                   const Connection& connection);
  void settle(ProduceQueue::Batch batch, const wire::ProduceResponse::Partition* answer,
              const Connection& connection);
  void fail_all(Request& request, const Error& error, bool was_sent);
  void report(std::optional<Delivery> delivery);
  void wait(Wait wait);
  void complete_waits();

  Cluster& cluster_;
  record::Compression compression_;
  OnDelivery on_delivery_;
  ProducerIdentity identity_;
  boost::asio::steady_timer wake_timer_;
  bool wake_asked_ = false;
  bool is_refreshing_ = false;
  bool is_stopped_ = false;
  /// A wake() is on its way.
  std::atomic<bool> is_wake_posted_{false};

  std::mutex mutex_;
  // Guarded by mutex_:
  ProduceQueue queue_;
  std::list<Wait> waits_;

  /// Held while a delivery is reported.
  std::mutex report_mutex_;
  /// Nobody listens to reports any more. Guarded by report_mutex_.
  bool is_abandoned_ = false;
};

}  // namespace leat::client
