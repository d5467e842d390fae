// The journal's two files with any bytes in them: the frames that a scan takes are whole, of this
// life and in order, what it leaves out it says, and a journal goes on behind them.
//
//   input := flags:u8 piece*              flags: bit 0 the checkpoint is lost, and with it the salt
//   piece := place:u8 n:u16 byte*n        put at page `place` & 31 of file `place` >> 7
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include <xxhash.h>

#include "base/assert.h"
#include "fuzz/memory_files.h"
#include "fuzz/targets.h"
#include "log/journal.h"
#include "log/journal_entry.h"

namespace leat::fuzz {
namespace {

constexpr std::uint64_t salt = 0x5a17;
constexpr std::uint64_t checkpoint_sequence = 100;
constexpr std::size_t header_bytes = 72;
constexpr std::size_t checksum_at = 64;

std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + log::journal_alignment - 1) / log::journal_alignment * log::journal_alignment;
}

struct Piece {
  std::size_t file;
  std::uint64_t position;
  std::size_t at;  // in the input
  std::size_t bytes;
};

std::vector<Piece> pieces_of(BytesView input) {
  std::vector<Piece> pieces;
  ByteReader in(input);
  in.read<std::uint8_t>();
  while (in.remaining() > 3) {
    auto place = in.read<std::uint8_t>();
    std::size_t n = in.read<std::uint16_t>();
    n = std::min(n, in.remaining());
    std::size_t file = place >> 7;
    std::uint64_t page = place % 32;
    pieces.push_back({file, page * log::journal_alignment, in.position(), n});
    in.read_bytes(n);
  }
  return pieces;
}

/// A frame by the slow way: all of it in one piece, its checksum over a copy.
struct Plain {
  int file;
  std::uint64_t position;
  std::uint64_t sequence;
  std::uint64_t previous;
  std::uint64_t synced;
  std::uint64_t boot;
  std::uint64_t bytes;
};

std::optional<Plain> frame_at(int file, BytesView bytes, std::uint64_t position) {
  BytesView rest = bytes.subspan(position);
  if (rest.size() < header_bytes) return std::nullopt;
  ByteReader in(rest);
  bool begins = in.read<std::uint32_t>() == 0x4c4a4631 && in.read<std::uint32_t>() == 1;
  if (!begins) return std::nullopt;
  auto found_salt = in.read<std::uint64_t>();
  Plain plain{file, position, 0, 0, 0, 0, 0};
  plain.sequence = in.read<std::uint64_t>();
  plain.previous = in.read<std::uint64_t>();
  plain.synced = in.read<std::uint64_t>();
  plain.boot = in.read<std::uint64_t>();
  std::uint64_t entries_bytes = in.read<std::uint32_t>();
  in.read<std::uint32_t>();
  auto inline_bytes = in.read<std::uint64_t>();
  auto checksum = in.read<std::uint64_t>();
  if (found_salt != salt) return std::nullopt;
  std::uint64_t room = rest.size() - header_bytes;
  if (inline_bytes > room || entries_bytes > room - inline_bytes) return std::nullopt;
  plain.bytes = header_bytes + entries_bytes + inline_bytes;
  Bytes copy(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(plain.bytes));
  copy.erase(copy.begin() + checksum_at, copy.begin() + header_bytes);
  if (XXH3_64bits(copy.data(), copy.size()) != checksum) return std::nullopt;
  return plain;
}

/// What of a journal can be a frame. Entries are not looked at, so some of them need not be.
class Disk {
 public:
  explicit Disk(BytesView input) : layout_("/data") {
    std::array<Bytes, 2> contents;
    for (const Piece& piece : pieces_of(input)) {
      Bytes& content = contents[piece.file];
      content.resize(std::max(content.size(), whole_pages(piece.position + piece.bytes)));
      std::copy_n(input.begin() + static_cast<std::ptrdiff_t>(piece.at), piece.bytes,
                  content.begin() + static_cast<std::ptrdiff_t>(piece.position));
    }
    for (int i = 0; i < 2; ++i)
      files_.put(layout_.journal(i), contents[static_cast<std::size_t>(i)]);
    boot_ = log::boot_hash(files_);
  }

