// The commit journal: what each commit appended to which partition, and the bytes themselves where
// that is cheaper than a sync of every segment. Two files take turns; one is used again only when a
// checkpoint covers all in it.
//
//   journal  := frame*                    each at a multiple of 4096, padded with zeros
//   frame    := header entry* inline_bytes
//   header   := magic:u32 version:u32 salt:u64 sequence:u64 previous:u64 synced:u64 boot:u64
//               entries_bytes:u32 entry_count:u32 inline_bytes:u64 checksum:u64
//   entry    := kind:u8 topic_id:16 partition:i32 body
//   body     := data | start | damage | gap | removed | end
//   data     := leader_epoch:i32 segment_base:i64 base_offset:i64 next_offset:i64 position:u64
//               bytes:u64 max_timestamp_ms:i64 append_ms:i64 form:u8 hash:u64
//   start    := offset:i64 all:u8         the log start offset was raised; segments below it go,
//   and
//                                         with `all` the one that was appended to as well
//   damage   := offsets segment_base:i64 position:u64 bytes:u64
//   gap      := offsets                   the operator accepted the loss of these records
//   removed  :=                           the partition is gone with all its files
//   end      := offset:i64                the log ends here: what earlier frames append at or
//                                         behind it failed, and was never acknowledged
//   offsets  := base:i64 next:i64
//
// `salt` is drawn anew by each recovery that writes a checkpoint, and named by it, so that frames
// of an earlier life never count. `previous` is the sequence of the last frame whose write
// succeeded: a frame that was written but whose commit failed is in no chain. `synced` is the
// newest frame known to be durable when this one was written: a frame at or below it that cannot be
// read is damage, one above it was never acknowledged. `boot` names the run of the operating
// system. `checksum` is the XXH3 of the frame without padding and without itself. `form` is 1
// where the bytes are inline; where not, `hash` says which are meant: 2, by their batches
// (batch_hash.h), or 0, as frames were first written, the XXH3 of all of them. 128 more says that
// some of the batches have a producer id.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "file/file.h"
#include "log/layout.h"
#include "log/state.h"

namespace leat::log {

/// Batches appended one after the other to one segment by one commit.
struct DataEntry {
  TopicPartition id;
  LeaderEpoch leader_epoch;
  Offset segment_base;
  Offset base_offset;
  Offset next_offset;
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;
  std::int64_t max_timestamp_ms = -1;
  std::int64_t append_ms = 0;
  bool is_inline = false;
  bool hashes_bytes = false;
  bool has_producers = false;
  std::uint64_t hash = 0;
};
struct StartEntry {
  TopicPartition id;
  Offset start;
  bool all = false;
};
struct DamageEntry {
  TopicPartition id;
  Damage damage;
};
struct GapEntry {
  TopicPartition id;
  OffsetRange range;
};
struct RemovedEntry {
  TopicPartition id;
};
struct EndEntry {
  TopicPartition id;
  Offset end;
};
using JournalEntry =
    std::variant<DataEntry, StartEntry, DamageEntry, GapEntry, RemovedEntry, EndEntry>;

/// Collects what one commit has to say.
class FrameBuilder {
 public:
  FrameBuilder();
  void add(const JournalEntry& entry);
  /// The bytes of the inline DataEntry added last, which may come in parts. They must live until
  /// the frame is written.
  void add_inline(BytesView bytes);
  /// Of the frame in the file, padding included.
  std::uint64_t padded_bytes() const;
  bool empty() const { return entry_count_ == 0; }

 private:
  friend class Journal;
  Bytes head_;  // header and entries
  std::vector<BytesView> inline_parts_;
  std::uint64_t inline_bytes_ = 0;
  std::uint32_t entry_count_ = 0;
};

/// Bytes that a data entry takes in a frame, at most.
inline constexpr std::uint64_t data_entry_bytes = 96;
inline constexpr std::uint64_t journal_alignment = 4096;
inline constexpr std::uint64_t journal_bytes_min = std::uint64_t{64} << 10;

/// Where the frames are that no checkpoint on disk covers.
struct JournalSpan {
  std::uint64_t salt = 0;
  /// The last commit that the checkpoint covers.
  std::uint64_t checkpoint_sequence = 0;
};

/// Where a journal ends that a process left behind, for the next one to go on from there.
struct JournalEnd {
  JournalSpan span;
  /// The file with the last frame, where that frame begins and where the next one goes.
  std::size_t file = 0;
  std::uint64_t last_position = 0;
  std::uint64_t position = 0;
  /// Of the last frame that counts, and the largest that any frame has.
  std::uint64_t last_sequence = 0;
  std::uint64_t sequence_max = 0;
  /// The largest sequence in each file; 0 where no frame counts.
  std::array<std::uint64_t, 2> last_in_file{};
};

/// The journal being written. Belongs to the store's executor.
class Journal {
 public:
  Journal(file::FileSystem& files, const Layout& layout, std::uint64_t bytes);

