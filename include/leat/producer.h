// Sending records. Begin with client.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "leat/cluster.h"
#include "leat/completion.h"
#include "leat/options.h"
#include "leat/record.h"

namespace leat {

namespace client {
class ProducerHandle;
}

/// Collects records into batches and sends them to the brokers that lead their partitions. Records
/// of one partition arrive in the order of the calls. What may pass is tried again, within
/// ProducerOptions::delivery_timeout; with ProducerOptions::idempotence, which is on by default, no
/// record is doubled or overtaken by it.
///
/// Memory: ProducerOptions::buffer_bytes of records that are queued or under way, and a copy of
/// each record whose async_send() or async_enqueue() waits for room.
///
/// Thread-safe, but for moving and destroying. While it is connected, io_context::run() does not
/// return by itself: destroy it, or close() it.
///
/// completion.h says what all operations have in common.
class Producer {
 public:
  Producer(boost::asio::any_io_executor executor, ClientOptions options,
           ProducerOptions producer_options = {});
  /// Never blocks, and gives up what is not acknowledged: async_flush() first. What is under way
  /// ends soon, with ClientError::cancelled; on_delivery is told of it, too.
  ~Producer();
  Producer(Producer&&) noexcept;
  Producer& operator=(Producer&&) noexcept;

  /// What is under way, and all that is begun from now on, ends with ClientError::cancelled.
  void close();

  /// Sends a record and waits until it is acknowledged; Delivery. While there is no room it waits
  /// for some. After ClientError::cancelled it may have been sent: possibly_persisted() says so.
  ///
  /// Waiting for each record before the next one is sent is slow: send several at once, or use
  /// async_enqueue() and ProducerOptions::on_delivery.
  template <class Token = DefaultToken>
  auto async_send(OutRecord record, Token&& token = {}) {
    return detail::initiate(handle_, &send, std::forward<Token>(token), record);
  }

  /// As async_send(), but ends when the record is queued: ProducerOptions::on_delivery tells of its
  /// batch, with `tag` in the record's place.
  template <class Token = DefaultToken>
  auto async_enqueue(OutRecord record, std::uint64_t tag = 0, Token&& token = {}) {
    return detail::initiate(handle_, &enqueue, std::forward<Token>(token), record, tag);
  }

  /// Queues a record as async_enqueue() does, if that takes no waiting. False: nothing happened,
  /// since there is no room, or nothing is known yet of the topic, or others wait already; see
  /// async_room(). Throws Exception where the record itself is wrong: it names a partition that the
  /// topic does not have, or a topic that is not there.
  bool try_send(const OutRecord& record, std::uint64_t tag = 0);

  /// Waits until try_send() is worth trying again after it was false.
  template <class Token = DefaultToken>
  auto async_room(Token&& token = {}) {
    return detail::initiate(handle_, &room, std::forward<Token>(token));
  }

  /// Sends what is queued without lingering, and waits until all that was queued before is
  /// delivered, one way or the other: on_delivery tells which.
  template <class Token = DefaultToken>
  auto async_flush(Token&& token = {}) {
    return detail::initiate(handle_, &flush, std::forward<Token>(token));
  }

  /// How many partitions a topic has, for programs that choose among them; int32_t. Asks as the
  /// topic's first record would, of which it takes the waiting: a cluster that makes topics by
  /// itself makes it.
  template <class Token = DefaultToken>
  auto async_partition_count(std::string topic, Token&& token = {}) {
    return detail::initiate(handle_, &partition_count, std::forward<Token>(token),
                            std::move(topic));
  }

  // ---- Transactions, of a producer with ProducerOptions::transactional_id.
  //
  // Records are sent within one only, and are seen by those who read committed records when it is
  // committed, all or none. One of these operations at a time; ClientError::invalid_state where one
  // makes no sense now. An operation that was cancelled, or timed out, goes on: ask for the same
  // again to wait for its end. After an error that is fatal() make another producer; after any
  // other error of a record, of async_send_offsets() or async_commit(), only async_abort() is left.

  /// Begins one. The first time this gets the producer its id, which shuts out those that had the
  /// transactional id before.
  template <class Token = DefaultToken>
  auto async_begin(Token&& token = {}) {
    return detail::initiate(handle_, &begin, std::forward<Token>(token));
  }

  /// Commits those offsets for a group if the transaction is committed. `member` is the consumer's
  /// own word of itself: so one that has lost its partitions cannot commit.
  template <class Token = DefaultToken>
  auto async_send_offsets(std::vector<CommittedOffset> offsets, GroupMetadata member,
                          Token&& token = {}) {
    return detail::initiate(handle_, &send_offsets, std::forward<Token>(token), std::move(offsets),
                            std::move(member));
  }

  /// Waits for the records that were queued, and commits. Fails if one of them did.
  template <class Token = DefaultToken>
  auto async_commit(Token&& token = {}) {
    return detail::initiate(handle_, &commit, std::forward<Token>(token));
  }

  /// Gives up what is not acknowledged, and has the rest hidden.
  template <class Token = DefaultToken>
  auto async_abort(Token&& token = {}) {
    return detail::initiate(handle_, &abort, std::forward<Token>(token));
  }

 private:
  using Handle = client::ProducerHandle;
  template <class... T>
  using Completion = detail::Completion<T...>;

  static void send(Handle& handle, Completion<Delivery> done, OutRecord record);
  static void enqueue(Handle& handle, Completion<> done, OutRecord record, std::uint64_t tag);
  static void room(Handle& handle, Completion<> done);
  static void flush(Handle& handle, Completion<> done);
  static void partition_count(Handle& handle, Completion<std::int32_t> done, std::string topic);
  static void begin(Handle& handle, Completion<> done);
  static void send_offsets(Handle& handle, Completion<> done, std::vector<CommittedOffset> offsets,
                           GroupMetadata member);
  static void commit(Handle& handle, Completion<> done);
  static void abort(Handle& handle, Completion<> done);

  std::shared_ptr<Handle> handle_;
};

}  // namespace leat
