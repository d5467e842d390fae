// Fetches ahead of a consumer, from all brokers at once.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "client/cluster.h"
#include "client/fetch_plan.h"
#include "net/task.h"

namespace leat::client {

/// What was fetched and not yet taken; filled on one thread, emptied on another.
struct Inbox {
  std::mutex mutex;
  // Guarded by mutex:
  std::condition_variable changed;
  std::deque<Fetched> fetched;
  std::size_t bytes = 0;
  /// Nothing more will come.
  bool finished = false;
  std::optional<Error> error;
};

/// Lives on the cluster's executor, where all members are called.
class Fetcher : public std::enable_shared_from_this<Fetcher> {
 public:
  /// What is put into the inbox refers to this object, which must outlive it.
  Fetcher(std::shared_ptr<Cluster> cluster, FetchPlan plan, const ConsumerOptions& options,
          std::shared_ptr<Inbox> inbox);

  /// Runs until all is fetched, an error ends it, or stop() is called.
  void start();
  void stop();
  /// The inbox has been emptied somewhat.
  void wake();

 private:
  using Clock = std::chrono::steady_clock;

  net::Task<void> run(std::shared_ptr<Fetcher> self);
  net::Task<void> fetch_from(std::shared_ptr<Fetcher> self, std::int32_t broker);
  net::Task<bool> fetch_once(std::int32_t broker);
  net::Task<void> wait_for_room();
  FetchPlan::LeaderOf leader_of() const;
  bool is_over() const { return stopped_ || cluster_->closed().has_value(); }
  /// False, and over, when brokers have been out of reach for too long.
  bool bear(const Error& error);
  void take(FetchPlan::Outcome outcome);
  void end(std::optional<Error> error);

  std::shared_ptr<Cluster> cluster_;
  FetchPlan plan_;
  ConsumerOptions options_;
  std::shared_ptr<Inbox> inbox_;
  boost::asio::steady_timer wake_timer_;
  boost::asio::steady_timer room_timer_;
  std::set<std::int32_t> fetching_from_;
  bool wake_asked_ = false;
  bool stopped_ = false;
  int failures_ = 0;
  Clock::time_point last_answer_;
};

}  // namespace leat::client
