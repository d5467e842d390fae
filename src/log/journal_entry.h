// How a frame's header and entries stand in the journal; the grammar is in journal.h.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "log/journal.h"

namespace leat::log {

inline constexpr std::uint32_t frame_magic = 0x4c4a4631;  // "LJF1"
inline constexpr std::uint32_t frame_version = 1;
inline constexpr std::size_t frame_header_bytes = 72;
inline constexpr std::size_t frame_checksum_at = 64;

struct FrameHeader {
  std::uint64_t salt = 0;
  std::uint64_t sequence = 0;
  std::uint64_t previous = 0;
  std::uint64_t synced = 0;
  std::uint64_t boot = 0;
  std::uint32_t entries_bytes = 0;
  std::uint32_t entry_count = 0;
  std::uint64_t inline_bytes = 0;
  std::uint64_t checksum = 0;

  /// Overwrites the first bytes of `head`, the checksum left out.
  void write(Bytes& head) const;
  /// nullopt where no header stands.
  static std::optional<FrameHeader> parse(BytesView bytes);
};

/// The XXH3 of something that comes in parts.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;
  /// A frame: header and what follows it, without the bytes of the checksum itself.
  void add_frame(BytesView head);
  void add(BytesView bytes);
  std::uint64_t digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

void write_entry(Bytes& out, const JournalEntry& entry);
/// nullopt, or a failed reader, for what is no entry.
std::optional<JournalEntry> read_entry(ByteReader& in);

void write_range(ByteWriter& out, OffsetRange range);
OffsetRange read_range(ByteReader& in);
void write_id(ByteWriter& out, const TopicPartition& id);
TopicPartition read_id(ByteReader& in);

}  // namespace leat::log
