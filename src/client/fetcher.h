// Fetches ahead of a consumer, from all brokers at once.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "client/cluster.h"
#include "client/fetch_plan.h"
#include "net/task.h"

namespace leat::client {

/// What was fetched and not yet taken. Filled and emptied on the fetcher's executor.
struct Inbox {
  std::deque<Fetched> fetched;
  std::size_t bytes = 0;
  /// Nothing more will come.
  bool finished = false;
  std::optional<Error> error;
};

/// Called on the fetcher's executor.
struct FetcherHooks {
  /// Whether the partition will be set elsewhere. If not, it is an error that ends all reading.
  std::function<bool(const FetchPlan::OutOfRange&)> out_of_range;
  /// Something is in the inbox, or nothing more will be.
  std::function<void()> changed;
  /// What a broker said of a partition's end, before what came with it is told. May be null.
  std::function<void(const FetchPlan::End&)> ends_at = {};
};

/// Lives on the cluster's executor, where all members are called.
class Fetcher : public std::enable_shared_from_this<Fetcher> {
 public:
  /// Begins with nothing to fetch.
  Fetcher(std::shared_ptr<Cluster> cluster, const ConsumerOptions& options,
          std::shared_ptr<Inbox> inbox, FetcherHooks hooks);

  /// Runs until an error ends it, or stop() is called.
  void start();
  void stop();
  /// The inbox has been emptied somewhat.
  void wake();
  void set_wait(std::chrono::milliseconds wait) { plan_.set_wait(wait); }

  // Nothing of a partition is put into the inbox, or left there, that was fetched before one of
  // these was called:

  /// In place of what there was of that partition.
  void add(Assignment assignment);
  void remove(std::string_view topic, std::int32_t partition);
  /// What was fetched is fetched again.
  void pause(std::string_view topic, std::int32_t partition, bool is_paused);

 private:
  using Clock = std::chrono::steady_clock;

  net::Task<void> run(std::shared_ptr<Fetcher> self);
  net::Task<void> fetch_from(std::shared_ptr<Fetcher> self, std::int32_t broker);
  net::Task<bool> fetch_once(std::int32_t broker);
  net::Task<bool> check_positions(std::int32_t broker, Connection::Ptr connection);
  template <class Request>
  void lose_leader(const Request& request, const Error& error);
  bool lose_leader_of(std::int32_t broker, const Error& error);
  net::Task<void> wait_for_room();
  FetchPlan::LeaderOf leader_of() const;
  /// Why there is nobody to ask.
  Error leaderless() const;
  bool is_over() const { return stopped_ || cluster_->closed().has_value(); }
  /// False, and over, when brokers have been out of reach for too long.
  bool bear(const Error& error);
  bool take(FetchPlan::Outcome outcome);
  void end(std::optional<Error> error);
  /// Where the partition's records began that were still in the inbox.
  std::optional<std::int64_t> purge(std::string_view topic, std::int32_t partition);

  std::shared_ptr<Cluster> cluster_;
  FetchPlan plan_;
  ConsumerOptions options_;
  std::shared_ptr<Inbox> inbox_;
  FetcherHooks hooks_;
  boost::asio::steady_timer wake_timer_;
  boost::asio::steady_timer room_timer_;
  std::set<std::int32_t> fetching_from_;
  bool wake_asked_ = false;
  bool stopped_ = false;
  int failures_ = 0;
  Clock::time_point last_answer_;
};

}  // namespace leat::client
