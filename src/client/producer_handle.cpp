#include "client/producer_handle.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <chrono>
#include <span>
#include <utility>

#include "client/check_options.h"
#include "record/builder.h"

namespace leat::client {

namespace asio = boost::asio;

namespace {

std::optional<BytesView> bytes_of(const std::optional<std::string_view>& text) {
  if (!text) return std::nullopt;
  return as_bytes(*text);
}

/// Headers as batches take them. Few, mostly: those need no memory.
class RecordHeaders {
 public:
  explicit RecordHeaders(std::span<const leat::Header> headers) {
    if (headers.empty()) return;
    record::Header* to = nullptr;
    if (headers.size() > few) {
      many_.resize(headers.size());
      to = many_.data();
    } else {
      to = few_.emplace().data();
    }
    for (std::size_t i = 0; i < headers.size(); ++i)
      to[i] = {headers[i].name, bytes_of(headers[i].value)};
    view_ = {to, headers.size()};
  }
  RecordHeaders(const RecordHeaders&) = delete;
  RecordHeaders& operator=(const RecordHeaders&) = delete;
  std::span<const record::Header> view() const { return view_; }

 private:
  static constexpr std::size_t few = 8;
  /// Most records have none, and to clear it takes as long as to add a small one.
  std::optional<std::array<record::Header, few>> few_;
  std::vector<record::Header> many_;
  std::span<const record::Header> view_;
};

std::int64_t milliseconds(const std::optional<Timestamp>& timestamp) {
  using std::chrono::system_clock;
  Timestamp time =
      timestamp ? *timestamp : std::chrono::floor<std::chrono::milliseconds>(system_clock::now());
  return time.time_since_epoch().count();
}

/// A record as the sender takes it. Borrows from `record`, and itself.
class SenderRecord {
 public:
  explicit SenderRecord(const leat::OutRecord& record) : headers_(record.headers) {
    inner_.key = bytes_of(record.key);
    inner_.value = bytes_of(record.value);
    inner_.headers = headers_.view();
    inner_.timestamp_ms = milliseconds(record.timestamp);
    inner_.partition = record.partition;
  }
  const OutRecord& inner() const { return inner_; }
  std::size_t size() const {
    return record::BatchBuilder::record_bytes_max(inner_.key, inner_.value, inner_.headers);
  }

