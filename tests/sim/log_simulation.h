// One seeded history of a log store on the fake file system, checked against naive models.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/metrics.h"
#include "base/random.h"
#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "log/store.h"
#include "shards.h"
#include "sim/crash_points.h"
#include "sim/log_checks.h"
#include "sim/log_model.h"

namespace leat::sim {

inline constexpr const char* simulated_directory = "/data/leat";
inline constexpr std::int64_t day_ms = 24 * 3600 * 1000;

/// What went wrong, and so what the checks have to put up with.
struct Faults {
  // At present.
  bool disk_limited = false;
  bool reads_fail = false;
  // Of this life.
  bool writes_fail = false;
  bool sync_failed = false;
  // Until the next recovery that is whole.
  bool write_ever_failed = false;
  bool sync_ever_failed = false;
  bool flipped_after_crash = false;
  bool flipped_journal = false;
  bool died_since_flip = false;
  bool flipped_checkpoint[2] = {false, false};  // its two copies
  // Of the whole run.
  bool flipped_segment = false;
  bool flipped_seal = false;
  bool only_copy_lost = false;  // a segment's sync failed where the journal has no copy

  bool checkpoint_is_lost() const { return flipped_checkpoint[0] && flipped_checkpoint[1]; }
  /// The next recovery is whole.
  void begin_anew();
};

/// Opens a store, does things to it, closes or crashes it, opens it again, several times over; what
/// it does, how the store is set up and which faults there are follows from the seed. The lives of
/// a store are in log_simulation.cpp, what is done in log_actions.cpp, what goes wrong in
/// log_faults.cpp, what must hold in log_promises.cpp and log_checks.h.
class LogSimulation {
 public:
  /// A verbose one tells each step on stderr. With a point its processes die there.
  LogSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point = nullptr);
  ~LogSimulation();

  /// What went wrong first, with the steps that led to it; empty when nothing did.
  std::string run();
  /// How often a process died at the point.
  int crashes() const { return crasher_.times(); }

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
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    tell(fmt::format(format, std::forward<Args>(args)...));
  }
  void tell(std::string step);
  /// Notes the first objection; the run ends soon after.
  bool object(const std::string& objection);
  bool alive() const { return objection_.empty() && !files_.stopped(); }

  void open_store();
  bool try_open();
  void connect(Partition& partition);
  void check_partition_after_open(Partition& partition);
  Offset must_have(const Partition& partition) const;
  void check_findings();
  /// What a check of the directory says before it is opened, held against what recovery says then.
  void check_directory();
  void compare_with_check();
  void live();
  void act();
  void end_life();
  bool close_store();
  void flip_bit();
  void lose_checkpoint();
  void note_flip(const file::FakeFileSystem::FlippedBit& flipped);
  void break_opening();
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
  testing::SimShards shards_;  // one, or several in every other story
  file::FakeFileSystem files_;
  Crasher crasher_;
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
  bool was_open_ = false;
  std::int64_t last_alive_ms_ = 0;
  std::uint64_t life_ = 0;
  int deaths_ = 0;  // while opening, since it was opened
  std::uint64_t pending_appends_ = 0;
  bool with_flips_;
  bool with_failing_disk_;
  bool opening_is_broken_ = false;
  Faults faults_;
  std::optional<log::CheckReport> report_;
  std::uint64_t last_serial_ = 0;
};

}  // namespace leat::sim
