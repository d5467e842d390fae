// Where a simulated process may be made to die: points with a name, each a predicate over what is
// about to change on the disk. The product knows nothing of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/random.h"
#include "file/fake_file_system.h"

namespace leat::sim {

/// What a simulation does while a point counts.
enum class Doing {
  anything,
  opening,
  creating_topic,
  adding_partitions,
  altering_topic,
  deleting_topic,
  deleting_records,
  promoting
};

/// What a process has changed before.
struct Seen {
  bool journal_frame = false;
  bool new_version = false;   // of a segment, sealed by a compaction
  bool group_commit = false;  // last of all that was written to a segment
  bool epoch = false;         // the same, of an epoch's record
  bool pipeline = false;      // the same, of a deployed pipeline's record
};

struct CrashPoint {
  const char* name;
  bool (*is_here)(const file::DiskChange& change, const Seen& seen);
  Doing while_doing = Doing::anything;
};

/// The simulations that come by a point.
enum class Story { log, broker, producers, epochs, compaction, groups, pipelines, promotions };
std::span<const CrashPoint> points_of(Story story);

/// Makes the process of a simulation die at a point, in one of its occurrences: within the change
/// that is the point, or a few changes later. Recoveries die there several times in a row.
class Crasher {
 public:
  /// Null: at no point. Watches `files`, which outlives it, for as long as it lives.
  Crasher(file::FakeFileSystem& files, const CrashPoint* point, std::uint64_t seed);
  ~Crasher();
  Crasher(const Crasher&) = delete;
  Crasher& operator=(const Crasher&) = delete;

  /// A process begins.
  void begin_life();
  /// From now on it dies while it opens at most: what it has kept is about to be looked at.
  void begin_end() { is_end_ = true; }
  /// Until the next call.
  void now(Doing doing);
  /// As files.stop_after(), unless it is the point that is to end this.
  void stop_after(std::uint64_t changes);
  /// How often the process died at the point.
  int times() const { return times_; }

 private:
  void look_at(const file::DiskChange& change);

  static constexpr int openings_max = 3;
  file::FakeFileSystem& files_;
  const CrashPoint* point_;
  Random random_;
  Doing doing_ = Doing::anything;
  Seen seen_;
  std::uint64_t skip_ = 0;
  bool is_over_ = false;  // in this life
  bool is_end_ = false;
  int openings_ = 0;  // that died, one after the other
  int times_ = 0;
};

}  // namespace leat::sim