  log::JournalScan scan(bool is_lost) {
    std::optional<std::uint64_t> known;
    if (!is_lost) known = salt;
    auto scan = log::scan_journal(files_, layout_, known, is_lost ? 0 : checkpoint_sequence);
    ASSERT(scan.has_value());
    return std::move(*scan);
  }
  std::optional<Plain> plain_at(int file, std::uint64_t position) {
    Bytes bytes = *file::read_file(files_, layout_.journal(file));
    if (position >= bytes.size()) return std::nullopt;
    return frame_at(file, bytes, position);
  }
  bool is_ours(const log::Frame& frame) const { return frame.boot == boot_; }
  /// Goes on behind `end` with one commit more.
  void go_on(const log::JournalEnd& end) {
    log::Journal journal(files_, layout_, std::uint64_t{1} << 20);
    ASSERT(journal.resume(end).has_value());
    log::FrameBuilder frame;
    frame.add(log::RemovedEntry{});
    ASSERT(journal.write(frame).has_value());
  }

 private:
  static inline MemoryFiles files_;
  log::Layout layout_;
  std::uint64_t boot_;
};

void check_frame(Disk& disk, const log::Frame& frame) {
  auto plain = disk.plain_at(frame.file, frame.position);
  ASSERT(plain.has_value());
  ASSERT(frame.salt == salt && frame.sequence == plain->sequence);
  ASSERT(frame.previous == plain->previous && frame.synced == plain->synced);
  ASSERT(frame.boot == plain->boot && frame.bytes == plain->bytes);
  // What it says of bytes within the frame are bytes within the frame.
  std::uint64_t end = frame.position + frame.bytes;
  ASSERT(frame.inline_position >= frame.position + header_bytes && frame.inline_position <= end);
  std::uint64_t room = end - frame.inline_position;
  for (const log::JournalEntry& entry : frame.entries) {
    const auto* data = std::get_if<log::DataEntry>(&entry);
    if (data != nullptr && data->is_inline) {
      ASSERT(data->bytes <= room);
      room -= data->bytes;
    }
    Bytes written;
    log::write_entry(written, entry);
    ByteReader in(written);
    auto again = log::read_entry(in);
    ASSERT(again && in.ok() && in.remaining() == 0 && again->index() == entry.index());
    Bytes twice;
    log::write_entry(twice, *again);
    ASSERT(twice == written);
  }
}

void check_chain(const log::JournalScan& scan, bool is_lost) {
  // Without a checkpoint nobody knows which frames are behind it.
  std::uint64_t last =
      is_lost && !scan.frames.empty() ? scan.frames.front().previous : checkpoint_sequence;
  std::size_t gaps = 0;
  for (const log::Frame& frame : scan.frames) {
    ASSERT(frame.sequence > frame.previous && frame.previous >= last);
    if (frame.previous != last) ++gaps;
    ASSERT(frame.sequence <= scan.sequence_max && frame.synced <= scan.synced);
    last = frame.sequence;
  }
  ASSERT(gaps <= scan.holes.size());
  // Nothing that was durable is missing without a word.
  if (!is_lost && scan.holes.empty()) ASSERT(last >= scan.synced || scan.frames.empty());
}

bool same(const log::JournalScan& a, const log::JournalScan& b, std::size_t count) {
  if (a.frames.size() < count || b.frames.size() < count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (a.frames[i].file != b.frames[i].file || a.frames[i].position != b.frames[i].position)
      return false;
  }
  return true;
}

/// A process goes on in a journal that one run of the system wrote, in order, without a hole.
bool can_go_on(const Disk& disk, const log::JournalScan& scan) {
  if (scan.frames.empty() || !scan.holes.empty()) return false;
  if (scan.frames.back().sequence != scan.sequence_max) return false;
  std::array<std::uint64_t, 2> last{};
  std::array<bool, 2> used{};
  for (const log::Frame& frame : scan.frames) {
    auto file = static_cast<std::size_t>(frame.file);
    if (!disk.is_ours(frame) || (used[file] && frame.position <= last[file])) return false;
    last[file] = frame.position;
    used[file] = true;
  }
  return true;
}

}  // namespace

