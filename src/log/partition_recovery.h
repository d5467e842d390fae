// Makes one partition's files what the checkpoint and the journal say they were.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "file/file.h"
#include "log/journal.h"
#include "log/layout.h"
#include "log/scan.h"
#include "log/state.h"
#include "log/store.h"

namespace leat::log {

/// What of the journal concerns one partition, in order.
struct PartitionEvents {
  struct Data {
    DataEntry entry;
    std::uint64_t sequence = 0;
    int file = 0;
    std::uint64_t inline_position = 0;
  };
  std::vector<std::variant<Data, StartEntry>> events;
  std::vector<Damage> damage;
  std::vector<OffsetRange> gaps;
  /// A sync of this partition failed: what the page cache has may not be on disk.
  bool is_suspect = false;
};

/// What all partitions of a recovery share.
struct RecoveryJob {
  file::FileSystem& files;
  const Layout& layout;
  std::int64_t now_ms = 0;
  /// Commits up to this one were durable.
  std::uint64_t synced = 0;
  /// The last commit that the journal has.
  std::uint64_t newest = 0;
  /// What a partition has that the checkpoint does not know.
  LeaderEpoch epoch_floor{0};
  /// The page cache is still that of the process that crashed.
  bool same_boot = false;
  /// The checkpoint was lost: what the files hold counts, and the journal may repeat it.
  bool rebuilt = false;
  /// Opens a journal file.
  std::vector<file::FilePtr> journals{};
  /// What was accepted as lost, as far as checkpoint and journal know.
  std::map<TopicPartition, std::vector<OffsetRange>> accepted{};
  /// Nobody is told but the caller: a check that changes nothing.
  bool is_quiet = false;
  std::vector<Finding> findings{};
  /// Files and directories that are to go once the new checkpoint does not name them: a frame that
  /// retires them may itself be lost with the next power cut.
  std::vector<std::string> retired{};
  /// To be synced: segments, and the directories of those that are new.
  std::vector<std::pair<TopicPartition, SegmentName>> touched{};
  std::set<std::string> touched_directories{};
  /// Of the segments, those whose bytes the journal does not hold.
  std::vector<std::pair<TopicPartition, SegmentName>> urgent{};
  /// Batches kept behind the last frame.
  std::vector<DataEntry> kept{};
  /// Something was cut, fenced, or is not to be trusted: the next checkpoint must not wait.
  bool is_changed = false;

  /// Tells of it, unless it is damage that was accepted.
  void report(const Finding& finding);
  void tell(Finding finding);
};

/// Used once.
class PartitionRecovery {
 public:
  PartitionRecovery(RecoveryJob& job, PartitionState state, bool is_suspect);

  /// Applies `events`, keeps or moves away what stands behind them, and notes all it touched.
  Result<PartitionState> run(const PartitionEvents& events);

 private:
  /// The segments that `events` write to and then retire: their files may be gone already.
  void find_dropped(const PartitionEvents& events);
  Result<void> apply(const PartitionEvents::Data& data);
  Result<void> apply(const StartEntry& start);
  Result<bool> bytes_are_there(const PartitionEvents::Data& data);
  Result<bool> take_inline(const PartitionEvents::Data& data);
  bool follows_pending(const DataEntry& entry) const;
  Result<void> write_pending();
  Result<void> fill_hole(const DataEntry& entry);
  Result<void> check_to(Place end);
  Result<void> keep_valid_tail();
  static Result<void> write_again(file::File& file, std::uint64_t begin, std::uint64_t end);
  Result<void> clear_behind();
  void forget_behind();
  void finish();
  void extend(const DataEntry& entry);
  void extend(const ScannedBatch& batch);
  void cut_back(const DataEntry& entry);
  void start_segment(Offset base);
  void add_damage(const Damage& damage, const std::string& cause);
  Result<file::FilePtr> open_last(bool create);
  Result<void> set_aside(const std::string& path);
  void add_marks(std::uint64_t position, BytesView batches);

  RecoveryJob& job_;
  PartitionState state_;
  bool is_suspect_;
  std::set<Offset> dropped_;
  bool ended_ = false;  // a commit that was never acknowledged cannot be had: the log ends
  bool raise_epoch_ = false;
  bool structure_changed_ = false;  // entries of its directories
  Offset open_base_{-1};
  file::FilePtr open_;
  std::vector<SegmentName> touched_;
  /// Bytes that the journal has and the open segment will have at `pending_position_`. Small
  /// appends follow one another, and a write of each would cost more than its bytes.
  static constexpr std::size_t pending_max = std::size_t{256} << 10;
  Bytes pending_;
  std::uint64_t pending_position_ = 0;
};

/// Cause and place of damage, for people.
Finding damage_finding(const Layout& layout, const PartitionState& state, const Damage& damage,
                       const std::string& cause);

}  // namespace leat::log