  /// Opens or makes both files. Goes on behind `sequence` at the start of the first file.
  Result<void> open(std::uint64_t salt, std::uint64_t sequence);
  /// Opens both files and goes on behind their last frame; all of them are on disk then.
  Result<void> resume(const JournalEnd& end);
  /// What a file holds.
  std::uint64_t bytes() const { return bytes_; }
  /// Whether the current file has room for a frame of that many bytes.
  bool fits(std::uint64_t padded_bytes) const { return position_ + padded_bytes <= bytes_; }
  /// Whether the other file is free, because a checkpoint covers it.
  bool can_switch() const { return other_free_; }
  /// Goes on at the start of the other file.
  void switch_file();
  /// A checkpoint covers every frame up to `sequence`.
  void release(std::uint64_t sequence);

  /// Writes the frame as the next one; durable after a sync of file(). REQUIRES: fits(). After an
  /// error nothing of it counts, and the next frame overwrites it.
  Result<void> write(FrameBuilder& frame);
  /// The same for the one frame behind resume() that cannot wait for room.
  Result<void> write_beyond(FrameBuilder& frame);
  /// Frames up to this one are known to be durable.
  void set_synced(std::uint64_t sequence) { synced_ = std::max(synced_, sequence); }

  /// Of the last frame written.
  std::uint64_t sequence() const { return last_good_; }
  std::uint64_t salt() const { return salt_; }
  JournalSpan span() const { return {salt_, released_}; }
  const file::FilePtr& file() const { return files_open_[current_]; }
  /// Both, for whoever syncs in the background.
  std::vector<file::FilePtr> unsynced_files() const;

 private:
  Result<void> open_files();
  /// Zeros behind a frame of so many bytes that made its file longer.
  void grow(std::uint64_t frame_bytes);

  file::FileSystem& files_;
  Layout layout_;
  std::uint64_t bytes_;
  std::uint64_t boot_;
  std::array<file::FilePtr, 2> files_open_;
  std::array<std::uint64_t, 2> last_in_file_{};
  std::size_t current_ = 0;
  bool other_free_ = true;
  std::uint64_t position_ = 0;
  std::uint64_t salt_ = 0;
  std::uint64_t released_ = 0;
  std::uint64_t last_sequence_ = 0;  // given to a frame, whether or not its write succeeded
  std::uint64_t last_good_ = 0;
  std::uint64_t synced_ = 0;
  std::array<std::uint64_t, 2> sizes_{};  // of the files
};

/// One frame as found in a journal file.
struct Frame {
  std::uint64_t salt = 0;
  std::uint64_t sequence = 0;
  std::uint64_t previous = 0;
  std::uint64_t synced = 0;
  std::uint64_t boot = 0;
  std::uint64_t bytes = 0;
  /// Where it stands, and where its inline bytes begin.
  int file = 0;
  std::uint64_t position = 0;
  std::uint64_t inline_position = 0;
  std::vector<JournalEntry> entries;
};

/// What a journal says happened after a checkpoint.
struct JournalScan {
  std::vector<Frame> frames;  // those that count, in order
  /// Frames up to this one were durable.
  std::uint64_t synced = 0;
  /// The largest sequence seen in any frame, whether it counts or not.
  std::uint64_t sequence_max = 0;
  /// One line for each place where frames that were durable cannot be read.
  struct Hole {
    int file = 0;
    std::uint64_t position = 0;
    std::string cause;
  };
  std::vector<Hole> holes;
  /// REQUIRES: there are frames.
  JournalEnd end;
};

/// Reads the frames of `salt` above `sequence`. Without a salt (the checkpoint is lost) those of
/// the newest life that the journal holds.
Result<JournalScan> scan_journal(file::FileSystem& files, const Layout& layout,
                                 std::optional<std::uint64_t> salt, std::uint64_t sequence);

/// The name of the operating system's run, as frames carry it.
std::uint64_t boot_hash(file::FileSystem& files);

}  // namespace leat::log
