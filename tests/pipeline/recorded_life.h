// The life of a version, recorded: it runs live while records come out of order and partitions fall
// silent, rests, dies and is started again. Then the same is done again in other ways.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "interpreter/interpreter.h"
#include "pipeline/epoch_record.h"
#include "pipeline/final_results.h"
#include "pipeline/memory_epochs.h"
#include "pipeline/version_run.h"
#include "stream/memory_topics.h"

namespace leat::pipeline {

class RecordedLife {
 public:
  /// `logs` are what topics get, by their names; sources that read a file have the first partition
  /// of that name.
  RecordedLife(std::uint64_t seed, plan::Plan plan, std::map<std::string, interpreter::Log> logs);

  /// As it is run: with idle times and a mode of its own.
  const plan::Plan& plan() const { return plan_; }

  /// All records come and are read.
  void live();
  /// The recorded steps again, to topics of their own: they hold the same, byte for byte.
  void repeat();
  /// From the start, in each mode, with workers by chance: the same final results, which are the
  /// judge's where it can know them.
  void reprocess();

  std::size_t deaths() const { return deaths_; }
  std::size_t woken() const { return woken_; }
  std::size_t judged() const { return judged_; }
  std::size_t records_out() const { return records_out_; }

 private:
  struct Commit {
    std::function<void()> apply;
    EpochLog::Done done;
  };

  void make_inputs();
  VersionRun::Options options(std::uint32_t version);
  void start(VersionRun::Options options);
  void commit(std::function<void()> apply, EpochLog::Done done);
  bool append_some();
  void append(const std::string& topic, std::size_t partition,
              const std::vector<interpreter::Record>& records);
  void disturb();
  void crash(bool power);
  void rest();
  void finish(RunState state);
  void compare_topics_with(const std::string& suffix);
  void compare_files_with(const std::string& suffix);
  std::vector<std::string> file_rows(const std::string& folder);
  std::vector<Record> epochs_of_live();
  void end_live(const std::string& suffix);
  void reprocess_as(plan::Mode mode, std::uint32_t version);
  /// The logs as the judge reads them, by sources; with what recorded decisions say.
  interpreter::Run as_run(bool lifted);

  Random random_;
  SimExecutor executor_;
  file::FakeFileSystem files_;
  stream::MemoryTopics topics_;
  MemoryEpochs epochs_;
  plan::Plan plan_;
  std::map<std::string, interpreter::Log> logs_;
  std::map<std::string, std::vector<std::size_t>> next_;
  std::map<std::string, std::vector<int>> silent_;  // for how many turns
  std::int64_t end_ms_ = 0;                         // results of before it are final
  bool calm_ = false;
  std::vector<std::shared_ptr<Commit>> commits_;
  VersionRun::Options started_;
  std::unique_ptr<VersionRun> run_;
  std::size_t deaths_ = 0;
  std::size_t woken_ = 0;
  std::size_t judged_ = 0;
  std::size_t records_out_ = 0;
};

}  // namespace leat::pipeline