 private:
  RecordHeaders headers_;
  OutRecord inner_;
};

BatchDelivery to_public(const Delivery& delivery) {
  BatchDelivery batch;
  batch.topic = delivery.topic;
  batch.partition = delivery.partition;
  batch.record_count = delivery.record_count;
  batch.base_offset = delivery.base_offset.value_or(-1);
  if (delivery.error) {
    Error error = *delivery.error;
    error.possibly_persisted = delivery.possibly_persisted;
    batch.error = to_error_code(error);
    batch.text = delivery.error->what;
  }
  batch.tags = delivery.tags;
  return batch;
}

/// Tells `sending` what becomes of a record with that time.
Hook hook_for(ProducerHandle::Sending sending, std::int64_t timestamp_ms) {
  auto done = [sending = std::move(sending), timestamp_ms](const Delivery& delivery,
                                                           std::int32_t record) {
    if (delivery.error) {
      Error error = *delivery.error;
      error.possibly_persisted = delivery.possibly_persisted;
      return sending->complete(tl::unexpected(std::move(error)));
    }
    std::int64_t offset = delivery.base_offset ? *delivery.base_offset + record : -1;
    std::chrono::milliseconds time(delivery.append_time_ms.value_or(timestamp_ms));
    sending->complete(leat::Delivery{delivery.partition, offset, Timestamp(time)});
  };
  return Hook{.tag = {}, .done = std::move(done)};
}

/// Waits on the sender's executor until there is room for that much.
net::Task<Result<void>> room_for(std::shared_ptr<Sender> sender, std::size_t bytes) {
  auto begin = [sender, bytes](auto handler) {
    auto done = [handler = std::move(handler)](Result<void> result) mutable {
      std::move(handler)(std::make_shared<Result<void>>(std::move(result)));
    };
    sender->when_room(bytes, std::move(done));
  };
  using Signature = void(std::shared_ptr<Result<void>>);
  auto room = asio::async_initiate<const asio::use_awaitable_t<>, Signature>(std::move(begin),
                                                                             asio::use_awaitable);
  std::shared_ptr<Result<void>> result = co_await std::move(room);
  co_return *result;
}

}  // namespace

OwnedRecord::OwnedRecord(const leat::OutRecord& record)
    : topic(record.topic),
      key(record.key),
      value(record.value),
      partition(record.partition),
      // The time of the call, not of when it has waited.
      timestamp(Timestamp(std::chrono::milliseconds(milliseconds(record.timestamp)))) {
  for (const leat::Header& header : record.headers) {
    OwnedHeader& owned = headers.emplace_back();
    owned.name = header.name;
    if (header.value) owned.value = std::string(*header.value);
  }
}

ProducerHandle::ProducerHandle(asio::any_io_executor executor, ClientOptions options,
                               const ProducerOptions& producer_options)
    : Anchor(std::move(executor), std::move(options), check(producer_options)) {
  Sender::OnDelivery on_delivery;
  if (producer_options.on_delivery) {
    on_delivery = [tell = producer_options.on_delivery](const Delivery& delivery) {
      tell(to_public(delivery));
    };
  }
  sender_ = std::make_shared<Sender>(cluster(), producer_options, std::move(on_delivery));
  asio::post(cluster()->executor(), [sender = sender_] { sender->start(); });
}

void ProducerHandle::let_go() {
  // What waits at the sender may be the last to hold both.
  auto self = weak_from_this().lock();
  sender_->forget_waits();
  sender_.reset();
  waiting_.clear();
  Anchor::let_go();
}

void ProducerHandle::send(const leat::OutRecord& record, Sending operation) {
  SenderRecord given(record);
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    // Before it is queued: from then on it may be sent.
    operation->set_effect(Effect::possible);
    Result<Sender::Append> appended = sender_->try_append(
        record.topic, given.inner(), hook_for(operation, given.inner().timestamp_ms));
    if (appended && *appended == Sender::Append::appended) return;
    operation->set_effect(Effect::none);
    if (!appended) return operation->complete_soon(tl::unexpected(appended.error()));
  }
  wait({.wish = Wish::send, .record = OwnedRecord(record), .sending = std::move(operation)});
}

void ProducerHandle::enqueue(const leat::OutRecord& record, std::uint64_t tag, Waited operation) {
  SenderRecord given(record);
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    Result<Sender::Append> appended =
        sender_->try_append(record.topic, given.inner(), Hook{.tag = tag, .done = {}});
    if (!appended) return operation->complete_soon(tl::unexpected(appended.error()));
    if (*appended == Sender::Append::appended) return operation->complete_soon({});
  }
  wait({.wish = Wish::enqueue,
        .record = OwnedRecord(record),
        .tag = tag,
        .waited = std::move(operation)});
}

Result<bool> ProducerHandle::try_send(const leat::OutRecord& record, std::uint64_t tag) {
  SenderRecord given(record);
  std::lock_guard lock(mutex_);
  if (!waiting_.empty()) return false;
  Result<Sender::Append> appended =
      sender_->try_append(record.topic, given.inner(), Hook{.tag = tag, .done = {}});
  if (!appended) return client::fail(appended);
  if (*appended == Sender::Append::appended) return true;
  if (*appended == Sender::Append::no_room) {
    refused_bytes_ = given.size();
    return false;
  }
  if (auto failed = failed_topics_.find(record.topic); failed != failed_topics_.end()) {
    Error error = std::move(failed->second);
    failed_topics_.erase(failed);
    return tl::unexpected(std::move(error));
  }
  wait({.wish = Wish::learn, .topic = std::string(record.topic)});
  return false;
}

void ProducerHandle::wait_for_room(Waited operation) {
  std::lock_guard lock(mutex_);
  wait({.wish = Wish::room, .waited = std::move(operation)});
}

void ProducerHandle::flush(Waited operation) {
  std::lock_guard lock(mutex_);
  wait({.wish = Wish::flush, .waited = std::move(operation)});
}

