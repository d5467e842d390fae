// One seeded history of partitions that are compacted by key, on the fake file system: writers with
// and without producer ids and transactions, tombstones, and compactions that are killed at any
// moment. What must hold is in compaction_model.h; besides, a batch that a producer sends again is
// known by its sequence, however much of it compaction has taken out.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/metrics.h"
#include "base/random.h"
#include "base/sim_executor.h"
#include "broker/broker.h"
#include "broker/transactions.h"
#include "file/fake_file_system.h"
#include "shards.h"
#include "sim/compaction_model.h"
#include "sim/crash_points.h"

namespace leat::sim {

class CompactionSimulation {
 public:
  /// A verbose one tells each step on stderr. With a point its processes die there.
  CompactionSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point = nullptr);
  ~CompactionSimulation();
  /// What went wrong first, with the steps that led to it; empty when nothing did.
  std::string run();
  /// How often a process died at the point.
  int crashes() const { return crasher_.times(); }

 private:
  enum class Kind { plain, idempotent, transactional };
  struct Sending {
    std::int32_t partition = 0;
    std::int32_t sequence = -1;
    std::vector<std::uint64_t> numbers;  // of its records
    Bytes batch;
  };
  enum class Step { init, begin, send, end };
  struct Writer {
    int number = 0;
    Kind kind = Kind::plain;
    std::optional<broker::ProducerIdentity> identity;
    std::vector<std::int32_t> sequences;
    std::optional<Sending> sending;  // not acknowledged yet
    std::optional<Sending> sent;     // the last one that was
    bool is_waiting = false;
    Step step = Step::init;
    std::uint64_t transaction = 0;
    std::uint64_t begun_in = 0;     // a life
    bool has_acknowledged = false;  // something of its transaction
    bool wants_commit = false;
  };

  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    tell(fmt::format(format, std::forward<Args>(args)...));
  }
  void tell(std::string step);
  void object(const std::string& objection);
  bool alive() const { return objection_.empty() && !files_.stopped(); }

  void open();
  broker::ConfigMap draw_configs();
  void live();
  void end_life();
  bool wait_until(const std::function<bool()>& condition);
  void act(Writer& writer);
  void act_in_transaction(Writer& writer);
  void take_identity(Writer& writer);
  Sending make_batch(const Writer& writer);
  void append(Writer& writer, const Sending& sending,
              std::function<void(const Result<broker::Appended>&)> done);
  void send(Writer& writer);
  void send_again(Writer& writer);
  void init(Writer& writer);
  void begin(Writer& writer);
  void end(Writer& writer);
  void failed(Writer& writer, const Error& error);
  std::shared_ptr<broker::Partition> partition(std::int32_t number);
  bool load(std::int32_t number);
  void check_all();
  std::vector<CompactionModel::Read> read(std::int32_t number, const log::LogView& view);
  void finish();

  std::uint64_t seed_;
  bool verbose_;
  Random random_;
  SimExecutor executor_;
  testing::SimShards shards_;
  file::FakeFileSystem files_;
  Crasher crasher_;
  Metrics metrics_;
  broker::BrokerOptions options_;
  std::unique_ptr<broker::Broker> broker_;
  std::deque<Writer> writers_;
  CompactionModel model_;
  std::deque<std::string> steps_;
  std::string objection_;
  std::uint64_t life_ = 0;
  std::int64_t keys_ = 0;
  bool fills_disks_ = false;
};

}  // namespace leat::sim
