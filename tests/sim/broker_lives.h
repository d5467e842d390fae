// What simulations that call a broker directly have in common: a machine, the lives of the
// processes on it, and a story of what happened.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "base/metrics.h"
#include "base/random.h"
#include "base/sim_executor.h"
#include "broker/broker.h"
#include "file/fake_file_system.h"
#include "shards.h"
#include "sim/crash_points.h"

namespace leat::sim {

/// A broker is opened, used, and killed or cut off from its power, several times over, also while
/// it recovers. Those that inherit say how it is used, and what must be true.
class BrokerLives {
 public:
  virtual ~BrokerLives() = default;
  BrokerLives(const BrokerLives&) = delete;
  BrokerLives& operator=(const BrokerLives&) = delete;
  /// To be called once. What went wrong first, with the steps that led to it; empty when nothing
  /// did.
  std::string run();
  /// How often a process died at the point.
  int crashes() const { return crasher_.times(); }

 protected:
  /// A verbose one tells each step on stderr. With a point its processes die there.
  BrokerLives(std::uint64_t seed, bool verbose, const CrashPoint* point, std::uint64_t shards_max);

  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    tell(fmt::format(format, std::forward<Args>(args)...));
  }
  void tell(std::string step);
  void object(const std::string& objection);
  bool alive() const { return objection_.empty() && !files_.stopped(); }
  bool wait_until(const std::function<bool()>& condition);
  /// Unless it is there.
  void make_topic(const std::string& name, std::int32_t partitions,
                  const broker::ConfigMap& configs);

  /// A process has opened the directory.
  virtual void opened() = 0;
  virtual void live() = 0;
  /// It is gone, and with it all that was under way.
  virtual void ended() = 0;
  /// The disk is whole, and the last process has opened the directory.
  virtual void finish() = 0;
  virtual const Clock& clock() const { return executor_; }

  std::uint64_t seed_;
  Random random_;
  SimExecutor executor_;
  testing::SimShards shards_;
  file::FakeFileSystem files_;
  Crasher crasher_;
  Metrics metrics_;
  broker::BrokerOptions options_;
  std::unique_ptr<broker::Broker> broker_;
  std::string objection_;
  std::uint64_t life_ = 0;

 private:
  void open();
  void end_life();

  bool verbose_;
  std::deque<std::string> steps_;
};

}  // namespace leat::sim
