#include "client/sender.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "client/admin.h"
#include "client/codec.h"
#include "client/wire_error.h"

namespace leat::client {

namespace asio = boost::asio;
using wire::ErrorCode;

namespace {

constexpr std::int16_t acks_all = -1;

ProduceQueue::Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

Backoff backoff_of(const ClientOptions& options) {
  return {options.retry_backoff, options.retry_backoff_max};
}

const wire::ProduceResponse::Partition* find_answer(const wire::ProduceResponse& response,
                                                    std::string_view topic,
                                                    std::int32_t partition) {
  for (const auto& answered : response.responses) {
    if (answered.name != topic) continue;
    for (const auto& part : answered.partition_responses)
      if (part.index == partition) return &part;
  }
  return nullptr;
}

}  // namespace

Sender::Sender(std::shared_ptr<Cluster> cluster, const ProducerOptions& options,
               OnDelivery on_delivery)
    : cluster_(std::move(cluster)),
      compression_(to_record(options.compression)),
      compression_level_(options.compression_level),
      on_delivery_(std::move(on_delivery)),
      identity_(backoff_of(cluster_->options()), Random::from_entropy()),
      wake_timer_(cluster_->executor()),
      operation_timer_(cluster_->executor()),
      queue_(options, backoff_of(cluster_->options()), Random::from_entropy()) {
  if (options.transactional_id.empty()) return;
  transaction_.emplace(options.transactional_id, options.transaction_timeout,
                       backoff_of(cluster_->options()), Random::from_entropy());
  closed_ = Error{Errc::invalid_txn_state, "no transaction is open"};
}

void Sender::start() {
  cluster_->when_closed([weak = weak_from_this()] {
    if (Ptr self = weak.lock()) self->stop();
  });
  asio::co_spawn(cluster_->executor(), run(shared_from_this()), asio::detached);
}

void Sender::stop() {
  is_stopped_ = true;
  wake();
}

void Sender::wake() {
  wake_asked_ = true;
  wake_timer_.cancel();
  if (is_over_) complete_waits();
}

void Sender::post_wake() {
  if (is_wake_posted_.exchange(true)) return;
  asio::post(cluster_->executor(), [self = shared_from_this()] {
    self->is_wake_posted_ = false;
    self->wake();
  });
}

Result<Sender::Append> Sender::try_append(std::string_view topic, const OutRecord& record,
                                          Hook&& hook) {
  std::size_t bytes =
      record::BatchBuilder::record_bytes_max(record.key, record.value, record.headers);
  std::unique_lock lock(mutex_);
  if (closed_) return tl::unexpected(*closed_);
  if (!queue_.has_topic(topic)) return Append::unknown_topic;
  if (!queue_.has_room(bytes)) return Append::no_room;
  Result<bool> opened = queue_.append(topic, record, &now, std::move(hook));
  lock.unlock();
  if (!opened) return fail(opened);
  if (*opened) post_wake();
  return Append::appended;
}

void Sender::append_batch(std::string_view topic, std::int32_t partition, SharedBytes batch,
                          Appended done) {
  std::unique_lock lock(mutex_);
  if (closed_) {
    Error error = *closed_;
    lock.unlock();
    return done(tl::unexpected(std::move(error)));
  }
  auto delivered = [done = std::move(done)](const Delivery& delivery, std::int32_t) mutable {
    if (delivery.error) return done(tl::unexpected(*delivery.error));
    done(delivery.base_offset.value_or(-1));
  };
  queue_.append_batch(topic, partition, std::move(batch), now(), std::move(delivered));
  lock.unlock();
  post_wake();
}

net::Task<Result<std::int32_t>> Sender::learn_topic(std::string name) {
  auto self = shared_from_this();
  std::string asked = name;
  auto described = co_await describe_topic(cluster_, std::move(asked), /*create=*/true);
  if (!described) co_return fail(described);
  auto count = static_cast<std::int32_t>(described->partitions.size());
  std::lock_guard lock(mutex_);
  queue_.set_topic(name, count);
  co_return count;
}

void Sender::when_room(std::size_t bytes, Done done) {
  wait({.room = bytes, .flush = 0, .done = std::move(done)});
}

void Sender::when_flushed(Done done) {
  wait({.room = {}, .flush = 0, .done = std::move(done)});
}

void Sender::wait(Wait wait) {
  {
    std::lock_guard lock(mutex_);
    if (!wait.room) wait.flush = queue_.flush();
    waits_.push_back(std::move(wait));
  }
  post_wake();
}

void Sender::complete_waits() {
  std::list<Wait> over;
  {
    std::lock_guard lock(mutex_);
    for (auto at = waits_.begin(); at != waits_.end();) {
      auto next = std::next(at);
      bool is_over = cluster_->closed() || is_stopped_ ||
                     (at->room ? queue_.has_room(*at->room) : queue_.is_flushed(at->flush));
      if (is_over) over.splice(over.end(), waits_, at);
      at = next;
    }
    bool is_full = std::any_of(waits_.begin(), waits_.end(),
                               [](const Wait& wait) { return wait.room.has_value(); });
    if (is_full && queue_.flush_for_room()) wake_asked_ = true;
  }
  for (Wait& wait : over) {
    if (cluster_->closed())
      wait.done(tl::unexpected(*cluster_->closed()));
    else if (is_stopped_)
      wait.done(fail(Errc::cancelled, "the producer is closed"));
    else
      wait.done({});
  }
}

void Sender::forget_waits() {
  std::list<Wait> waits;
  std::lock_guard lock(mutex_);
  waits.swap(waits_);
}

void Sender::abandon() {
  std::lock_guard lock(report_mutex_);
  is_abandoned_ = true;
}

net::Task<void> Sender::run(Ptr self) {
  ProduceQueue::LeaderOf leader_of = [this](std::string_view topic, std::int32_t partition) {
    return broker_for(topic, partition);
  };
  while (!cluster_->closed() && !is_stopped_) {
    wake_asked_ = false;
    ProduceQueue::Ready ready;
    {
      std::lock_guard lock(mutex_);
      ready = queue_.take(now(), leader_of);
    }
    for (Delivery& delivery : ready.expired) report(std::move(delivery));
    if (ready.needs_leader && !std::exchange(is_refreshing_, true))
      asio::co_spawn(cluster_->executor(), refresh_leaders(self), asio::detached);
    if (ready.needs_producer) {
      if (auto request = identity_.ask(now()))
        asio::co_spawn(cluster_->executor(), ask_producer(self, std::move(*request)),
                       asio::detached);
      else if (auto next = identity_.next())
        ready.next = std::min(ready.next.value_or(*next), *next);
    }
    for (Request& request : ready.requests) {
      auto shared = std::make_shared<Request>(std::move(request));
      asio::co_spawn(cluster_->executor(), send(self, std::move(shared)), asio::detached);
    }
    if (transaction_) drive_transaction(ready);
    complete_waits();
    if (wake_asked_) continue;
    using TimePoint = asio::steady_timer::time_point;
    wake_timer_.expires_at(ready.next ? TimePoint(*ready.next) : TimePoint::max());
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await wake_timer_.async_wait(token);
  }
  is_over_ = true;
  give_up_all(cluster_->closed().value_or(Error{Errc::cancelled, "the producer is closed"}));
  complete_waits();
  operation_timer_.cancel();
}

net::Task<void> Sender::ask_producer([[maybe_unused]] Ptr self,
                                     wire::InitProducerIdRequest request) {
  ProducerIdentity::Outcome outcome;
  Result<Connection::Ptr> opened = co_await cluster_->any_broker();
  if (!opened) {
    outcome = identity_.unanswered(opened.error(), now());
  } else {
    Connection::Ptr connection = *opened;
    auto timeout = cluster_->options().request_timeout;
    auto answer = co_await connection->call(request, timeout);
    outcome = answer ? identity_.answered(answer->message, connection->address().to_string(), now())
                     : identity_.unanswered(answer.error(), now());
  }
  std::vector<Delivery> failed;
  {
    std::lock_guard lock(mutex_);
    if (outcome.producer) queue_.set_producer(*outcome.producer);
    if (outcome.error) failed = queue_.fail_waiting(*outcome.error);
  }
  for (Delivery& delivery : failed) report(std::move(delivery));
  wake();
}

net::Task<void> Sender::refresh_leaders([[maybe_unused]] Ptr self) {
  std::vector<std::string> topics;
  for (const auto& [name, topic] : cluster_->metadata().topics()) topics.push_back(name);
  co_await cluster_->back_off(1);
  Result<void> refreshed = co_await cluster_->refresh(std::move(topics));
  is_refreshing_ = false;
  // Whether or not it worked: run() asks again while leaders are missing.
  wake();
}

/// Nothing may be awaited between what opens the connection and call(): requests for one broker
/// reach it in the order in which they were taken.
net::Task<void> Sender::send([[maybe_unused]] Ptr self, std::shared_ptr<Request> request) {
  Result<Connection::Ptr> opened = co_await cluster_->broker(request->broker);
  if (!opened) {
    fail_all(*request, opened.error(), false);
    co_return;
  }
  Connection::Ptr connection = *opened;
  for (auto& batch : request->batches) batch.seal(compression_, compression_level_);
  Fillings fillings;
  wire::ProduceRequest message = to_wire(*request, fillings.parts);
  // The connection may still be sending when this has given up waiting.
  auto owner = std::make_shared<std::vector<SharedBytes>>();
  for (auto& batch : request->batches) owner->push_back(batch.bytes);
  fillings.owner = std::move(owner);
  auto timeout = cluster_->options().request_timeout;
  std::optional<wire::Version> version_max;
  if (transaction_) {
    message.transactional_id = transaction_->id();
    // The version that adds its partitions by itself.
    if (transaction_->is_second_protocol()) version_max = wire::Version{12};
  }
  auto answer = co_await connection->call(message, timeout, std::move(fillings), version_max);
  if (answer)
    take_answer(*request, answer->message, *connection);
  else
    fail_all(*request, answer.error(), answer.error().code != Errc::unsupported_version);
}

wire::ProduceRequest Sender::to_wire(const Request& request, std::vector<BytesView>& parts) const {
  wire::ProduceRequest message;
  message.acks = acks_all;
  message.timeout_ms = static_cast<std::int32_t>(cluster_->options().request_timeout.count());
  // The wire groups by topic; the parts must be in the order of the holes.
  std::vector<const ProduceQueue::Batch*> batches;
  for (const auto& batch : request.batches) batches.push_back(&batch);
  std::stable_sort(batches.begin(), batches.end(), [](const auto* a, const auto* b) {
    return ProduceQueue::topic_of(*a) < ProduceQueue::topic_of(*b);
  });
  for (const ProduceQueue::Batch* batch : batches) {
    std::string_view topic = ProduceQueue::topic_of(*batch);
    if (message.topic_data.empty() || message.topic_data.back().name != topic)
      message.topic_data.push_back({.name = std::string(topic), .partition_data = {}});
    message.topic_data.back().partition_data.push_back(
        {.index = ProduceQueue::partition_of(*batch),
         .records = wire::Records::elsewhere(batch->bytes.size)});
    parts.push_back(batch->bytes.view());
  }
  return message;
}

void Sender::take_answer(Request& request, const wire::ProduceResponse& response,
                         const Connection& connection) {
  for (auto& batch : request.batches) {
    const auto* answer =
        find_answer(response, ProduceQueue::topic_of(batch), ProduceQueue::partition_of(batch));
    settle(std::move(batch), answer, connection);
  }
  wake();
}

void Sender::settle(ProduceQueue::Batch batch, const wire::ProduceResponse::Partition* answer,
                    const Connection& connection) {
  std::string_view topic = ProduceQueue::topic_of(batch);
  std::int32_t partition = ProduceQueue::partition_of(batch);
  std::string name = fmt::format("{}/{}", topic, partition);
  std::string broker = connection.address().to_string();
  ProduceAnswer told;
  if (!answer) {
    // As good as none.
    told.code = ErrorCode::request_timed_out;
    told.error = {Errc::malformed,
                  fmt::format("{}: broker {} left the partition out of its answer", name, broker)};
  } else {
    told.code = answer->error_code;
    told.base_offset = answer->base_offset;
    told.append_time_ms = answer->log_append_time_ms;
    std::optional<std::string> words = answer->error_message;
    for (const auto& bad : answer->record_errors)
      if (bad.batch_index_error_message && !words) words = bad.batch_index_error_message;
    if (told.code != ErrorCode::none) told.error = broker_error(told.code, name, broker, words);
  }
  if (needs_metadata(told.code)) cluster_->metadata().forget_leader(topic, partition);
  std::unique_lock lock(mutex_);
  auto delivery = queue_.answered(std::move(batch), std::move(told), now());
  lock.unlock();
  report(std::move(delivery));
}

void Sender::fail_all(Request& request, const Error& error, bool was_sent) {
  for (auto& batch : request.batches) {
    std::string_view topic = ProduceQueue::topic_of(batch);
    std::int32_t partition = ProduceQueue::partition_of(batch);
    Error named{error.code, fmt::format("{}/{}: {}", topic, partition, error.what)};
    std::optional<Delivery> delivery;
    {
      std::lock_guard lock(mutex_);
      delivery = queue_.unanswered(std::move(batch), std::move(named), was_sent, now());
    }
    // The broker may be gone for good, and the partition led by another one.
    cluster_->metadata().forget_leader(topic, partition);
    report(std::move(delivery));
  }
  wake();
}

/// Nothing is appended any more, and what is not under way is given up.
void Sender::give_up_all(const Error& error) {
  std::vector<Delivery> failed;
  {
    std::lock_guard lock(mutex_);
    closed_ = error;
    failed = queue_.fail_all(error);
  }
  for (Delivery& delivery : failed) report(std::move(delivery));
}

void Sender::report(std::optional<Delivery> delivery) {
  if (!delivery) return;
  if (transaction_ && delivery->error) transaction_failed(*delivery);
  std::lock_guard lock(report_mutex_);
  if (is_abandoned_) return;
  if (on_delivery_) on_delivery_(*delivery);
  for (Waiter& waiter : delivery->waiters) waiter.done(*delivery, waiter.record);
}

}  // namespace leat::client
