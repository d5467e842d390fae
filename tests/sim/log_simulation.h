// One seeded history of a log store on the fake file system, checked against naive models.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/metrics.h"
#include "base/random.h"
#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "log/store.h"
#include "sim/log_checks.h"
#include "sim/log_model.h"

namespace leat::sim {

/// Opens a store, does things to it, closes or crashes it, opens it again, several times over; what
/// it does, how the store is set up and which faults there are follows from the seed. What must
/// hold is written down in log_checks.h and in the checks of log_simulation.cpp.
class LogSimulation {
 public:
  /// A verbose one tells each step on stderr.
  LogSimulation(std::uint64_t seed, bool verbose);
  ~LogSimulation();

  /// What went wrong first, with the steps that led to it; empty when nothing did.
  std::string run();

 private:
  enum class End { close, abandon, kill, power_loss };

  struct Partition {
    TopicPartition id;
    LogModel model;
    log::LogOptions options;
    log::Log* log = nullptr;
    log::Log::Ticket ticket;
    Offset told_high_watermark;
    bool removed = false;
  };
  /// A slice that a reader holds on to, and what was in it.
  struct PinnedSlice {
    log::Slice slice;
    Bytes bytes;
  };

  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args);
  /// Notes the first objection; the run ends soon after.
  bool object(const std::string& objection);
  bool alive() const { return objection_.empty() && !files_.stopped(); }

  void open_store();
  bool try_open();
  void connect(Partition& partition);
  void check_partition_after_open(Partition& partition);
  Offset must_have(const Partition& partition) const;
  void check_findings();
  void live();
  void act();
  void end_life();
  bool close_store();
  void flip_bit();
  void settle();
  void observe();
  void observe(Partition& partition);

  void append();
  void append_to(Partition& partition);
  void on_append_done(Partition& partition, std::uint64_t serial, Offset given,
                      const Result<Offset>& result);
  void pass_time();
  void read();
  void read_pinned();
  void look_up();
  void advance_start();
  void retain();
  void change_options();
  void replace_partition();
  void accept_loss();
  void open_twice();
  void break_disk();
  void mend_disk();

  log::LogOptions draw_options();
  ModelBatch draw_batch();
  Partition& draw_partition();
  Offset draw_offset(const Partition& partition);
  Excuses excuses() const;

  std::uint64_t seed_;
  bool verbose_;
  Random random_;
  SimExecutor executor_;
  file::FakeFileSystem files_;
  Metrics metrics_;
  log::StoreOptions options_;
  std::unique_ptr<log::Store> store_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  // Removed, with appends that may not be answered yet.
  std::vector<std::unique_ptr<Partition>> removed_;
  std::vector<PinnedSlice> pinned_;
  std::deque<std::string> steps_;
  std::string objection_;
  // The worst since the last recovery that was whole.
  End end_ = End::close;
  bool recovered_ = true;
  std::int64_t last_alive_ms_ = 0;
  // Of this life: what may fail, and whether a sync was made to fail.
  std::uint64_t life_ = 0;
  std::uint64_t pending_appends_ = 0;
  bool disk_limited_ = false;
  bool reads_fail_ = false;
  bool writes_fail_ = false;
  bool sync_failed_ = false;
  // Of the whole run.
  bool with_flips_;
  bool with_failing_disk_;
  bool flipped_ = false;
  // Until the next recovery that is whole.
  bool flipped_after_crash_ = false;
  bool flipped_journal_ = false;
  bool died_since_flip_ = false;
  bool write_ever_failed_ = false;
  bool flipped_checkpoint_ = false;
  bool sync_ever_failed_ = false;
  // A segment's sync failed where the journal has no copy.
  bool only_copy_lost_ = false;
  std::uint64_t last_serial_ = 0;
};

}  // namespace leat::sim
