// One seeded history of an idempotent producer, as it is but for sockets and clock, and of three
// brokers whose leaders change while requests, answers and connections get lost.
//
// What must be true, whatever happens:
//
//  - A record that was acknowledged is there once, at the offset that was told.
//  - One that was reported failed is not there, unless it was said that it may be: then it is there
//    once at most.
//  - Those of a partition are in the order in which they were appended.
//  - Everything is acknowledged or reported in the end.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/random.h"
#include "base/sim_executor.h"
#include "client/metadata.h"
#include "client/produce_queue.h"
#include "client/producer_identity.h"
#include "sim/cluster_model.h"

namespace leat::sim {

class ClientProducerSimulation {
 public:
  /// A verbose one tells each step on stderr.
  ClientProducerSimulation(std::uint64_t seed, bool verbose);
  /// What went wrong first, with the steps that led to it; empty when nothing did.
  std::string run();

 private:
  using Time = std::chrono::nanoseconds;
  using Request = client::ProduceQueue::Request;
  enum class Fate { pending, acknowledged, failed, unknown };
  struct Value {
    Fate fate = Fate::pending;
    std::int64_t offset = -1;
  };
  /// A connection to a broker. What was sent arrives in order, also some of what was sent before it
  /// broke, and that perhaps much later.
  struct Link {
    int broker = 0;
    bool is_open = true;
    Time last_arrival{0};
    Time last_answer{0};
    std::uint64_t still_arriving = 0;
    Time delay_when_broken{0};
    /// Called when the connection breaks.
    std::map<std::uint64_t, std::function<void()>> lost;
    std::uint64_t last_call = 0;
  };
  struct Plan {
    std::uint64_t breaks = 0;
    std::uint64_t leader_changes = 0;
    std::uint64_t stops = 0;
    bool forgets = false;
    int partitions = 1;
    int steps = 0;
  };

  void tell(const std::string& step);
  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    tell(fmt::format(format, std::forward<Args>(args)...));
  }
  void object(const std::string& objection);

  Time now() const { return executor_.monotonic(); }
  void act();
  void append();
  void look();
  void look_soon();
  void send(std::shared_ptr<Request> request);
  void ask_producer();
  void ask_leaders();
  std::shared_ptr<Link> link_to(int broker);
  void break_link(Link& link);
  /// Has `ask(answered)` carried out where the link leads to, and one of the two others called.
  template <class Answer>
  void call(const std::shared_ptr<Link>& link,
            std::function<void(std::function<void(Answer)> answered)> ask,
            std::function<void(Answer)> use, std::function<void()> lost);
  void arrive(const std::shared_ptr<Link>& link, std::function<void()> work);
  void answered(Request& request, const wire::ProduceResponse& response);
  void unanswered(Request& request, bool was_sent);
  void report(const client::Delivery& delivery);
  void verify();
  void verify_partition(int partition);

  std::uint64_t seed_;
  bool verbose_;
  Random random_;
  SimExecutor executor_;
  Plan plan_;
  ClusterModel cluster_;
  client::ProduceQueue queue_;
  client::ProducerIdentity identity_;
  client::Metadata metadata_;
  bool is_asking_leaders_ = false;
  bool is_looking_soon_ = false;
  bool has_timer_ = false;
  Executor::TimerId timer_ = 0;
  std::map<int, std::shared_ptr<Link>> links_;
  /// By partition, as appended.
  std::vector<std::vector<Value>> values_;
  std::deque<std::string> steps_;
  std::string objection_;
};

}  // namespace leat::sim