void journal(BytesView input) {
  if (input.empty()) return;
  bool is_lost = (input[0] & std::byte{1}) != std::byte{0};
  Disk disk(input);
  log::JournalScan scan = disk.scan(is_lost);
  for (const log::Frame& frame : scan.frames) {
    if (!is_lost || frame.salt == salt) check_frame(disk, frame);
  }
  check_chain(scan, is_lost);
  ASSERT(same(scan, disk.scan(is_lost), scan.frames.size()));
  if (is_lost || !can_go_on(disk, scan)) return;
  disk.go_on(scan.end);
  log::JournalScan longer = disk.scan(false);
  ASSERT(longer.frames.size() == scan.frames.size() + 1 && longer.holes.empty());
  ASSERT(same(scan, longer, scan.frames.size()));
  ASSERT(longer.frames.back().previous == scan.frames.back().sequence);
}

/// Makes a frame of each piece that is long enough for one.
void repair_journal(Bytes& input) {
  for (const Piece& piece : pieces_of(input)) {
    if (piece.bytes < header_bytes) continue;
    std::byte* frame = input.data() + piece.at;
    store_big_endian(frame, std::uint32_t{0x4c4a4631});
    store_big_endian(frame + 4, std::uint32_t{1});
    std::uint64_t room = piece.bytes - header_bytes;
    std::uint64_t entries_bytes =
        std::min<std::uint64_t>(load_big_endian<std::uint32_t>(frame + 48), room);
    store_big_endian(frame + 48, static_cast<std::uint32_t>(entries_bytes));
    std::uint64_t inline_bytes =
        std::min(load_big_endian<std::uint64_t>(frame + 56), room - entries_bytes);
    store_big_endian(frame + 56, inline_bytes);
    Bytes checked(frame, frame + header_bytes + entries_bytes + inline_bytes);
    checked.erase(checked.begin() + checksum_at, checked.begin() + header_bytes);
    store_big_endian(frame + checksum_at, XXH3_64bits(checked.data(), checked.size()));
  }
}

namespace {

/// The journal that some commits leave, as an input.
Bytes seed_of(int commits) {
  MemoryFiles files;
  log::Layout layout("/data");
  log::Journal journal(files, layout, log::journal_bytes_min);
  ASSERT(journal.open(salt, checkpoint_sequence).has_value());
  Bytes inline_bytes(100, std::byte{'x'});
  std::vector<log::JournalEntry> entries{log::StartEntry{{}, Offset{3}, false},
                                         log::DamageEntry{{}, {{Offset{1}, Offset{2}}, {}, 0, 9}},
                                         log::GapEntry{{}, {Offset{1}, Offset{2}}},
                                         log::RemovedEntry{}, log::EndEntry{{}, Offset{9}}};
  Bytes seed(1);
  for (int i = 0; i < commits; ++i) {
    log::FrameBuilder frame;
    log::DataEntry data;
    data.base_offset = Offset{i};
    data.next_offset = Offset{i + 1};
    data.bytes = inline_bytes.size();
    data.is_inline = i % 2 == 0;
    frame.add(data);
    if (data.is_inline) frame.add_inline(inline_bytes);
    frame.add(entries[static_cast<std::size_t>(i) % entries.size()]);
    std::uint64_t size = frame.padded_bytes();
    if (!journal.fits(size) || i == 5) journal.switch_file();
    ASSERT(journal.write(frame).has_value());
    if (i % 3 == 0) journal.set_synced(journal.sequence());
  }
  for (int i = 0; i < 2; ++i) {
    Bytes bytes = *file::read_file(files, layout.journal(i));
    for (std::uint64_t at = 0; at < bytes.size(); at += log::journal_alignment) {
      auto plain = frame_at(i, bytes, at);
      if (!plain) continue;
      ByteWriter out(seed);
      out.write(
          static_cast<std::uint8_t>((i << 7) | static_cast<int>(at / log::journal_alignment)));
      out.write(static_cast<std::uint16_t>(plain->bytes));
      out.write_bytes(BytesView(bytes).subspan(at, plain->bytes));
    }
  }
  return seed;
}

}  // namespace

std::vector<Bytes> journal_seeds() {
  Bytes lost = seed_of(3);
  lost[0] = std::byte{1};
  return {seed_of(1), seed_of(2), seed_of(4), seed_of(8), lost};
}

}  // namespace leat::fuzz
