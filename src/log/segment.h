// One file of a partition's log: Kafka record batches of version 2, verbatim, one after the other.
//
//   segment := batch*                     as in record/batch.h, offsets without gaps
//
// The file is named after its first offset, and after how often compaction has written it anew.
// A batch's range of offsets may be larger than its records need, where some are gone. Beside it
// stand its index (index.h) and, once it is no longer appended to, its seal (seal.h).
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "file/file.h"
#include "log/index.h"
#include "log/scan.h"
#include "log/state.h"

namespace leat::log {

class OpenSegments;

/// Tells a segment's log of damage that a reader found. Called on any thread.
using DamageSink = std::function<void(const Damage&, const std::string& cause)>;

/// Thread-safe. Its log appends from one thread and tells it by appended() what has been committed;
/// readers never look behind the end that their view gives them. Opens its file and reads its
/// index when first asked; what was there before this process is CRC-checked when first read.
class Segment : public std::enable_shared_from_this<Segment> {
 public:
  struct Settings {
    std::uint64_t index_interval_bytes = 16 << 10;
    std::shared_ptr<const DamageSink> sink;
    /// Null: the descriptor is kept. Otherwise a shared_ptr owns the segment.
    std::shared_ptr<OpenSegments> open_segments;
  };

  /// A segment as recovery found it, or an empty one that `state` only gives a base offset.
  Segment(file::FileSystem& files, std::string path, const SegmentState& state, Settings settings);

  const std::string& path() const { return path_; }
  Offset base_offset() const { return base_offset_; }
  SegmentName name() const { return {base_offset_, version_}; }
  SegmentState state() const;
  std::uint64_t bytes() const;
  /// One past its last batch.
  Place end() const;
  void set_sealed();
  /// Its file goes, or is gone, because its records are below the start offset.
  void set_retired() { retired_ = true; }
  /// Whether the file is missing, though it should not be, or is another segment's: all of it is
  /// damage then, and appends go on in another one.
  bool is_lost() const;

  /// Opens the file if it is not open, whosever it is.
  Result<file::FilePtr> file() const;
  /// Gives it the file that its log made.
  void set_file(file::FilePtr file);
  /// Opens the file for as long as the segment lives. False where that cannot be done.
  bool keep_open();
  /// Lets go of the file until it is asked for again.
  void close_file() const;
  /// Whether the file was asked for since the last call.
  bool take_used() const { return used_.exchange(false); }

  /// Batches that a commit has put behind the end.
  struct Appended {
    std::vector<ScannedBatch> batches;
    std::int64_t append_ms = 0;
  };
  void appended(const Appended& run);

  /// Damage is skipped by lookups; reads of it fail.
  void add_damage(const Damage& damage) const;
  std::vector<Damage> damage() const;

  /// Whole batches from the one that contains `from`, at most `max_bytes` but at least one, before
  /// `end`; up to an eighth less than would fit where that spares a look into the file. Checked.
  /// corrupt_message in damage. REQUIRES: base_offset() <= from < end.offset.
  struct Range {
    Place begin;
    Place end;
  };
  Result<Range> read(Offset from, std::uint64_t max_bytes, Place end) const;
  /// Whether read() would find everything checked already. Does not block.
  bool is_checked(Offset from, std::uint64_t max_bytes, Place end) const;

  /// Checked batches from `from` on, one by one, until `visit` returns false or `end`. Damage is
  /// left out.
  using Visit = std::function<Result<bool>(const file::File&, const ScannedBatch&)>;
  Result<void> visit(Place from, Place end, const Visit& visit) const;
  /// A boundary with nothing as late as `timestamp_ms` before it.
  Result<Place> floor_timestamp(std::int64_t timestamp_ms) const;

  /// Checks whole batches from `from` on, about `bytes` of them, whether or not that was done
  /// before, and gives the place where it stopped: behind damage, or where damage begins that was
  /// not known, once that is recorded. REQUIRES: `from` is a boundary below `end`.
  Result<Place> check_again(Place from, std::uint64_t bytes, Place end) const;

  /// Writes index entries that the index file lacks. Not synced: an index holds no truth.
  Result<void> save_index() const;
  /// The same if there are at least so many and the index is in memory.
  Result<void> save_index_if(std::size_t entries_min) const;

 private:
  /// Reads the index file and what it lacks, once.
  Result<void> load_index() const;
  Result<Index> read_index_file() const;
  bool is_foreign(const file::File& file) const;
  /// Checks what is not checked yet from `floor` to at least `stop`.
  Result<void> ensure_checked(Place floor, std::uint64_t stop, Place end) const;
  Result<void> check(Place begin, Place end) const;
  Result<void> refuse_damage(Offset from) const;
  void found_damage(const Damage& damage, const std::string& cause) const;
  /// The last boundary before `until` that `more` accepts, walking from `at`.
  template <class More>
  Result<Place> walk(Place at, std::uint64_t until, const More& more) const;
  Result<Place> find_begin(Place floor, Offset from, Place limit) const;
  // REQUIRES for all of these: mutex_ is held.
  void mark_checked(Place begin, Place end) const;
  Place checked_until(Place place) const;
  const Damage* damage_at(Offset offset) const;
  Place limit_before_damage(Offset from, Place end) const;
  std::uint64_t read_ahead(Place floor, std::uint64_t max_bytes, Place limit) const;

  file::FileSystem& files_;
  std::string path_;
  Offset base_offset_;
  std::uint32_t version_;
  Settings settings_;
  /// What was there when this process found it, and what that is known by.
  Place found_end_;
  SegmentMarks found_marks_;

  std::atomic<bool> retired_{false};
  std::atomic<bool> stays_open_{false};
  enum class Ownership { unknown, own, foreign };
  mutable std::atomic<Ownership> ownership_;
  mutable std::atomic<bool> used_{false};
  mutable std::mutex load_mutex_;  // held while the index is read
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  SegmentState state_;
  mutable file::FilePtr file_;
  mutable Index index_;
  mutable bool index_loaded_;
  mutable std::size_t index_saved_ = 0;
  mutable std::vector<Damage> damage_;
  /// Where the last read ended: the next one most likely begins there.
  mutable Place read_end_{};
  /// Checked bytes: where they begin, and where they end.
  mutable std::map<std::uint64_t, Place> checked_;
};

}  // namespace leat::log
