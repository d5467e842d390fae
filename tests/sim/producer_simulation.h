// One seeded history of producers that number their batches, and of transactions, on the fake file
// system: they send, send again what they do not know the fate of, commit and abort, while the
// server is killed and its disk fails.
//
// What must be true, whatever happens:
//
//  - A batch of an idempotent producer is there once if it was acknowledged, and never twice; those
//    of one producer stand in the order in which it sent them.
//  - A transaction that was told to be committed is read in all of its partitions, once; one that
//    was aborted in none; one of which nobody knows in all or in none.
//  - The offsets that a transaction has committed for a group count exactly if its records do.
//  - The last stable offset is never above the high watermark.
//  - No producer is refused for what the server forgot.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
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
#include "sim/crash_points.h"

namespace leat::sim {

class ProducerSimulation {
 public:
  /// A verbose one tells each step on stderr. With a point its processes die there.
  ProducerSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point = nullptr);
  ~ProducerSimulation();
  /// What went wrong first, with the steps that led to it; empty when nothing did.
  std::string run();
  /// How often a process died at the point.
  int crashes() const { return crasher_.times(); }

 private:
  enum class Fate { pending, acknowledged, committed, aborted, unknown };
  struct Value {
    Fate fate = Fate::pending;
    std::vector<std::int32_t> partitions;
    std::int64_t offset = 0;  // that its transaction commits for a group; 0: none
    std::string group;
  };
  /// What it sends: a batch of one or more records, each with the value's name.
  struct Sending {
    std::string value;
    std::int32_t partition = 0;
    std::int32_t sequence = 0;
    std::int32_t records = 1;
    bool is_in_flight = false;
    bool was_known = false;  // the producer, in the partition, when it was first sent
  };
  enum class Step { init, begin, send, offsets, end };
  struct Producer {
    int number = 0;
    bool is_transactional = false;
    bool is_of_second = false;  // the protocol of its transactions, from one to the next
    std::string id;
    std::optional<broker::ProducerIdentity> identity;
    std::map<std::int32_t, std::int32_t> sequences;
    std::set<std::int32_t> known_in;  // partitions that have acknowledged a batch of it
    std::deque<Sending> window;       // of an idempotent one, or of the transaction
    bool is_resending = false;        // once all of the window are back
    Step step = Step::init;
    bool is_waiting = false;
    bool wants_commit = false;
    std::string value;
    std::int32_t sent = 0;
    std::uint64_t begun_in = 0;  // which life
    std::int64_t begun_ms = 0;
  };

  void tell(std::string step);
  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    tell(fmt::format(format, std::forward<Args>(args)...));
  }
  void object(const std::string& objection);
  bool alive() const { return objection_.empty() && !files_.stopped(); }

  void open();
  void live();
  void end_life();
  void break_disk();
  void mend_disk();
  void act(Producer& producer);
  void act_idempotent(Producer& producer);
  void send(Producer& producer, Sending& sending);
  void sent(Producer& producer, const std::string& value, const Result<broker::Appended>& result);
  void init(Producer& producer);
  void begin(Producer& producer);
  void send_next(Producer& producer);
  void end(Producer& producer);
  void ended(Producer& producer, const Error* error);
  // In producer_offsets.cpp:
  Result<void> add_group_partition(broker::TransactionPartitions& added);
  void commit_offset(Producer& producer);
  void join_groups(Producer& producer, const std::shared_ptr<broker::Partition>& groups);
  void commit_offset(Producer& producer, const std::shared_ptr<broker::Partition>& groups);
  void check_offsets(const std::map<std::string, int>& seen);
  void failed(Producer& producer, const Error& error);
  /// As a client does that cannot tell what is where: it goes on under another producer id.
  void give_up(Producer& producer);
  static bool is_retriable(Errc code);
  void append(const Producer& producer, const Sending& sending,
              std::function<void(Result<broker::Appended>)> done);
  std::shared_ptr<broker::Partition> partition(std::int32_t number);
  bool wait_until(const std::function<bool()>& condition);
  void verify();
  void check_stable();
  std::vector<std::string> read(std::int32_t number, bool is_committed);
  void check_value(const std::string& name, const Value& value,
                   const std::vector<std::map<std::string, int>>& seen);

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
  std::deque<Producer> producers_;
  std::map<std::string, Value> values_;
  std::vector<std::vector<std::string>> order_;  // of idempotent values, by producer
  std::deque<std::string> steps_;
  std::string objection_;
  std::uint64_t life_ = 0;
  std::uint64_t last_value_ = 0;
  bool with_failing_syncs_ = false;
  bool with_second_ = false;  // some producers speak the second protocol of transactions
};

}  // namespace leat::sim
