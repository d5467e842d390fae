#include "client/consumer_driver.h"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "client/wire_error.h"
#include "wire/list_offsets.h"

namespace leat::client {

using wire::ErrorCode;

namespace {

std::string text_of(const Positions::Place& place) {
  return fmt::format("{}/{}", place.topic, place.partition);
}

/// Whoever waits for an answer may be cancelled. Then there is none, as if it got lost.
class Unanswered {
 public:
  Unanswered(Positions& positions, void (Positions::*failed)())
      : positions_(positions), failed_(failed) {}
  ~Unanswered() {
    if (failed_ != nullptr) (positions_.*failed_)();
  }
  Unanswered(const Unanswered&) = delete;
  Unanswered& operator=(const Unanswered&) = delete;
  void is_answered() { failed_ = nullptr; }

 private:
  Positions& positions_;
  void (Positions::*failed_)();
};

}  // namespace

/// Finds out where reading begins, and commits from time to time.
net::Task<void> ConsumerDriver::run_offsets(Self self) {
  int attempts = 0;
  commit_due_ = Clock::now() + options_.consumer.auto_commit_interval;
  while (!is_over()) {
    bool is_fetched = co_await fetch_offsets();
    bool is_looked_up = co_await look_up();
    start_fetching();
    bool is_well = is_fetched && is_looked_up;
    bool is_due = member_ && options_.consumer.auto_commit && Clock::now() >= commit_due_;
    if (is_due) {
      commit_due_ = Clock::now() + options_.consumer.auto_commit_interval;
      // What cannot be committed now is committed the next time.
      if (positions_.is_behind()) co_await commit_once();
    }
    if (!is_well) {
      co_await cluster_->back_off(++attempts);
      continue;
    }
    attempts = 0;
    offsets_timer_.expires_at(commit_due_);
    offsets_timer_.async_wait([self](const auto& error) {
      if (!error) self->offsets_event_.notify();
    });
    if (!member_ || !options_.consumer.auto_commit) offsets_timer_.cancel();
    co_await offsets_event_.wait();
  }
  offsets_timer_.cancel();
}

/// False where it is to be tried again.
net::Task<bool> ConsumerDriver::fetch_offsets() {
  auto identity = this->identity();
  if (!identity) co_return true;
  auto request = positions_.fetch_request();
  if (!request) co_return true;
  Unanswered unanswered(positions_, &Positions::fetch_failed);
  std::int32_t broker = member_->coordinator();
  Result<Connection::Ptr> found = co_await coordinator(broker);
  if (!found) co_return false;
  Connection::Ptr connection = *found;
  auto timeout = cluster_->options().request_timeout;
  auto answer = co_await connection->call(*request, timeout);
  if (!answer) {
    member_->coordinator_lost(now());
    wake();
    co_return false;
  }
  unanswered.is_answered();
  heard();
  Positions::Outcome outcome = positions_.take(answer->message);
  if (outcome.about_member) {
    member_->refused(*outcome.about_member, identity->generation, now());
    wake();
  }
  for (const auto& refusal : outcome.refused) refuse(refusal, *connection);
  co_return !outcome.retry;
}

void ConsumerDriver::refuse(const Positions::Refusal& refusal, const Connection& connection) {
  bool is_nowhere = refusal.code == ErrorCode::offset_out_of_range;
  std::optional<std::string> words;
  if (is_nowhere) words = "nothing is committed, and nobody said where to begin";
  std::string broker = connection.address().to_string();
  errors_.push_back(broker_error(refusal.code, text_of(refusal.place), broker, words));
  poll_event_.notify();
}

bool ConsumerDriver::out_of_range(const FetchPlan::OutOfRange& lost) {
  Place place{*lost.topic, lost.partition};
  bool goes_on = lost.cut ? positions_.cut_off(place, lost.cut->offset, lost.cut->leader_epoch)
                          : positions_.out_of_range(place);
  if (!goes_on) errors_.push_back(lost.error);
  wake();
  return true;
}

net::Task<bool> ConsumerDriver::look_up() {
  std::vector<Positions::LookUp> look_ups = positions_.take_look_ups();
  auto leader_of = [this](const Place& place) {
    return cluster_->metadata().leader(place.topic, place.partition);
  };
  std::vector<std::string> topics;
  for (const auto& look_up : look_ups) {
    if (!leader_of(look_up.place)) topics.push_back(look_up.place.topic);
  }
  if (!topics.empty()) {
    Result<void> refreshed = co_await cluster_->refresh(std::move(topics));
    if (!refreshed) bear(refreshed.error());
  }
  bool is_well = true;
  std::map<std::int32_t, std::vector<Positions::LookUp>> by_broker;
  for (const auto& look_up : look_ups) {
    if (auto leader = leader_of(look_up.place)) {
      by_broker[*leader].push_back(look_up);
    } else {
      positions_.look_up_failed(look_up);
      is_well = false;
    }
  }
  for (auto& [broker, of_broker] : by_broker) {
    std::int32_t id = broker;
    bool is_done = co_await look_up_at(id, std::move(of_broker));
    is_well = is_well && is_done;
  }
  co_return is_well;
}

net::Task<bool> ConsumerDriver::look_up_at(std::int32_t broker,
                                           std::vector<Positions::LookUp> look_ups) {
  wire::ListOffsetsRequest request;
  request.isolation_level = options_.consumer.read_committed ? 1 : 0;
  for (const auto& [place, timestamp, ticket] : look_ups) {
    if (request.topics.empty() || request.topics.back().name != place.topic) {
      request.topics.push_back({place.topic, {}});
    }
    std::int32_t epoch = cluster_->metadata().leader_epoch(place.topic, place.partition);
    request.topics.back().partitions.push_back({place.partition, epoch, timestamp});
  }
  std::map<Place, wire::ListOffsetsResponse::Partition> answers;
  Result<Connection::Ptr> found = co_await cluster_->broker(broker, Lane::coordinator);
  if (found) {
    Connection::Ptr connection = *found;
    auto timeout = cluster_->options().request_timeout;
    auto answer = co_await connection->call(request, timeout);
    if (answer) {
      heard();
      for (const auto& topic : answer->message.topics) {
        for (const auto& part : topic.partitions)
          answers[{topic.name, part.partition_index}] = part;
      }
    }
  }
  bool is_well = true;
  for (const Positions::LookUp& look_up : look_ups) {
    const Place& place = look_up.place;
    auto part = answers.find(place);
    bool is_there = part != answers.end();
    ErrorCode code = is_there ? part->second.error_code : ErrorCode::network_exception;
    if (code == ErrorCode::none) {
      positions_.looked_up(look_up, part->second.offset, part->second.leader_epoch);
    } else if (wire::retriable(code) || needs_metadata(code)) {
      positions_.look_up_failed(look_up);
      cluster_->metadata().forget_leader(place.topic, place.partition);
      is_well = false;
    } else {
      refuse({place, code}, **found);
    }
  }
  co_return is_well;
}

void ConsumerDriver::start_fetching() {
  for (const Positions::Start& start : positions_.take_starts()) {
    const Place& place = start.place;
    fetcher_->add({place.topic, place.partition, start.offset, start.leader_epoch});
    if (paused_.contains(place)) fetcher_->pause(place.topic, place.partition, true);
  }
  poll_event_.notify();
}

// Commits.

/// One attempt. False where something is left to be committed.
net::Task<Result<bool>> ConsumerDriver::commit_once() {
  auto identity = this->identity();
  if (!identity) co_return false;
  auto request = positions_.commit_request(*identity);
  if (!request) co_return !positions_.is_behind();
  Unanswered unanswered(positions_, &Positions::commit_failed);
  std::int32_t broker = member_->coordinator();
  Result<Connection::Ptr> found = co_await coordinator(broker);
  if (!found) {
    if (!is_transient(found.error())) co_return fail(found);
    co_return false;
  }
  Connection::Ptr connection = *found;
  auto timeout = cluster_->options().request_timeout;
  auto answer = co_await connection->call(*request, timeout);
  if (!answer) {
    member_->coordinator_lost(now());
    wake();
    if (!is_transient(answer.error())) co_return fail(answer);
    co_return false;
  }
  unanswered.is_answered();
  heard();
  Positions::Outcome outcome = positions_.take(answer->message);
  if (outcome.about_member) {
    member_->refused(*outcome.about_member, identity->generation, now());
    pull_changes();
    wake();
  }
  if (!outcome.refused.empty()) {
    const Positions::Refusal& refusal = outcome.refused.front();
    std::string place = "offset of " + text_of(refusal.place);
    std::string address = connection->address().to_string();
    co_return tl::unexpected(broker_error(refusal.code, place, address));
  }
  co_return !outcome.retry && !positions_.is_behind();
}

Result<void> ConsumerDriver::may_commit() const {
  if (cluster_->closed()) return tl::unexpected(*cluster_->closed());
  if (!member_) return fail(Errc::invalid_txn_state, "only who has subscribed commits");
  return {};
}

net::Task<Result<void>> ConsumerDriver::commit() {
  auto self = shared_from_this();
  Result<void> may = may_commit();
  if (!may) co_return may;
  // Those who give partitions back wait for it.
  struct Running {
    int& count;
    explicit Running(int& of) : count(of) { ++count; }
    ~Running() { --count; }
  };
  Running running(commits_);
  std::uint64_t losses = losses_;
  auto deadline = Clock::now() + cluster_->options().operation_timeout;
  for (int attempts = 1;; ++attempts) {
    if (losses == losses_ && !positions_.is_behind()) co_return Result<void>{};
    Result<void> sense = makes_sense(losses, deadline);
    if (!sense) co_return fail(sense);
    Result<bool> committed = co_await commit_once();
    if (!committed) co_return fail(committed);
    // Nothing is left to be committed as well where what was to be is not ours any more.
    if (*committed && losses == losses_) co_return Result<void>{};
    co_await cluster_->back_off(attempts);
    pull_changes();
  }
}

/// To go on with what was begun when there were as many losses.
Result<void> ConsumerDriver::makes_sense(std::uint64_t losses, Clock::time_point deadline) const {
  if (losses != losses_) return fail(Errc::cancelled, "the group has gone on without this member");
  if (cluster_->closed()) return tl::unexpected(*cluster_->closed());
  if (error_) return tl::unexpected(*error_);
  if (Clock::now() < deadline) return {};
  return fail(Errc::request_timed_out,
              "group " + options_.consumer.group + ": its coordinator did not answer in time");
}

net::Task<Result<MemberIdentity>> ConsumerDriver::generation(std::stop_token stop) {
  auto self = shared_from_this();
  auto is_loss = [](const Change& change) { return change.kind == Change::Kind::lost; };
  pull_changes();
  // Of what was polled, others may have read again what is not told to be lost yet.
  bool has_lost = std::any_of(changes_.begin(), changes_.end(), is_loss);
  std::uint64_t losses = has_lost ? losses_ - 1 : losses_;
  auto deadline = Clock::now() + cluster_->options().operation_timeout;
  for (int attempts = 1; !stop.stop_requested(); ++attempts) {
    if (!member_) break;
    Result<void> sense = makes_sense(losses, deadline);
    if (!sense) co_return fail(sense);
    if (auto identity = this->identity()) co_return *identity;
    co_await cluster_->back_off(attempts);
    pull_changes();
  }
  co_return fail(Errc::invalid_txn_state, "the consumer is a member of no group");
}

net::Task<Result<void>> ConsumerDriver::commit(std::vector<CommittedOffset> offsets) {
  Result<void> may = may_commit();
  if (!may) co_return may;
  auto place_of = [](const CommittedOffset& offset) {
    return Place{offset.partition.topic, offset.partition.number};
  };
  for (const CommittedOffset& offset : offsets) {
    Place place = place_of(offset);
    if (positions_.contains(place)) continue;
    co_return fail(Errc::invalid_argument, text_of(place) + " is not assigned to this consumer");
  }
  for (CommittedOffset& offset : offsets)
    positions_.commit_at(place_of(offset), offset.offset, std::move(offset.metadata));
  Result<void> committed = co_await commit();
  co_return committed;
}

}  // namespace leat::client
