#include "client/transaction.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "client/wire_error.h"

namespace leat::client {

using wire::ErrorCode;

namespace {

bool is_coordinator_lost(ErrorCode code) {
  return code == ErrorCode::not_coordinator || code == ErrorCode::coordinator_not_available;
}

bool contains(const auto& partitions, std::string_view topic, std::int32_t partition) {
  auto found = partitions.find(topic);
  return found != partitions.end() && found->second.contains(partition);
}

constexpr wire::Version first_protocol_add_partitions = 3;
constexpr wire::Version first_protocol_offset_commit = 4;
constexpr wire::Version first_protocol_end = 4;

}  // namespace

Transaction::Transaction(std::string id, std::chrono::milliseconds timeout, Backoff backoff,
                         Random random)
    : id_(std::move(id)), timeout_(timeout), backoff_(backoff), random_(random) {}

Result<void> Transaction::init() {
  if (state_ == State::fatal) return tl::unexpected(*error_);
  if (state_ != State::uninitialized)
    return fail(Errc::invalid_txn_state, "transactions are initialized already");
  if (step_ == Step::none) attempts_ = 0;
  result_.reset();
  step_ = Step::init;
  return {};
}

Result<void> Transaction::begin(bool is_second) {
  if (state_ == State::fatal) return tl::unexpected(*error_);
  if (state_ != State::ready)
    return fail(Errc::invalid_txn_state, state_ == State::uninitialized
                                             ? "transactions are not initialized"
                                             : "a transaction is open already");
  state_ = State::open;
  is_second_ = is_second;
  return {};
}

Result<void> Transaction::send_offsets(std::vector<CommittedOffset> offsets, GroupMetadata member) {
  if (error_) return tl::unexpected(*error_);
  if (state_ != State::open) return fail(Errc::invalid_txn_state, "no transaction is open");
  if (step_ != Step::none)
    return fail(Errc::invalid_txn_state, "offsets are being sent to the transaction already");
  offsets_ = std::move(offsets);
  member_ = std::move(member);
  attempts_ = 0;
  is_commits_result_ = false;
  if (offsets_.empty())
    end({});
  else
    step_ = is_second_ ? Step::commit_offsets : Step::add_offsets;
  has_begun_ |= is_second_ && !offsets_.empty();
  return {};
}

Result<void> Transaction::commit() {
  if (error_) return tl::unexpected(*error_);
  bool is_unheard = state_ == State::ready && result_ && is_commits_result_;
  if (state_ == State::committing || is_unheard) return {};
  if (state_ != State::open) return fail(Errc::invalid_txn_state, "no transaction is open");
  if (step_ != Step::none)
    return fail(Errc::invalid_txn_state, "offsets are still being sent to the transaction");
  state_ = State::committing;
  result_.reset();
  is_commits_result_ = true;
  attempts_ = 0;
  step_ = Step::end;
  return {};
}

Result<void> Transaction::abort() {
  if (state_ == State::fatal) return tl::unexpected(*error_);
  if (state_ == State::aborting) return {};
  if (state_ != State::open && state_ != State::abortable)
    return fail(Errc::invalid_txn_state, state_ == State::committing
                                             ? "the transaction is being committed"
                                             : "no transaction is open");
  state_ = State::aborting;
  result_.reset();
  is_commits_result_ = false;
  attempts_ = 0;
  to_add_.clear();
  step_ = Step::end;
  return {};
}

std::optional<Result<void>> Transaction::take_ended() {
  return std::exchange(result_, std::nullopt);
}

bool Transaction::may_send(std::string_view topic, std::int32_t partition) {
  if (contains(added_, topic, partition)) return true;
  if (is_second_) {
    has_begun_ = true;
    added_[std::string(topic)].insert(partition);
    return true;
  }
  if (!contains(adding_, topic, partition)) to_add_[std::string(topic)].insert(partition);
  return false;
}

void Transaction::batch_failed(const Error& error, bool was_sent) {
  needs_epoch_ |= was_sent;
  if (state_ == State::open || state_ == State::committing) fail_transaction(error);
}

std::optional<Transaction::Outgoing> Transaction::next(Time now, bool is_settled) {
  if (is_under_way_ || (attempts_ > 0 && now < retry_at_)) return std::nullopt;
  Outgoing outgoing;
  if (!to_add_.empty() && (state_ == State::open || state_ == State::committing)) {
    adding_ = std::exchange(to_add_, {});
    is_under_way_ = true;
    outgoing.request = add_partitions();
    outgoing.version_max = first_protocol_add_partitions;
    return *(doubtful_ = std::move(outgoing));
  }
  if (step_ == Step::none || (step_ == Step::end && !is_settled)) return std::nullopt;
  if (step_ == Step::end && !has_begun_ && !doubtful_) {
    ended();
    return std::nullopt;
  }
  is_under_way_ = true;
  if (step_ == Step::end && !has_begun_) return doubtful_;
  outgoing.request = request(step_);
  if (step_ == Step::commit_offsets) outgoing.to = To::group_coordinator;
  outgoing.version_max = std::visit(
      []<class R>(const R&) -> wire::Version { return R::valid.last; }, outgoing.request);
  if (!is_second_ && step_ == Step::commit_offsets)
    outgoing.version_max = first_protocol_offset_commit;
  if (!is_second_ && step_ == Step::end) outgoing.version_max = first_protocol_end;
  if (step_ == Step::add_offsets) doubtful_ = outgoing;
  return outgoing;
}

std::optional<Transaction::Time> Transaction::retry_at() const {
  if (is_under_way_ || attempts_ == 0) return std::nullopt;
  return retry_at_;
}

Transaction::Request Transaction::request(Step step) const {
  switch (step) {
    case Step::add_offsets:
      return wire::AddOffsetsToTxnRequest{id_, producer_.id.value(), producer_.epoch,
                                          member_.group};
    case Step::commit_offsets: return offset_commit();
    case Step::end:
      return wire::EndTxnRequest{id_, producer_.id.value(), producer_.epoch,
                                 state_ == State::committing};
    default: {
      wire::InitProducerIdRequest init;
      init.transactional_id = id_;
      init.transaction_timeout_ms = static_cast<std::int32_t>(timeout_.count());
      // Who raises its own epoch says so, lest it shuts out one that came after it.
      if (step == Step::raise_epoch) {
        init.producer_id = producer_.id.value();
        init.producer_epoch = producer_.epoch;
      }
      return init;
    }
  }
}

wire::AddPartitionsToTxnRequest Transaction::add_partitions() const {
  wire::AddPartitionsToTxnRequest request;
  request.transactional_id = id_;
  request.producer_id = producer_.id.value();
  request.producer_epoch = producer_.epoch;
  for (const auto& [topic, partitions] : adding_)
    request.topics.push_back({topic, {partitions.begin(), partitions.end()}});
  return request;
}

wire::TxnOffsetCommitRequest Transaction::offset_commit() const {
  wire::TxnOffsetCommitRequest request;
  request.transactional_id = id_;
  request.group_id = member_.group;
  request.producer_id = producer_.id.value();
  request.producer_epoch = producer_.epoch;
  request.generation_id = member_.generation;
  request.member_id = member_.member_id;
  request.group_instance_id = member_.instance_id;
  std::map<std::string_view, std::vector<const CommittedOffset*>> by_topic;
  for (const CommittedOffset& offset : offsets_) by_topic[offset.topic].push_back(&offset);
  for (const auto& [topic, offsets] : by_topic) {
    auto& named = request.topics.emplace_back();
    named.name = topic;
    for (const CommittedOffset* offset : offsets)
      named.partitions.push_back(
          {offset->partition, offset->offset, offset->leader_epoch, offset->metadata});
  }
  return request;
}

Transaction::Effect Transaction::retry(Time now, bool is_lost) {
  ++attempts_;
  retry_at_ = now + backoff_.after(attempts_, random_);
  // What was being added is added again, unless the transaction is not to go on.
  if (state_ == State::open || state_ == State::committing)
    for (auto& [topic, partitions] : adding_) to_add_[topic].merge(partitions);
  adding_.clear();
  return {.is_coordinator_lost = is_lost, .has_added = false};
}

Transaction::Effect Transaction::overtaken(ErrorCode code, Time now) {
  if (wire::retriable(code)) return retry(now, is_coordinator_lost(code));
  attempts_ = 0;
  adding_.clear();
  has_begun_ |= code == ErrorCode::none;
  doubtful_.reset();
  return {};
}

std::optional<Transaction::Effect> Transaction::common(ErrorCode code, std::string_view about,
                                                       std::string_view broker, Time now) {
  if (code == ErrorCode::none) {
    attempts_ = 0;
    return std::nullopt;
  }
  if (wire::retriable(code)) return retry(now, is_coordinator_lost(code));
  Error error = broker_error(code, about, broker);
  switch (code) {
    case ErrorCode::invalid_producer_epoch:
    case ErrorCode::producer_fenced:
      error.code = Errc::producer_fenced;
      fail_for_good(std::move(error));
      return Effect{};
    case ErrorCode::transaction_abortable:
    case ErrorCode::unknown_producer_id: fail_transaction(std::move(error)); return Effect{};
    case ErrorCode::transactional_id_authorization_failed:
    case ErrorCode::invalid_producer_id_mapping:
    case ErrorCode::invalid_txn_state: fail_for_good(std::move(error)); return Effect{};
    default: return std::nullopt;
  }
}

void Transaction::fail_transaction(Error error) {
  needs_epoch_ = true;
  to_add_.clear();
  adding_.clear();
  bool is_asked = step_ != Step::none;
  step_ = Step::none;
  if (is_asked) result_ = tl::unexpected(error);
  state_ = State::abortable;
  if (!error_) error_ = std::move(error);
}

void Transaction::fail_for_good(Error error) {
  if (step_ != Step::none) result_ = tl::unexpected(error);
  step_ = Step::none;
  state_ = State::fatal;
  error_ = std::move(error);
}

void Transaction::end(Result<void> result) {
  step_ = Step::none;
  result_ = std::move(result);
}

void Transaction::ended() {
  added_.clear();
  to_add_.clear();
  adding_.clear();
  has_begun_ = needs_epoch_ = false;
  doubtful_.reset();
  error_.reset();
  state_ = State::ready;
  end({});
}

Transaction::Effect Transaction::answered(const wire::InitProducerIdResponse& response,
                                          std::string_view broker, Time now) {
  is_under_way_ = false;
  auto code = response.error_code;
  if (code == ErrorCode::none || wire::retriable(code)) {
    if (auto effect = common(code, id_, broker, now)) return *effect;
    producer_ = {ProducerId{response.producer_id}, response.producer_epoch};
    ended();
    return {};
  }
  Error error = broker_error(code, "transactional id " + id_, broker);
  // Of a producer that has none yet, nothing is lost: it may try again.
  if (state_ == State::uninitialized) {
    end(tl::unexpected(std::move(error)));
    return {};
  }
  bool is_fenced = code == ErrorCode::producer_fenced || code == ErrorCode::invalid_producer_epoch;
  if (is_fenced) error.code = Errc::producer_fenced;
  fail_for_good(std::move(error));
  return {};
}

Transaction::Effect Transaction::answered(const wire::AddPartitionsToTxnResponse& response,
                                          std::string_view broker, Time now) {
  is_under_way_ = false;
  std::optional<Error> not_attempted;
  for (const auto& topic : response.results) {
    for (const auto& partition : topic.partitions) {
      auto code = partition.error_code;
      if (state_ == State::aborting) return overtaken(code, now);
      if (code == ErrorCode::none) continue;
      std::string name = fmt::format("{}/{}", topic.name, partition.partition_index);
      if (auto effect = common(code, name, broker, now)) return *effect;
      // For the fault of another one, which comes in its turn.
      if (code == ErrorCode::operation_not_attempted) {
        not_attempted = broker_error(code, name, broker);
        continue;
      }
      doubtful_.reset();
      fail_transaction(broker_error(code, name, broker));
      return {};
    }
  }
  if (not_attempted) {
    fail_transaction(std::move(*not_attempted));
    return {};
  }
  attempts_ = 0;
  has_begun_ = true;
  doubtful_.reset();
  for (auto& [topic, partitions] : adding_) added_[topic].merge(partitions);
  adding_.clear();
  return {.is_coordinator_lost = false, .has_added = true};
}

Transaction::Effect Transaction::answered(const wire::AddOffsetsToTxnResponse& response,
                                          std::string_view broker, Time now) {
  is_under_way_ = false;
  if (state_ == State::aborting) return overtaken(response.error_code, now);
  std::string name = "group " + member_.group;
  if (auto effect = common(response.error_code, name, broker, now)) return *effect;
  if (response.error_code != ErrorCode::none) {
    fail_transaction(broker_error(response.error_code, name, broker));
    return {};
  }
  has_begun_ = true;
  doubtful_.reset();
  if (step_ == Step::add_offsets) step_ = Step::commit_offsets;
  return {};
}

Transaction::Effect Transaction::answered(const wire::TxnOffsetCommitResponse& response,
                                          std::string_view broker, Time now) {
  is_under_way_ = false;
  if (state_ == State::aborting) return {};
  std::optional<Effect> again;
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      auto code = partition.error_code;
      std::string name =
          fmt::format("group {}, {}/{}", member_.group, topic.name, partition.partition_index);
      if (code == ErrorCode::none) continue;
      if (wire::retriable(code)) {
        bool is_lost = is_coordinator_lost(code) || code == ErrorCode::request_timed_out;
        again = Effect{again && again->is_coordinator_lost ? true : is_lost, false};
        continue;
      }
      if (auto effect = common(code, name, broker, now)) return *effect;
      fail_transaction(broker_error(code, name, broker));
      return {};
    }
  }
  // All of them again: the same offsets once more do no harm.
  if (again) return retry(now, again->is_coordinator_lost);
  attempts_ = 0;
  if (step_ == Step::commit_offsets) end({});
  return {};
}

