// Reads topics as a member of a group, or partitions by hand: sends what the machines ask for
// (group_member, positions, fetch_plan) and tells them what is answered.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "client/cluster.h"
#include "client/error.h"
#include "client/fetcher.h"
#include "client/group_member.h"
#include "client/positions.h"
#include "leat/cluster.h"
#include "leat/options.h"
#include "net/event.h"
#include "net/task.h"

namespace leat::client {

struct ConsumerDriverOptions {
  ConsumerOptions consumer;
  /// Carries out what calls the callbacks of `consumer`, here and now, or soon and anywhere.
  std::function<void(std::function<void()>)> call = [](const auto& work) { work(); };
};

/// Lives on the cluster's executor, where all members are called. Holds itself while a coroutine of
/// its own runs: stop() ends these. At most about `prefetch_bytes` are held that were fetched and
/// not polled.
class ConsumerDriver : public std::enable_shared_from_this<ConsumerDriver> {
 public:
  using Place = Positions::Place;

  ConsumerDriver(std::shared_ptr<Cluster> cluster, ConsumerDriverOptions options);

  /// Joins the group, if that was not done. REQUIRES: a group. With both this and assign() the
  /// cluster is closed.
  void subscribe(std::vector<std::string> topics);
  /// Reads these and no others.
  void assign(std::vector<Assignment> assignments);

  /// Waits until something was fetched, and gives about `bytes` of it, in whole answers of
  /// partitions; nothing when none came within `timeout`.
  /// Errc::cancelled as soon as `stop` is requested, on the executor. Callbacks are called from
  /// here, and giving partitions back begins: it is to be called again before max_poll_interval is
  /// over. An error about one partition is told once; what ends all reading each time. One call at
  /// a time, and not before subscribe() or assign().
  net::Task<Result<std::vector<Fetched>>> poll(std::size_t bytes,
                                               std::optional<std::chrono::milliseconds> timeout,
                                               std::stop_token stop = {});
  /// All that was polled is done.
  void all_done() { positions_.all_done(); }
  /// Commits what is done, now. Errc::cancelled if partitions of it were lost before,
  /// Errc::invalid_txn_state without subscribe().
  net::Task<Result<void>> commit();
  /// Commits that. Errc::invalid_argument where one of the partitions is not ours.
  net::Task<Result<void>> commit(std::vector<CommittedOffset> offsets);
  /// Gives all back, leaves, and stops.
  net::Task<Result<void>> close();
  void stop();
  /// No callback is called any more. Thread-safe.
  void silence() { is_silent_ = true; }

  void seek(const Place& place, std::int64_t offset);
  void seek_to_time(const Place& place, std::int64_t timestamp);
  void pause(const Place& place);
  void resume(const Place& place);
  std::optional<std::int64_t> position(const Place& place) const {
    return positions_.position(place);
  }
  /// What was told to on_assigned, and not taken back.
  const TopicPartitions& assignment() const { return told_; }
  std::optional<MemberIdentity> identity() const;
  /// For offsets of what was polled that are committed in a transaction. Waits for the end of a
  /// rebalance, in which what was polled stays ours; Errc::cancelled if it does not.
  net::Task<Result<MemberIdentity>> generation(std::stop_token stop);

 private:
  using Clock = std::chrono::steady_clock;
  using Self = std::shared_ptr<ConsumerDriver>;
  using Change = GroupMember::Change;

  static GroupMember::Time now() { return Clock::now().time_since_epoch(); }
  bool is_over() const { return is_stopped_ || cluster_->closed().has_value(); }
  void start();
  void wake();
  void refuse_both();

  // The member:
  void make_member();
  net::Task<void> run_member(Self self);
  net::Task<void> send(Self self, GroupMember::Outgoing outgoing);
  template <class Request>
  net::Task<void> ask(std::uint64_t ticket, std::int32_t broker, const Request& request,
                      std::chrono::milliseconds timeout);
  net::Task<Result<Connection::Ptr>> coordinator(std::int32_t broker);
  net::Task<void> tell_counts(Self self, std::vector<std::string> topics);
  net::Task<void> watch(Self self);
  void mind_poll_interval();
  void bear(const Error& error);
  void heard() { failing_since_.reset(); }

  // Its partitions:
  void pull_changes();
  void take(const TopicPartitions& partitions);
  void let_go(const TopicPartitions& partitions, bool is_lost);
  void settle_changes();
  net::Task<void> give_up(Self self, std::uint64_t number);
  void tell_assigned(const TopicPartitions& partitions);
  void tell_revoked(const TopicPartitions& partitions, bool is_lost);
  void tell(std::function<void()> callback);
  net::Task<void> wait_until_told();

  // Its offsets:
  net::Task<void> run_offsets(Self self);
  net::Task<bool> fetch_offsets();
  net::Task<bool> look_up();
  net::Task<bool> look_up_at(std::int32_t broker, std::vector<Positions::LookUp> look_ups);
  void start_fetching();
  bool out_of_range(const FetchPlan::OutOfRange& lost);
  net::Task<Result<bool>> commit_once();
  Result<void> may_commit() const;
  Result<void> makes_sense(std::uint64_t losses, Clock::time_point deadline) const;
  void refuse(const Positions::Refusal& refusal, const Connection& connection);
  std::vector<Fetched> take_fetched(std::size_t bytes);

  std::shared_ptr<Cluster> cluster_;
  ConsumerDriverOptions options_;
  std::vector<std::string> topics_;
  std::unique_ptr<GroupMember> member_;
  std::uint64_t member_number_ = 0;
  Positions positions_;
  std::shared_ptr<Inbox> inbox_;
  std::shared_ptr<Fetcher> fetcher_;
  std::set<Place> paused_;
  TopicPartitions told_;
  std::deque<Change> changes_;  // that callbacks have not been told of
  TopicPartitions giving_up_;   // and not lost meanwhile
  bool is_giving_up_ = false;
  bool is_telling_ = false;  // a callback is under way
  std::atomic<bool> is_silent_ = false;
  std::deque<Error> errors_;
  std::optional<Error> error_;  // for good
  std::weak_ptr<Connection> lane_;

  bool is_started_ = false;
  bool is_stopped_ = false;
  bool is_counting_ = false;
  bool is_polling_ = false;
  bool is_late_ = false;  // it left since nobody polled
  int commits_ = 0;       // under way that were asked for
  std::uint64_t losses_ = 0;
  Clock::time_point last_poll_ = Clock::now();
  std::optional<Clock::time_point> failing_since_;  // without any answer
  Clock::time_point commit_due_ = Clock::now();

  net::Event poll_event_;
  net::Event told_event_;
  net::Event member_event_;
  net::Event offsets_event_;
  boost::asio::steady_timer poll_timer_;
  boost::asio::steady_timer member_timer_;
  boost::asio::steady_timer offsets_timer_;
  boost::asio::steady_timer watch_timer_;
};

}  // namespace leat::client
