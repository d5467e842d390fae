#include "client/fetcher.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include <fmt/core.h>

#include "client/wire_error.h"

namespace leat::client {

namespace asio = boost::asio;

namespace {

/// Waits until `timer`, whose time never comes, is cancelled. Several may wait.
net::Task<void> wait(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  co_await timer.async_wait(token);
}

}  // namespace

Fetcher::Fetcher(std::shared_ptr<Cluster> cluster, const ConsumerOptions& options,
                 std::shared_ptr<Inbox> inbox, FetcherHooks hooks)
    : cluster_(std::move(cluster)),
      plan_(options),
      options_(options),
      inbox_(std::move(inbox)),
      hooks_(std::move(hooks)),
      wake_timer_(cluster_->executor(), asio::steady_timer::time_point::max()),
      room_timer_(cluster_->executor(), asio::steady_timer::time_point::max()),
      last_answer_(Clock::now()) {
  if (!cluster_->closed())
    cluster_->memory().set_bound(options_.prefetch_bytes + options_.fetch_bytes);
}

void Fetcher::start() {
  asio::co_spawn(cluster_->executor(), run(shared_from_this()), asio::detached);
}

void Fetcher::stop() {
  stopped_ = true;
  wake();
}

void Fetcher::wake() {
  wake_asked_ = true;
  wake_timer_.cancel();
  room_timer_.cancel();
}

FetchPlan::LeaderOf Fetcher::leader_of() const {
  return [this](std::string_view topic, std::int32_t partition) {
    std::optional<FetchPlan::Leader> leader;
    if (auto broker = cluster_->metadata().leader(topic, partition))
      leader = {*broker, cluster_->metadata().leader_epoch(topic, partition)};
    return leader;
  };
}

/// Keeps one fetch_from() running for every broker that leads something.
net::Task<void> Fetcher::run(std::shared_ptr<Fetcher> self) {
  while (!is_over()) {
    wake_asked_ = false;
    auto brokers = plan_.brokers(leader_of());
    for (std::int32_t broker : brokers)
      if (fetching_from_.insert(broker).second)
        asio::co_spawn(cluster_->executor(), fetch_from(self, broker), asio::detached);
    if (plan_.needs_leader(leader_of())) {
      auto topics = plan_.topics();
      Result<void> refreshed = co_await cluster_->refresh(std::move(topics));
      if (!refreshed && !bear(refreshed.error())) break;
      if (!plan_.needs_leader(leader_of())) continue;
      if (!bear(leaderless())) break;
      co_await cluster_->back_off(++failures_);
      continue;
    }
    if (wake_asked_) continue;
    co_await wait(wake_timer_);
  }
  if (cluster_->closed()) end(cluster_->closed());
}

Error Fetcher::leaderless() const {
  std::string name = plan_.topics().front();
  const TopicMetadata* topic = cluster_->metadata().topic(name);
  bool is_there = !topic || topic->error == wire::ErrorCode::none;
  std::string_view why = is_there ? "a partition has no leader" : wire::name(topic->error);
  return {Errc::request_timed_out, fmt::format("topic {}: {}", name, why)};
}

net::Task<void> Fetcher::fetch_from([[maybe_unused]] std::shared_ptr<Fetcher> self,
                                    std::int32_t broker) {
  while (!is_over()) {
    auto brokers = plan_.brokers(leader_of());
    if (!brokers.contains(broker)) break;
    co_await wait_for_room();
    if (is_over()) break;
    bool answered = co_await fetch_once(broker);
    if (!answered) co_await cluster_->back_off(++failures_);
  }
  fetching_from_.erase(broker);
  wake();
}

template <class Request>
void Fetcher::lose_leader(const Request& request, const Error& error) {
  for (const auto& topic : request.topics)
    for (const auto& partition : topic.partitions)
      cluster_->metadata().forget_leader(topic.topic, partition.partition);
  bear(error);
  wake();
}

net::Task<bool> Fetcher::fetch_once(std::int32_t broker) {
  Result<Connection::Ptr> opened = co_await cluster_->broker(broker);
  if (!opened) {
    bool is_needed = lose_leader_of(broker, opened.error());
    co_return !is_needed;
  }
  Connection::Ptr connection = *opened;
  bool is_checked = co_await check_positions(broker, connection);
  if (!is_checked || is_over()) co_return is_checked;
  FetchPlan::Asked asked = plan_.ask(broker, leader_of());
  const wire::FetchRequest& request = asked.request;
  if (request.topics.empty()) co_return true;
  auto timeout = cluster_->options().request_timeout + options_.fetch_wait;
  auto answer = co_await connection->call(request, timeout);
  if (!answer) {
    lose_leader(request, answer.error());
    co_return false;
  }
  bool is_well = take(plan_.take_answer(asked.ticket, answer->message, answer->frame.memory,
                                        connection->address().to_string()));
  co_return is_well;
}

/// False where nothing is to be had from it any more.
bool Fetcher::lose_leader_of(std::int32_t broker, const Error& error) {
  auto check = plan_.check(broker, leader_of());
  FetchPlan::Asked asked = plan_.ask(broker, leader_of());
  if (check) lose_leader(check->request, error);
  bool is_asked = !asked.request.topics.empty();
  if (is_asked) lose_leader(asked.request, error);
  return is_asked || check.has_value();
}

/// Whether what was read is in the log of who leads now.
net::Task<bool> Fetcher::check_positions(std::int32_t broker, Connection::Ptr connection) {
  auto check = plan_.check(broker, leader_of());
  if (!check) co_return true;
  const wire::OffsetForLeaderEpochRequest& request = check->request;
  auto timeout = cluster_->options().request_timeout;
  auto answer = co_await connection->call(request, timeout);
  if (!answer && answer.error().code == Errc::unsupported_version) {
    plan_.cannot_check(check->ticket);
    co_return true;
  }
  if (!answer) {
    lose_leader(request, answer.error());
    co_return false;
  }
  bool is_well =
      take(plan_.take_answer(check->ticket, answer->message, connection->address().to_string()));
  co_return is_well;
}

net::Task<void> Fetcher::wait_for_room() {
  while (!is_over() && inbox_->bytes >= options_.prefetch_bytes) co_await wait(room_timer_);
}

bool Fetcher::bear(const Error& error) {
  bool in_time = Clock::now() - last_answer_ < options_.unreachable_timeout;
  if (is_transient(error) && in_time) return true;
  end(error);
  return false;
}

/// False where it is to be asked again, later.
bool Fetcher::take(FetchPlan::Outcome outcome) {
  for (const auto& [topic, partition] : outcome.moved)
    cluster_->metadata().forget_leader(topic, partition);
  bool is_well = !outcome.retry_later && outcome.moved.empty();
  if (is_well) {
    failures_ = 0;
    last_answer_ = Clock::now();
  }
  for (Fetched& fetched : outcome.fetched) {
    inbox_->bytes += fetched.batches.size();
    inbox_->fetched.push_back(std::move(fetched));
  }
  if (hooks_.ends_at)
    for (const FetchPlan::End& end : outcome.ends) hooks_.ends_at(end);
  for (FetchPlan::OutOfRange& lost : outcome.out_of_range) {
    bool is_cared_for = hooks_.out_of_range(lost);
    if (!is_cared_for && !outcome.error) outcome.error = std::move(lost.error);
  }
  hooks_.changed();
  if (outcome.error) end(std::move(outcome.error));
  return is_well;
}

void Fetcher::end(std::optional<Error> error) {
  if (inbox_->finished) return;
  inbox_->finished = true;
  inbox_->error = std::move(error);
  stop();
  hooks_.changed();
}

void Fetcher::add(Assignment assignment) {
  purge(assignment.topic, assignment.partition);
  // Who had nothing to ask for has not gone unanswered.
  if (fetching_from_.empty()) last_answer_ = Clock::now();
  plan_.add(std::move(assignment));
  wake();
}

void Fetcher::remove(std::string_view topic, std::int32_t partition) {
  purge(topic, partition);
  plan_.remove(topic, partition);
  wake();
}

void Fetcher::pause(std::string_view topic, std::int32_t partition, bool is_paused) {
  std::optional<std::int64_t> begin = purge(topic, partition);
  if (begin) plan_.seek(topic, partition, *begin);
  if (fetching_from_.empty()) last_answer_ = Clock::now();
  plan_.pause(topic, partition, is_paused);
  wake();
}

std::optional<std::int64_t> Fetcher::purge(std::string_view topic, std::int32_t partition) {
  std::optional<std::int64_t> begin;
  std::erase_if(inbox_->fetched, [&](const Fetched& fetched) {
    bool is_purged = fetched.partition == partition && fetched.topic == topic;
    if (!is_purged) return false;
    if (!begin) begin = fetched.begin;
    inbox_->bytes -= fetched.batches.size();
    return true;
  });
  return begin;
}

}  // namespace leat::client
