// One seeded history of pipelines that commit epochs, on the fake file system: owners write epochs
// to partitions of several topics, beside other producers, while the server is killed, its disk
// fails, and topics and owners go.
//
// What must be true, whatever happens:
//
//  - An epoch is read in all of its partitions and in its owner's topic, or in none of them. A
//  topic
//    that was deleted does not count.
//  - An epoch whose writer was told that it is committed is there, and was when the writer was
//  told.
//  - Epochs are there in the order in which they were written, each once.
//  - What a reader of committed records has read is there for ever, in the same place.
//  - The last stable offset passes everything, soon after the last commit.
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

#include "base/metrics.h"
#include "base/random.h"
#include "base/sim_executor.h"
#include "broker/broker.h"
#include "broker/epochs.h"
#include "file/fake_file_system.h"
#include "shards.h"
#include "sim/crash_points.h"

namespace leat::sim {

class EpochSimulation {
 public:
  /// A verbose one tells each step on stderr. With a point its processes die there.
  EpochSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point = nullptr);
  ~EpochSimulation();
  /// What went wrong first, with the steps that led to it; empty when nothing did.
  std::string run();
  /// How often a process died at the point.
  int crashes() const { return crasher_.times(); }

 private:
  using Values = std::vector<std::string>;
  using Output = std::map<TopicPartition, Values>;
  /// A pipeline, as far as it commits. A record is "owner number attempt", and what an epoch writes
  /// begins with its record.
  struct Owner {
    std::string name;
    std::shared_ptr<broker::EpochWriter> writer;
    bool is_waiting = false;
    std::uint64_t being_removed_in = 0;  // which life; 0: it is not
    std::uint64_t next = 0;
    std::map<std::string, Output> tried;  // by record
    Values records;                       // that are certain
    /// What owners of this name have written that were removed since.
    Output before;
  };

  void tell(std::string step);
  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    tell(fmt::format(format, std::forward<Args>(args)...));
  }
  void object(const std::string& objection);
  bool alive() const { return objection_.empty() && !files_.stopped(); }

  void open();
  void make_topics();
  void live();
  void act();
  void end_life();
  void break_disk();
  void mend_disk();
  void act(Owner& owner);
  void open(Owner& owner);
  void opened(Owner& owner, const Result<std::shared_ptr<broker::EpochWriter>>& writer);
  void find_records(Owner& owner);
  void remove(Owner& owner);
  void removed(Owner& owner);
  void commit(Owner& owner);
  void committed(Owner& owner, const std::string& record, const Result<void>& result);
  std::vector<broker::EpochWriter::Output> draw_output(const std::string& record, Output& output);
  void check_seen(const std::string& record, const Output& output);
  bool has_other_open(const broker::Partition& partition, const std::string& record) const;
  void produce();
  void replace_topic();
  void read_something();
  void rest();

  std::vector<std::shared_ptr<broker::Partition>> partitions(bool with_epochs) const;
  bool wait_until(const std::function<bool()>& condition);
  Result<Values> read(const broker::Partition& partition) const;
  void read(const broker::Partition& partition, Values& values);
  void verify();
  void verify_stable();
  void verify_owner(const Owner& owner);
  void verify_others(const std::vector<std::string>& values);

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
  std::deque<Owner> owners_;
  std::map<TopicPartition, Values> seen_;  // by readers of committed records
  std::map<std::string, bool> produced_;   // by others, and whether acknowledged
  std::map<std::string, TopicPartition> produced_to_;
  std::deque<std::string> steps_;
  std::string objection_;
  std::uint64_t life_ = 0;
  std::uint64_t last_attempt_ = 0;
  bool has_fault_ = false;  // in this life
  bool with_failing_syncs_ = false;
  bool with_power_cuts_ = true;
};

}  // namespace leat::sim