bool ProducerHandle::Waiting::is_cancelled() const {
  return (sending && sending->stop().stop_requested()) ||
         (waited && waited->stop().stop_requested());
}

void ProducerHandle::Waiting::fail(const Error& error) const {
  if (sending) sending->complete(tl::unexpected(error));
  if (waited) waited->complete(tl::unexpected(error));
}

void ProducerHandle::wait(Waiting waiting) {
  waiting_.push_back(std::move(waiting));
  if (std::exchange(is_serving_, true)) return;
  // Not from here, where the mutex is held.
  asio::post(cluster()->executor(), [self = shared_from_this(), sender = sender_] {
    asio::co_spawn(self->cluster()->executor(), self->serve_waiting(self, sender), asio::detached);
  });
}

net::Task<void> ProducerHandle::serve_waiting([[maybe_unused]] std::shared_ptr<ProducerHandle> self,
                                              std::shared_ptr<Sender> sender) {
  while (true) {
    const Waiting* first = nullptr;
    {
      std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        is_serving_ = false;
        co_return;
      }
      first = &waiting_.front();
    }
    Result<void> served;
    if (!first->is_cancelled()) {
      // Others push behind it meanwhile, which leaves it where it is.
      Result<void> result = co_await serve(*first, sender);
      served = std::move(result);
    }
    if (!served) first->fail(served.error());
    std::lock_guard lock(mutex_);
    if (!served && first->wish == Wish::learn) {
      failed_topics_.insert_or_assign(first->topic, served.error());
    }
    waiting_.pop_front();
  }
}

net::Task<Result<void>> ProducerHandle::serve(const Waiting& waiting,
                                              std::shared_ptr<Sender> sender) {
  switch (waiting.wish) {
    case Wish::send:
    case Wish::enqueue: {
      Result<void> queued = co_await serve_record(waiting, sender);
      co_return queued;
    }
    case Wish::learn: {
      std::string topic = waiting.topic;
      Result<std::int32_t> learnt = co_await sender->learn_topic(std::move(topic));
      if (!learnt) co_return client::fail(learnt);
      co_return Result<void>{};
    }
    case Wish::room: {
      std::size_t bytes = 0;
      {
        std::lock_guard lock(mutex_);
        bytes = refused_bytes_;
      }
      Result<void> has_room = co_await room_for(sender, bytes);
      if (has_room) waiting.waited->complete({});
      co_return has_room;
    }
    case Wish::flush:
      // Those behind it do not wait for that.
      sender->when_flushed(
          [waited = waiting.waited](Result<void> result) { waited->complete(std::move(result)); });
  }
  co_return Result<void>{};
}

net::Task<Result<void>> ProducerHandle::serve_record(const Waiting& waiting,
                                                     std::shared_ptr<Sender> sender) {
  std::vector<leat::Header> headers;
  for (const auto& header : waiting.record->headers) headers.push_back({header.name, header.value});
  leat::OutRecord record{waiting.record->topic,     waiting.record->key,
                         waiting.record->value,     headers,
                         waiting.record->partition, waiting.record->timestamp};
  SenderRecord given(record);
  while (!waiting.is_cancelled()) {
    Hook hook{.tag = waiting.tag, .done = {}};
    if (waiting.sending) hook = hook_for(waiting.sending, given.inner().timestamp_ms);
    Result<Sender::Append> appended =
        sender->try_append(record.topic, given.inner(), std::move(hook));
    if (!appended) co_return client::fail(appended);
    Result<void> waited;
    if (*appended == Sender::Append::appended) {
      // On this executor nothing can have cancelled it in between.
      if (waiting.sending) waiting.sending->set_effect(Effect::possible);
      if (waiting.waited) waiting.waited->complete({});
      break;
    }
    if (*appended == Sender::Append::unknown_topic) {
      std::string topic(record.topic);
      Result<std::int32_t> learnt = co_await sender->learn_topic(std::move(topic));
      if (!learnt) waited = client::fail(learnt);
    } else {
      Result<void> has_room = co_await room_for(sender, given.size());
      waited = std::move(has_room);
    }
    if (!waited) co_return waited;
  }
  co_return Result<void>{};
}

}  // namespace leat::client
