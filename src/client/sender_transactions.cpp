// What a Sender does of transactions: the sockets and the waiting for client/transaction.h.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "client/sender.h"
#include "client/wire_error.h"
#include "wire/find_coordinator.h"

namespace leat::client {

namespace asio = boost::asio;
using wire::ErrorCode;
using State = Transaction::State;

namespace {

ProduceQueue::Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

constexpr std::int16_t second_protocol = 2;

}  // namespace

std::optional<std::int32_t> Sender::broker_for(std::string_view topic, std::int32_t partition) {
  auto leader = cluster_->metadata().leader(topic, partition);
  if (!leader || !transaction_ || transaction_->may_send(topic, partition)) return leader;
  return ProduceQueue::not_yet;
}

net::Task<Result<void>> Sender::begin() {
  auto self = shared_from_this();
  if (!transaction_) co_return fail(Errc::invalid_argument, "transactions need a transactional id");
  if (cluster_->closed()) co_return tl::unexpected(*cluster_->closed());
  if (is_over_) co_return fail(Errc::cancelled, "the producer is closed");
  if (transaction_->state() == State::uninitialized) {
    Result<void> asked = transaction_->init();
    if (!asked) co_return asked;
    Result<void> initialized = co_await end_of_operation();
    if (!initialized) co_return initialized;
  }
  Result<void> begun = transaction_->begin(transaction_version_ >= second_protocol);
  if (!begun) co_return begun;
  std::lock_guard lock(mutex_);
  queue_.recover();
  queue_.set_producer(transaction_->producer());
  closed_.reset();
  co_return Result<void>{};
}

net::Task<Result<void>> Sender::send_offsets(std::vector<CommittedOffset> offsets,
                                             GroupMetadata member) {
  auto self = shared_from_this();
  if (!transaction_) co_return fail(Errc::invalid_argument, "transactions need a transactional id");
  Result<void> asked = transaction_->send_offsets(std::move(offsets), std::move(member));
  if (!asked) co_return asked;
  Result<void> ended = co_await end_of_operation();
  co_return ended;
}

net::Task<Result<void>> Sender::commit() {
  auto self = shared_from_this();
  if (!transaction_) co_return fail(Errc::invalid_argument, "transactions need a transactional id");
  Result<void> asked = transaction_->commit();
  if (!asked) co_return asked;
  {
    std::lock_guard lock(mutex_);
    closed_ = Error{Errc::invalid_txn_state, "the transaction is being committed"};
    queue_.flush();
  }
  Result<void> ended = co_await end_of_operation();
  co_return ended;
}

net::Task<Result<void>> Sender::abort() {
  auto self = shared_from_this();
  if (!transaction_) co_return fail(Errc::invalid_argument, "transactions need a transactional id");
  Result<void> asked = transaction_->abort();
  if (!asked) co_return asked;
  give_up_all({Errc::cancelled, "the transaction is aborted"});
  Result<void> ended = co_await end_of_operation();
  co_return ended;
}

/// Waits for what the transaction was asked for. What it is asked for goes on when this gives up.
net::Task<Result<void>> Sender::end_of_operation() {
  if (std::exchange(is_operation_waited_for_, true))
    co_return fail(Errc::invalid_txn_state, "the transaction is busy with something else");
  auto deadline = std::chrono::steady_clock::now() + cluster_->options().operation_timeout;
  operation_result_.reset();
  wake();
  Result<void> result =
      fail(Errc::request_timed_out,
           fmt::format("transactional id {}: no answer within {} ms yet", transaction_->id(),
                       cluster_->options().operation_timeout.count()));
  while (!operation_result_ && !cluster_->closed() && !is_stopped_) {
    if (std::chrono::steady_clock::now() >= deadline) break;
    operation_timer_.expires_at(deadline);
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await operation_timer_.async_wait(token);
  }
  is_operation_waited_for_ = false;
  if (operation_result_)
    result = std::move(*operation_result_);
  else if (cluster_->closed())
    result = tl::unexpected(*cluster_->closed());
  else if (is_stopped_)
    result = tl::unexpected(Error{Errc::cancelled, "the producer is closed"});
  operation_result_.reset();
  co_return result;
}

void Sender::drive_transaction(ProduceQueue::Ready& ready) {
  bool is_settled = false;
  {
    std::lock_guard lock(mutex_);
    is_settled = queue_.pending_records() == 0;
  }
  if (auto outgoing = transaction_->next(now(), is_settled)) {
    asio::co_spawn(cluster_->executor(), ask_coordinator(shared_from_this(), std::move(*outgoing)),
                   asio::detached);
  } else if (auto next = transaction_->retry_at(); next && *next > now()) {
    ready.next = std::min(ready.next.value_or(*next), *next);
  }
  if (transaction_->error()) give_up_all(*transaction_->error());
  if (!is_operation_waited_for_) return;
  operation_result_ = transaction_->take_ended();
  if (!operation_result_) return;
  operation_timer_.cancel();
  if (transaction_->state() != State::ready) return;
  std::lock_guard lock(mutex_);
  closed_ = Error{Errc::invalid_txn_state, "no transaction is open"};
}

void Sender::transaction_failed(const Delivery& delivery) {
  transaction_->batch_failed(*delivery.error, delivery.was_sent);
  wake();
}

net::Task<Result<Connection::Ptr>> Sender::coordinator(Transaction::To which) {
  bool is_group = which == Transaction::To::group_coordinator;
  const std::string& key = is_group ? transaction_->group() : transaction_->id();
  std::int32_t& node = coordinators_[is_group ? 1 : 0];
  if (is_group && coordinated_group_ != key) {
    node = -1;
    coordinated_group_ = key;
  }
  if (cluster_->metadata().brokers().empty()) {
    std::vector<std::string> none;
    Result<void> refreshed = co_await cluster_->refresh(std::move(none));
    if (!refreshed) co_return fail(refreshed);
  }
  if (node < 0) {
    Result<Connection::Ptr> any = co_await cluster_->any_broker();
    if (!any) co_return fail(any);
    Connection::Ptr connection = *any;
    wire::FindCoordinatorRequest request;
    request.coordinator_key = key;
    request.coordinator_keys = {key};
    request.key_type =
        is_group ? wire::CoordinatorKeyType::group : wire::CoordinatorKeyType::transaction;
    auto timeout = cluster_->options().request_timeout;
    auto answer = co_await connection->call(request, timeout);
    if (!answer) co_return fail(answer);
    const wire::FindCoordinatorResponse& found = answer->message;
    bool is_batched = !found.coordinators.empty();
    ErrorCode code = is_batched ? found.coordinators[0].error_code : found.error_code;
    if (code != ErrorCode::none) {
      Error error =
          broker_error(code, fmt::format("{} {}", is_group ? "group" : "transactional id", key),
                       connection->address().to_string());
      // Tried again, as a lost connection is.
      if (wire::retriable(code)) error.code = Errc::connection_failed;
      co_return tl::unexpected(std::move(error));
    }
    node = is_batched ? found.coordinators[0].node_id : found.node_id;
  }
  Result<Connection::Ptr> connection = co_await cluster_->broker(node);
  co_return connection;
}

net::Task<void> Sender::ask_coordinator([[maybe_unused]] Ptr self, Transaction::Outgoing outgoing) {
  Result<Connection::Ptr> found = co_await coordinator(outgoing.to);
  if (!found) {
    coordinators_[0] = coordinators_[1] = -1;
    transaction_->unanswered(found.error(), now());
    wake();
    co_return;
  }
  Connection::Ptr connection = *found;
  transaction_version_ = connection->transaction_version();
  wire::Version version_max = outgoing.version_max;
  if (auto* init = std::get_if<wire::InitProducerIdRequest>(&outgoing.request))
    co_await ask(std::move(connection), std::move(*init), version_max);
  else if (auto* partitions = std::get_if<wire::AddPartitionsToTxnRequest>(&outgoing.request))
    co_await ask(std::move(connection), std::move(*partitions), version_max);
  else if (auto* add = std::get_if<wire::AddOffsetsToTxnRequest>(&outgoing.request))
    co_await ask(std::move(connection), std::move(*add), version_max);
  else if (auto* offsets = std::get_if<wire::TxnOffsetCommitRequest>(&outgoing.request))
    co_await ask(std::move(connection), std::move(*offsets), version_max);
  else if (auto* end = std::get_if<wire::EndTxnRequest>(&outgoing.request))
    co_await ask(std::move(connection), std::move(*end), version_max);
  wake();
}

template <class Message>
net::Task<void> Sender::ask(Connection::Ptr connection, Message message,
                            wire::Version version_max) {
  auto timeout = cluster_->options().request_timeout;
  Fillings none;
  auto answer = co_await connection->call(message, timeout, std::move(none), version_max);
  Transaction::Effect effect;
  if (answer) {
    effect = transaction_->answered(answer->message, connection->address().to_string(), now());
  } else {
    effect = transaction_->unanswered(answer.error(), now());
  }
  if (effect.is_coordinator_lost) coordinators_[0] = coordinators_[1] = -1;
}

}  // namespace leat::client
