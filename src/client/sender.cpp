#include "client/sender.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "client/wire_error.h"

namespace leat::client {

namespace asio = boost::asio;
using wire::ErrorCode;

namespace {

constexpr std::int16_t acks_all = -1;

ProduceQueue::Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
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

Sender::Sender(std::shared_ptr<Cluster> cluster, std::shared_ptr<Queue> queue,
               record::Compression compression, std::function<void(const Delivery&)> on_delivery)
    : cluster_(std::move(cluster)),
      queue_(std::move(queue)),
      compression_(compression),
      on_delivery_(std::move(on_delivery)),
      wake_timer_(cluster_->executor()) {}

void Sender::start() {
  asio::co_spawn(cluster_->executor(), run(shared_from_this()), asio::detached);
}

void Sender::wake() {
  wake_asked_ = true;
  wake_timer_.cancel();
}

void Sender::stop() {
  stopped_ = true;
  wake();
}

net::Task<void> Sender::run(std::shared_ptr<Sender> self) {
  ProduceQueue::LeaderOf leader_of = [this](std::string_view topic, std::int32_t partition) {
    return cluster_->metadata().leader(topic, partition);
  };
  while (!cluster_->closed() && !stopped_) {
    wake_asked_ = false;
    ProduceQueue::Ready ready;
    {
      std::lock_guard lock(queue_->mutex);
      ready = queue_->queue.take(now(), leader_of);
    }
    for (Delivery& delivery : ready.expired) report(std::move(delivery));
    if (ready.needs_leader && !std::exchange(refreshing_, true))
      asio::co_spawn(cluster_->executor(), refresh_leaders(shared_from_this()), asio::detached);
    for (Request& request : ready.requests) {
      auto shared = std::make_shared<Request>(std::move(request));
      asio::co_spawn(cluster_->executor(), send(self, std::move(shared)), asio::detached);
    }
    if (wake_asked_) continue;
    using TimePoint = asio::steady_timer::time_point;
    wake_timer_.expires_at(ready.next ? TimePoint(*ready.next) : TimePoint::max());
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await wake_timer_.async_wait(token);
  }
}

net::Task<void> Sender::refresh_leaders([[maybe_unused]] std::shared_ptr<Sender> self) {
  std::vector<std::string> topics;
  for (const auto& [name, topic] : cluster_->metadata().topics()) topics.push_back(name);
  co_await cluster_->back_off(1);
  Result<void> refreshed = co_await cluster_->refresh(std::move(topics));
  refreshing_ = false;
  // Whether or not it worked: run() asks again while leaders are missing.
  wake();
}

net::Task<void> Sender::send([[maybe_unused]] std::shared_ptr<Sender> self,
                             std::shared_ptr<Request> request) {
  Result<Connection::Ptr> opened = co_await cluster_->broker(request->broker);
  if (!opened) {
    fail_all(*request, opened.error(), false);
    co_return;
  }
  Connection::Ptr connection = *opened;
  for (auto& batch : request->batches) batch.seal(compression_);
  Fillings fillings;
  wire::ProduceRequest message = to_wire(*request, fillings.parts);
  // The connection may still be sending when this has given up waiting.
  auto owner = std::make_shared<std::vector<std::shared_ptr<const Bytes>>>();
  for (auto& batch : request->batches) owner->push_back(batch.bytes);
  fillings.owner = std::move(owner);
  auto timeout = cluster_->options().request_timeout;
  auto answer = co_await connection->call(message, timeout, std::move(fillings));
  if (answer)
    take_answer(*request, answer->message, *connection);
  else
    fail_all(*request, answer.error(), true);
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
         .records = wire::Records::elsewhere(batch->bytes->size())});
    parts.emplace_back(*batch->bytes);
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
  std::optional<Delivery> delivery;
  std::unique_lock lock(queue_->mutex);
  if (!answer) {
    Error error{Errc::malformed,
                fmt::format("{}/{}: broker {} left the partition out of its answer", topic,
                            partition, connection.address().to_string())};
    delivery = queue_->queue.failed(std::move(batch), std::move(error), true, now());
  } else if (answer->error_code == ErrorCode::none) {
    delivery = queue_->queue.acknowledged(std::move(batch), answer->base_offset);
  } else {
    std::optional<std::string> words = answer->error_message;
    for (const auto& bad : answer->record_errors)
      if (bad.batch_index_error_message && !words) words = bad.batch_index_error_message;
    Error error = broker_error(answer->error_code, fmt::format("{}/{}", topic, partition),
                               connection.address().to_string(), words);
    if (needs_metadata(answer->error_code)) cluster_->metadata().forget_leader(topic, partition);
    if (answer->error_code == ErrorCode::message_too_large)
      delivery = queue_->queue.too_large(std::move(batch), std::move(error));
    else if (!wire::retriable(answer->error_code))
      delivery = queue_->queue.refused(std::move(batch), std::move(error));
    else
      // Replicas that did not follow in time, or a time-out, leave the records where they are.
      delivery = queue_->queue.failed(
          std::move(batch), std::move(error),
          answer->error_code == ErrorCode::request_timed_out ||
              answer->error_code == ErrorCode::not_enough_replicas_after_append,
          now());
  }
  lock.unlock();
  report(std::move(delivery));
}

void Sender::fail_all(Request& request, const Error& error, bool possibly_persisted) {
  for (auto& batch : request.batches) {
    std::string_view topic = ProduceQueue::topic_of(batch);
    std::int32_t partition = ProduceQueue::partition_of(batch);
    Error named{error.code, fmt::format("{}/{}: {}", topic, partition, error.what)};
    std::optional<Delivery> delivery;
    {
      std::lock_guard lock(queue_->mutex);
      // What the broker cannot do at all will not change, nor will a program that is ending.
      if (is_transient(error))
        delivery =
            queue_->queue.failed(std::move(batch), std::move(named), possibly_persisted, now());
      else
        delivery = queue_->queue.refused(std::move(batch), std::move(named));
    }
    // The broker may be gone for good, and the partition led by another one.
    cluster_->metadata().forget_leader(topic, partition);
    report(std::move(delivery));
  }
  wake();
}

void Sender::report(std::optional<Delivery> delivery) {
  if (!delivery) return;
  {
    std::lock_guard lock(queue_->report_mutex);
    if (!queue_->abandoned) on_delivery_(*delivery);
  }
  std::lock_guard lock(queue_->mutex);
  queue_->delivered.notify_all();
}

}  // namespace leat::client
