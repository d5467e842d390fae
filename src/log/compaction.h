// Compaction of one log: of all records with the same key, only the newest stays. Offsets do not
// change, and batches keep following one another without gaps (record/compact.h).
//
// The segments to compact are closed: nothing is appended to them any more. A first pass over what
// was appended since the last compaction notes the newest offset of each key, as far as memory
// allows; a second one writes the records that stay to new files, several small segments to one.
// Records of aborted transactions go at once. A marker stays as long as there is anything left of
// its transaction, or none newer of its producer, since the coordinator may send it again; one that
// aborts stays for good, since readers are told of it.
//
// A new file is whole, sealed and synced before anybody hears of it. It counts from the moment in
// which a checkpoint names it; what it replaces is removed after that. So a crash leaves the old
// segments or the new one, and files that nobody names, which the next recovery or compaction of
// the partition removes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "base/result.h"
#include "file/file.h"
#include "log/aborted_transactions.h"
#include "log/key_map.h"
#include "log/layout.h"
#include "log/segment.h"
#include "record/compact.h"
#include "record/scratch.h"

namespace leat::log {

struct CompactionPlan {
  TopicPartition id;
  /// Closed segments from the log's first one on, below its last stable offset. Those with damage
  /// stay as they are.
  std::vector<std::shared_ptr<Segment>> segments;
  /// All that began below their end.
  std::vector<AbortedTransaction> aborted{};
  /// All that the log has, for the first compaction since the start: files of other names in its
  /// directory are left over from a crash. Later they may be there for the sake of a backup.
  std::optional<std::vector<SegmentState>> known;
  /// Where the last compaction ended.
  Offset dirty_from;
  std::uint64_t segment_bytes = 0;
  record::TombstoneRules tombstones;
  Segment::Settings settings;
  std::uint64_t map_bytes_max = 0;
  /// Below this much free space nothing is begun.
  std::uint64_t free_bytes_min = 0;
};

/// A new segment, and those whose place it takes.
struct Replacement {
  std::vector<std::shared_ptr<Segment>> old;
  SegmentState state;
  std::string path;
};

/// A compaction under way, step by step. Owns all that it touches, since it may outlive the store.
/// One thread at a time.
class Compaction {
 public:
  Compaction(file::FileSystem& files, const Layout& layout, CompactionPlan plan);
  ~Compaction();

  /// Reads about `bytes` and writes what stays of them. Blocks.
  void step(std::uint64_t bytes);
  bool is_done() const { return phase_ == Phase::done; }
  /// The new segment that the last step finished, if it finished one.
  std::optional<Replacement> take_replacement() { return std::exchange(replacement_, {}); }
  /// Why it ended before its end. Nothing is left behind then.
  const Result<void>& result() const { return result_; }
  /// Gives up, and removes what is unfinished. Blocks.
  void abandon(Error error);

  const TopicPartition& id() const { return plan_.id; }
  /// Where this compaction ends, once it is done: all below has been looked at.
  Offset compacted_to() const { return end_; }
  /// Of the last step.
  std::uint64_t bytes_read() const { return bytes_read_; }
  /// In all.
  std::uint64_t bytes_written() const { return bytes_written_; }
  std::uint64_t records_removed() const { return records_removed_; }

 private:
  enum class Phase { clear, map, write, done };
  struct Output;
  Result<void> clear_strays();
  Result<void> map_some(std::uint64_t bytes);
  Result<bool> note(const record::BatchView& batch);
  bool is_aborted(const record::BatchView& batch) const;
  Result<void> write_marker(const record::BatchView& batch);
  void start_writing();
  Result<void> write_some(std::uint64_t bytes);
  Result<void> open_group();
  Result<void> write_batch(const record::BatchView& batch);
  Result<void> write_whole(const record::BatchView& batch);
  Result<void> close_group();
  bool is_usable(const Segment& segment) const;
  /// Whole checked batches of the current segment from at_ on. Errc::corrupt_message at damage.
  Result<BytesView> read(std::uint64_t bytes);
  void start_segment(std::size_t index);

  file::FileSystem& files_;
  Layout layout_;
  CompactionPlan plan_;
  Phase phase_ = Phase::clear;
  KeyMap keys_;
  record::Scratch scratch_;
  Bytes buffer_;
  std::size_t segment_ = 0;  // that is being read
  Offset at_;
  Offset end_;  // of what is compacted
  /// Of a producer: its newest batch, which has to stay, without records if need be, and its newest
  /// marker, by which one that is sent again is known.
  struct Newest {
    Offset batch{-1};
    Offset marker{-1};
  };
  boost::unordered_flat_map<std::int64_t, Newest> producers_;
  boost::unordered_flat_map<std::int64_t, std::vector<AbortedTransaction>> aborted_;
  /// Producers of whose open transaction something was written, or may have been.
  boost::unordered_flat_set<std::int64_t> in_transaction_;
  bool has_skipped_ = false;   // a segment that nobody looked into
  std::size_t group_end_ = 0;  // segments [segment_, group_end_) go into output_
  std::size_t group_begin_ = 0;
  std::unique_ptr<Output> output_;
  std::optional<Replacement> replacement_;
  Result<void> result_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
  std::uint64_t records_removed_ = 0;
};

}  // namespace leat::log
