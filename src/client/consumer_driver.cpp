#include "client/consumer_driver.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include "wire/list_offsets.h"

namespace leat::client {

namespace asio = boost::asio;

namespace {

std::optional<std::int64_t> reset_of(OffsetReset reset) {
  if (reset == OffsetReset::none) return std::nullopt;
  return reset == OffsetReset::earliest ? wire::earliest_timestamp : wire::latest_timestamp;
}

std::vector<leat::Partition> list_of(const TopicPartitions& partitions) {
  std::vector<leat::Partition> list;
  for (const auto& [topic, numbers] : partitions) {
    for (std::int32_t number : numbers) list.push_back({topic, number});
  }
  return list;
}

}  // namespace

ConsumerDriver::ConsumerDriver(std::shared_ptr<Cluster> cluster, ConsumerDriverOptions options)
    : cluster_(std::move(cluster)),
      options_(std::move(options)),
      positions_(options_.consumer.group, reset_of(options_.consumer.offset_reset),
                 options_.consumer.auto_commit),
      inbox_(std::make_shared<Inbox>()),
      poll_event_(cluster_->executor()),
      told_event_(cluster_->executor()),
      member_event_(cluster_->executor()),
      offsets_event_(cluster_->executor()),
      poll_timer_(cluster_->executor()),
      member_timer_(cluster_->executor()),
      offsets_timer_(cluster_->executor()),
      watch_timer_(cluster_->executor()) {}

void ConsumerDriver::start() {
  if (std::exchange(is_started_, true)) return;
  std::weak_ptr<ConsumerDriver> weak = weak_from_this();
  FetcherHooks hooks;
  hooks.out_of_range = [weak](const FetchPlan::OutOfRange& lost) {
    auto self = weak.lock();
    return self && self->out_of_range(lost);
  };
  hooks.changed = [weak] {
    if (auto self = weak.lock()) self->poll_event_.notify();
  };
  fetcher_ = std::make_shared<Fetcher>(cluster_, options_.consumer, inbox_, std::move(hooks));
  fetcher_->start();
  asio::co_spawn(cluster_->executor(), run_offsets(shared_from_this()), asio::detached);
}

void ConsumerDriver::wake() {
  poll_event_.notify();
  member_event_.notify();
  offsets_event_.notify();
}

void ConsumerDriver::stop() {
  if (std::exchange(is_stopped_, true)) return;
  if (fetcher_) fetcher_->stop();
  watch_timer_.cancel();
  told_event_.notify();
  wake();
}

void ConsumerDriver::subscribe(std::vector<std::string> topics) {
  if (is_started_ && !member_) return refuse_both();
  topics_ = std::move(topics);
  last_poll_ = Clock::now();
  start();
  if (member_) {
    member_->subscribe(topics_);
    return wake();
  }
  make_member();
  asio::co_spawn(cluster_->executor(), run_member(shared_from_this()), asio::detached);
  asio::co_spawn(cluster_->executor(), watch(shared_from_this()), asio::detached);
}

void ConsumerDriver::assign(std::vector<Assignment> assignments) {
  if (member_) return refuse_both();
  start();
  TopicPartitions before = std::exchange(told_, {});
  let_go(before, false);
  for (const auto& place : list_of(before)) positions_.remove({place.topic, place.number});
  for (Assignment& assignment : assignments) {
    Place place{assignment.topic, assignment.partition};
    if (!positions_.contains(place)) told_[place.topic].push_back(place.partition);
    positions_.add_at(place, assignment.begin);
  }
  wake();
}

void ConsumerDriver::refuse_both() {
  cluster_->close({Errc::invalid_argument, "a consumer either subscribes or is assigned"});
}

// Polling.

net::Task<Result<std::vector<Fetched>>> ConsumerDriver::poll(
    std::size_t bytes, std::optional<std::chrono::milliseconds> timeout, std::stop_token stop) {
  auto self = shared_from_this();
  auto deadline = timeout ? Clock::now() + *timeout : Clock::time_point::max();
  if (timeout) {
    poll_timer_.expires_at(deadline);
    poll_timer_.async_wait([self](const auto& error) {
      if (!error) self->poll_event_.notify();
    });
  }
  // Also where polling is cancelled.
  struct Polling {
    ConsumerDriver& driver;
    explicit Polling(ConsumerDriver& of) : driver(of) { driver.is_polling_ = true; }
    ~Polling() {
      driver.is_polling_ = false;
      driver.last_poll_ = Clock::now();
      driver.poll_timer_.cancel();
    }
  };
  Polling polling(*this);
  last_poll_ = Clock::now();
  if (is_late_) make_member();
  std::stop_callback<std::function<void()>> on_stop(stop, [this] { poll_event_.notify(); });
  while (!stop.stop_requested()) {
    pull_changes();
    settle_changes();
    // Nothing is given of what callbacks have not heard of.
    bool is_settled = !is_telling_ && changes_.empty();
    if (is_settled && !errors_.empty()) {
      Error error = std::move(errors_.front());
      errors_.pop_front();
      co_return tl::unexpected(std::move(error));
    }
    std::vector<Fetched> fetched;
    if (is_settled) fetched = take_fetched(bytes);
    if (!fetched.empty()) co_return fetched;
    if (error_) co_return tl::unexpected(*error_);
    if (cluster_->closed()) co_return tl::unexpected(*cluster_->closed());
    if (is_stopped_) co_return fail(Errc::cancelled, "the consumer is closed");
    if (!is_started_)
      co_return fail(Errc::invalid_txn_state, "the consumer neither subscribed nor was assigned");
    if (Clock::now() >= deadline) co_return fetched;
    co_await poll_event_.wait();
  }
  co_return fail(Errc::cancelled, "cancelled");
}

std::vector<Fetched> ConsumerDriver::take_fetched(std::size_t bytes) {
  std::vector<Fetched> taken;
  std::size_t size = 0;
  if (inbox_->finished && inbox_->error && !error_) error_ = inbox_->error;
  bool was_full = inbox_->bytes >= options_.consumer.prefetch_bytes;
  while (!inbox_->fetched.empty() && size < bytes) {
    taken.push_back(std::move(inbox_->fetched.front()));
    inbox_->fetched.pop_front();
    size += taken.back().batches.size();
  }
  inbox_->bytes -= size;
  if (was_full && inbox_->bytes < options_.consumer.prefetch_bytes) fetcher_->wake();
  for (const Fetched& fetched : taken) {
    positions_.given({std::string(fetched.topic), fetched.partition}, fetched.end,
                     fetched.leader_epoch);
  }
  return taken;
}

// What is ours.

void ConsumerDriver::pull_changes() {
  if (!member_) return;
  for (Change& change : member_->take_changes()) {
    if (change.kind == Change::Kind::assigned) {
      for (const auto& place : list_of(change.partitions)) {
        positions_.add({place.topic, place.number});
      }
    } else {
      let_go(change.partitions, change.kind == Change::Kind::lost);
    }
    changes_.push_back(std::move(change));
    wake();
  }
  if (member_->error() && !error_) error_ = member_->error();
}

/// What was fetched of them is not given out any more.
void ConsumerDriver::let_go(const TopicPartitions& partitions, bool is_lost) {
  if (is_lost) ++losses_;
  if (is_lost) giving_up_ = subtract(giving_up_, partitions);
  for (const auto& place : list_of(partitions)) {
    fetcher_->remove(place.topic, place.number);
    paused_.erase({place.topic, place.number});
    if (is_lost) positions_.remove({place.topic, place.number});
  }
}

/// One after the other: what is given up is given up, and every callback has ended, before the
/// next.
void ConsumerDriver::settle_changes() {
  while (!changes_.empty() && !is_telling_ && !is_giving_up_) {
    Change change = std::move(changes_.front());
    changes_.pop_front();
    if (change.kind == Change::Kind::assigned) {
      tell_assigned(change.partitions);
    } else {
      tell_revoked(change.partitions, change.kind == Change::Kind::lost);
    }
    if (change.kind != Change::Kind::revoked) continue;
    is_giving_up_ = true;
    giving_up_ = std::move(change.partitions);
    asio::co_spawn(cluster_->executor(), give_up(shared_from_this(), change.number),
                   asio::detached);
  }
}

void ConsumerDriver::tell_assigned(const TopicPartitions& partitions) {
  told_ = unite(told_, partitions);
  if (!options_.consumer.on_assigned) return;
  tell([this, list = list_of(partitions)] { options_.consumer.on_assigned(list); });
}

void ConsumerDriver::tell_revoked(const TopicPartitions& partitions, bool is_lost) {
  // What was being given up when it was lost has been told.
  TopicPartitions gone = subtract(partitions, subtract(partitions, told_));
  told_ = subtract(told_, gone);
  std::vector<leat::Partition> list = list_of(gone);
  if (list.empty() || !options_.consumer.on_revoked) return;
  tell([this, list = std::move(list), is_lost] { options_.consumer.on_revoked(list, is_lost); });
}

void ConsumerDriver::tell(std::function<void()> callback) {
  is_telling_ = true;
  options_.call([weak = weak_from_this(), callback = std::move(callback)] {
    auto self = weak.lock();
    if (!self || self->is_silent_) return;
    callback();
    // Behind whatever it began, such as commits, or seeking.
    asio::post(self->cluster_->executor(), [self] {
      self->is_telling_ = false;
      self->told_event_.notify();
      self->poll_event_.notify();
    });
  });
}

net::Task<void> ConsumerDriver::wait_until_told() {
  while (is_telling_ && !is_over()) co_await told_event_.wait();
}

net::Task<void> ConsumerDriver::give_up([[maybe_unused]] Self self, std::uint64_t number) {
  co_await wait_until_told();
  int attempts = 0;
  std::uint64_t asker = member_number_;
  while (!is_over() && !error_ && !giving_up_.empty()) {
    bool is_committed = !options_.consumer.auto_commit || !positions_.is_behind(giving_up_);
    if (is_committed && commits_ == 0) break;
    if (!is_committed) {
      Result<bool> committed = co_await commit_once();
      if (committed && *committed) continue;
    }
    co_await cluster_->back_off(++attempts);
    pull_changes();
  }
  for (const auto& place : list_of(giving_up_)) positions_.remove({place.topic, place.number});
  giving_up_.clear();
  is_giving_up_ = false;
  if (member_number_ == asker) member_->given_up(number);
  wake();
}

// Where it is.

void ConsumerDriver::seek(const Place& place, std::int64_t offset) {
  if (!positions_.contains(place)) return;
  fetcher_->remove(place.topic, place.partition);
  positions_.seek(place, offset);
  wake();
}

void ConsumerDriver::seek_to_time(const Place& place, std::int64_t timestamp) {
  if (!positions_.contains(place)) return;
  fetcher_->remove(place.topic, place.partition);
  positions_.seek_to_time(place, timestamp);
  wake();
}

void ConsumerDriver::pause(const Place& place) {
  if (!positions_.contains(place)) return;
  paused_.insert(place);
  fetcher_->pause(place.topic, place.partition, true);
}

void ConsumerDriver::resume(const Place& place) {
  if (paused_.erase(place) > 0) fetcher_->pause(place.topic, place.partition, false);
}

std::optional<MemberIdentity> ConsumerDriver::identity() const {
  return member_ ? member_->identity() : std::nullopt;
}

// The end.

net::Task<Result<void>> ConsumerDriver::close() {
  auto self = shared_from_this();
  Result<void> committed;
  if (member_ && !error_ && !is_over()) {
    pull_changes();
    tell_revoked(told_, false);
    co_await wait_until_told();
    if (options_.consumer.auto_commit && positions_.is_behind()) {
      Result<void> done = co_await commit();
      committed = std::move(done);
    }
    for (int attempts = 1; commits_ > 0 && !is_over(); ++attempts) {
      co_await cluster_->back_off(attempts);
    }
    // A broker answers a connection's requests in their order: one that waits for a rebalance would
    // hold up the last word.
    auto lane = lane_.lock();
    if (lane && !member_->identity()) lane->close({Errc::cancelled, "the consumer is closed"});
    member_->leave();
    wake();
    auto deadline = Clock::now() + cluster_->options().operation_timeout;
    for (int attempts = 1; !member_->has_left() && !member_->error() && !is_over(); ++attempts) {
      if (Clock::now() >= deadline) break;
      co_await cluster_->back_off(attempts);
    }
  }
  stop();
  co_return committed;
}

}  // namespace leat::client