Transaction::Effect Transaction::answered(const wire::EndTxnResponse& response,
                                          std::string_view broker, Time now) {
  is_under_way_ = false;
  std::string name = "transactional id " + id_;
  // It does not know of the transaction, or not any more: then nothing of it counts, and a new
  // epoch shuts out what may be on its way.
  if (state_ == State::aborting && response.error_code == ErrorCode::invalid_txn_state) {
    step_ = Step::raise_epoch;
    return {};
  }
  if (auto effect = common(response.error_code, name, broker, now)) return *effect;
  if (response.error_code != ErrorCode::none) {
    fail_for_good(broker_error(response.error_code, name, broker));
    return {};
  }
  // Up to version 4 there is none in the answer.
  if (response.producer_id >= 0) {
    producer_ = {ProducerId{response.producer_id}, response.producer_epoch};
    needs_epoch_ = false;
  }
  if (needs_epoch_ && state_ == State::aborting)
    step_ = Step::raise_epoch;
  else
    ended();
  return {};
}

Transaction::Effect Transaction::unanswered(Error error, Time now) {
  is_under_way_ = false;
  if (is_transient(error)) return retry(now, true);
  if (state_ == State::uninitialized)
    end(tl::unexpected(std::move(error)));
  else if (state_ == State::open || state_ == State::abortable)
    fail_transaction(std::move(error));
  else
    fail_for_good(std::move(error));
  return {};
}

}  // namespace leat::client
