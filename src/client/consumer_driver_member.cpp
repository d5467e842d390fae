#include "client/consumer_driver.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include "client/wire_error.h"

namespace leat::client {

namespace asio = boost::asio;

namespace {

/// How often topics are looked at for new partitions, and for those that do not exist yet.
constexpr std::chrono::seconds watch_interval{10};

}  // namespace

void ConsumerDriver::make_member() {
  is_late_ = false;
  const ConsumerOptions& consumer = options_.consumer;
  GroupMemberOptions options;
  options.group = consumer.group;
  options.topics = topics_;
  options.assignors = consumer.assignors;
  if (!consumer.group_instance_id.empty()) options.instance_id = consumer.group_instance_id;
  options.session_timeout = consumer.session_timeout;
  options.rebalance_timeout = consumer.max_poll_interval;
  options.heartbeat_interval = consumer.heartbeat_interval;
  options.retry_backoff = cluster_->options().retry_backoff;
  options.retry_backoff_max = cluster_->options().retry_backoff_max;
  member_ = std::make_unique<GroupMember>(std::move(options));
  ++member_number_;
  wake();
}

net::Task<void> ConsumerDriver::run_member([[maybe_unused]] Self self) {
  while (!is_over()) {
    mind_poll_interval();
    while (auto outgoing = member_->next_request(now())) {
      asio::co_spawn(cluster_->executor(), send(self, std::move(*outgoing)), asio::detached);
    }
    auto topics = member_->wants_counts();
    if (topics && !is_counting_) {
      asio::co_spawn(cluster_->executor(), tell_counts(self, std::move(*topics)), asio::detached);
    }
    pull_changes();
    auto latest = now() + std::chrono::seconds(1);
    auto due = std::min(member_->next_due().value_or(latest), latest);
    member_timer_.expires_at(Clock::time_point(due));
    member_timer_.async_wait([self](const auto& error) {
      if (!error) self->member_event_.notify();
    });
    co_await member_event_.wait();
  }
  member_timer_.cancel();
  stop();
}

/// Who does not poll holds up what is fetched and what the group wants of it.
void ConsumerDriver::mind_poll_interval() {
  bool is_late = !is_polling_ && Clock::now() - last_poll_ > options_.consumer.max_poll_interval;
  if (!is_late || is_late_) return;
  is_late_ = true;
  pull_changes();
  TopicPartitions owned = member_->owned();
  member_->leave();
  let_go(owned, true);
  std::erase_if(changes_, [](const Change& change) { return change.kind != Change::Kind::lost; });
  changes_.push_back({Change::Kind::lost, told_, 0});
}

net::Task<Result<Connection::Ptr>> ConsumerDriver::coordinator(std::int32_t broker) {
  if (broker < 0) {
    Result<Connection::Ptr> any = co_await cluster_->any_broker();
    co_return any;
  }
  if (!cluster_->metadata().broker(broker)) {
    std::vector<std::string> none;
    Result<void> refreshed = co_await cluster_->refresh(std::move(none));
    if (!refreshed) co_return fail(refreshed);
  }
  Result<Connection::Ptr> connection = co_await cluster_->broker(broker, Lane::coordinator);
  if (connection) lane_ = *connection;
  co_return connection;
}

template <class Request>
net::Task<void> ConsumerDriver::ask(std::uint64_t ticket, std::int32_t broker,
                                    const Request& request, std::chrono::milliseconds timeout) {
  std::uint64_t asker = member_number_;
  std::optional<Error> error;
  Result<Connection::Ptr> found = co_await coordinator(broker);
  if (!found) {
    error = found.error();
  } else {
    Connection::Ptr connection = *found;
    auto answer = co_await connection->call(request, timeout);
    if (member_number_ != asker) co_return;
    if (answer) {
      heard();
      member_->hears(connection->address().to_string());
      member_->answered(ticket, answer->message, now());
    } else {
      error = answer.error();
    }
  }
  if (error && member_number_ == asker) {
    bool is_passing = is_transient(*error) || error->code == Errc::cancelled;
    if (is_passing) {
      member_->failed(ticket, now());
    } else {
      member_->failed_for_good(ticket, *error);
    }
    bear(*error);
  }
  pull_changes();
  wake();
}

net::Task<void> ConsumerDriver::send([[maybe_unused]] Self self, GroupMember::Outgoing outgoing) {
  auto timeout = cluster_->options().request_timeout;
  auto broker = outgoing.broker;
  auto ticket = outgoing.ticket;
  if (auto* find = std::get_if<wire::FindCoordinatorRequest>(&outgoing.request)) {
    co_await ask(ticket, broker, *find, timeout);
  } else if (auto* join = std::get_if<wire::JoinGroupRequest>(&outgoing.request)) {
    timeout += options_.consumer.max_poll_interval;
    co_await ask(ticket, broker, *join, timeout);
  } else if (auto* sync = std::get_if<wire::SyncGroupRequest>(&outgoing.request)) {
    timeout += options_.consumer.max_poll_interval;
    co_await ask(ticket, broker, *sync, timeout);
  } else if (auto* beat = std::get_if<wire::HeartbeatRequest>(&outgoing.request)) {
    // In time for another one.
    timeout = std::min(timeout, options_.consumer.session_timeout / 2);
    co_await ask(ticket, broker, *beat, timeout);
  } else if (auto* leave = std::get_if<wire::LeaveGroupRequest>(&outgoing.request)) {
    co_await ask(ticket, broker, *leave, timeout);
  }
}

net::Task<void> ConsumerDriver::tell_counts([[maybe_unused]] Self self,
                                            std::vector<std::string> topics) {
  is_counting_ = true;
  Result<void> refreshed = co_await cluster_->refresh(std::move(topics));
  if (refreshed) {
    heard();
    PartitionCounts counts;
    for (const auto& [name, topic] : cluster_->metadata().topics()) {
      auto count = static_cast<std::int32_t>(topic.partitions.size());
      if (count > 0) counts[name] = count;
    }
    member_->take_counts(counts);
  } else {
    bear(refreshed.error());
    co_await cluster_->back_off(1);
  }
  is_counting_ = false;
  wake();
}

net::Task<void> ConsumerDriver::watch(Self self) {
  while (!is_over()) {
    watch_timer_.expires_after(watch_interval);
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await watch_timer_.async_wait(token);
    std::vector<std::string> topics = member_->watched_topics();
    if (topics.empty() || is_counting_ || is_over()) continue;
    co_await tell_counts(self, std::move(topics));
  }
}

void ConsumerDriver::bear(const Error& error) {
  if (!failing_since_) failing_since_ = Clock::now();
  bool in_time = Clock::now() - *failing_since_ < options_.consumer.unreachable_timeout;
  if (in_time || !is_transient(error)) return;
  if (!error_) error_ = error;
  poll_event_.notify();
}

}  // namespace leat::client
