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
#include "client/transaction.h"
#include "net/task.h"
#include "wire/produce.h"

namespace leat::client {

/// Lives on the cluster's executor, where everything is called that is not said to be thread-safe,
/// and where all reports and completions come from. Memory is bounded by options.buffer_bytes.
class Sender : public std::enable_shared_from_this<Sender> {
 public:
  using Ptr = std::shared_ptr<Sender>;
  using OnDelivery = std::function<void(const Delivery&)>;
  using Done = UniqueFunction<void(Result<void>)>;

  /// `on_delivery` is called for every batch, not under the queue's lock, until abandon().
  Sender(std::shared_ptr<Cluster> cluster, const ProducerOptions& options, OnDelivery on_delivery);

  /// Runs until stop(), or until the cluster is closed. To be called once.
  void start();
  /// Gives up what is not under way, with the error of the cluster if that is closed; what is under
  /// way is still reported.
  void stop();

  enum class Append : std::uint8_t { appended, no_room, unknown_topic };
  /// Queues a record, whose bytes are copied. Takes the hook only then. Thread-safe. An error is
  /// the record's own.
  Result<Append> try_append(std::string_view topic, const OutRecord& record, Hook&& hook = {});
  /// Queues a batch that is built already. Calls `done` once, with its first offset if the broker
  /// said that, else -1. Thread-safe. REQUIRES: learn_topic(), and that it has the partition.
  using Appended = UniqueFunction<void(Result<std::int64_t>)>;
  void append_batch(std::string_view topic, std::int32_t partition, SharedBytes batch,
                    Appended done);
  /// Makes a topic known, and existing where the cluster makes topics that are asked for. Gives the
  /// number of its partitions.
  net::Task<Result<std::int32_t>> learn_topic(std::string name);

  /// Calls `done` as soon as that much may be appended. What lingers is sent if nothing else can
  /// make room. Thread-safe.
  void when_room(std::size_t bytes, Done done);
  /// Calls `done` when everything that was appended before was delivered, one way or the other;
  /// nothing of that lingers. Thread-safe.
  void when_flushed(Done done);

  // Transactions: one of these at a time. Records may be appended between begin() and commit() or
  // abort() only. Errc::invalid_txn_state where that makes no sense now; then nothing has changed.
  // Errc::request_timed_out after options.operation_timeout: then it is still being tried, and
  // asking again waits on.

  /// Gets the producer id the first time, which shuts out those with the same transactional id.
  net::Task<Result<void>> begin();
  net::Task<Result<void>> send_offsets(std::vector<CommittedOffset> offsets, GroupMetadata member);
  /// After everything that was appended was delivered. Fails if any of it did.
  net::Task<Result<void>> commit();
  /// Gives up what was appended and not delivered.
  net::Task<Result<void>> abort();

  /// No report is made from now on, nor is one under way when this returns. Thread-safe.
  void abandon();
  /// Nobody waits any more, for room or for a flush. For the end of the execution context.
  void forget_waits();

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
  // Spawned: what is not begun yet keeps it alive.
  net::Task<void> run(Ptr self);
  net::Task<void> send(Ptr self, std::shared_ptr<Request> request);
  net::Task<void> ask_producer(Ptr self, wire::InitProducerIdRequest request);
  net::Task<void> refresh_leaders(Ptr self);
  wire::ProduceRequest to_wire(const Request& request, std::vector<BytesView>& parts) const;
  void take_answer(Request& request, const wire::ProduceResponse& response,
                   const Connection& connection);
  void settle(ProduceQueue::Batch batch, const wire::ProduceResponse::Partition* answer,
              const Connection& connection);
  void fail_all(Request& request, const Error& error, bool was_sent);
  void give_up_all(const Error& error);
  void report(std::optional<Delivery> delivery);
  void wait(Wait wait);
  void complete_waits();

  // In sender_transactions.cpp:
  /// What its batches may do, and what is to be asked next.
  std::optional<std::int32_t> broker_for(std::string_view topic, std::int32_t partition);
  void drive_transaction(ProduceQueue::Ready& ready);
  void transaction_failed(const Delivery& delivery);
  net::Task<Result<void>> end_of_operation();
  net::Task<void> ask_coordinator(Ptr self, Transaction::Outgoing outgoing);
  net::Task<Result<Connection::Ptr>> coordinator(Transaction::To which);
  template <class Message>
  net::Task<void> ask(Connection::Ptr connection, Message message, wire::Version version_max);

  std::shared_ptr<Cluster> cluster_;
  record::Compression compression_;
  std::optional<int> compression_level_;
  OnDelivery on_delivery_;
  ProducerIdentity identity_;
  boost::asio::steady_timer wake_timer_;
  bool wake_asked_ = false;
  bool is_refreshing_ = false;
  bool is_stopped_ = false;
  /// run() is over: nothing is sent any more.
  bool is_over_ = false;
  std::optional<Transaction> transaction_;
  /// Of the transaction's coordinator and the group's; -1 while not known.
  std::int32_t coordinators_[2] = {-1, -1};
  std::string coordinated_group_;
  std::int16_t transaction_version_ = 0;
  std::optional<Result<void>> operation_result_;
  bool is_operation_waited_for_ = false;
  /// Cancelled when an operation has ended.
  boost::asio::steady_timer operation_timer_;
  /// A wake() is on its way.
  std::atomic<bool> is_wake_posted_{false};

  std::mutex mutex_;
  // Guarded by mutex_:
  ProduceQueue queue_;
  std::list<Wait> waits_;
  /// Why nothing may be appended: it has ended, or no transaction is open.
  std::optional<Error> closed_;

  /// Held while a delivery is reported.
  std::mutex report_mutex_;
  /// Nobody listens to reports any more. Guarded by report_mutex_.
  bool is_abandoned_ = false;
};

}  // namespace leat::client
