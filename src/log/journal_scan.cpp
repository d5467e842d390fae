// Reads a journal after a crash: which frames count, and where durable ones are missing.
#include <algorithm>

#include <fmt/core.h>

#include "log/journal.h"
#include "log/journal_entry.h"
#include "log/scan_buffer.h"

namespace leat::log {
namespace {

/// A journal file seen through a window that moves forward.
class JournalFile {
 public:
  JournalFile(const file::File& file, std::uint64_t size) : file_(file), size_(size) {}

  std::uint64_t size() const { return size_; }
  /// `bytes` from `position`, valid until the next call; fewer where the file ends.
  Result<BytesView> read(std::uint64_t position, std::uint64_t bytes) {
    bytes = std::min(bytes, size_ - std::min(size_, position));
    if (position < begin_ || position + bytes > begin_ + filled_) {
      buffer_.reserve(std::max(bytes, window_bytes));
      Result<std::size_t> got = file_.read_at(position, buffer_.bytes());
      if (!got) return fail(got);
      begin_ = position;
      filled_ = *got;
      bytes = std::min<std::uint64_t>(bytes, filled_);
    }
    return BytesView(buffer_.bytes()).subspan(position - begin_, bytes);
  }

 private:
  static constexpr std::uint64_t window_bytes = std::uint64_t{1} << 20;

  const file::File& file_;
  std::uint64_t size_;
  ScanBuffer buffer_;
  std::uint64_t begin_ = 0;
  std::uint64_t filled_ = 0;
};

/// nullopt unless the entries fill their bytes and share out all that are inline.
std::optional<std::vector<JournalEntry>> parse_entries(BytesView bytes, const FrameHeader& header) {
  std::vector<JournalEntry> entries;
  ByteReader in(bytes);
  std::uint64_t inline_bytes = header.inline_bytes;
  for (std::uint32_t i = 0; i < header.entry_count; ++i) {
    std::optional<JournalEntry> entry = read_entry(in);
    if (!entry || !in.ok()) return std::nullopt;
    const auto* data = std::get_if<DataEntry>(&*entry);
    if (data != nullptr && data->is_inline) {
      if (data->bytes > inline_bytes) return std::nullopt;
      inline_bytes -= data->bytes;
    }
    entries.push_back(std::move(*entry));
  }
  if (in.remaining() != 0 || inline_bytes != 0) return std::nullopt;
  return entries;
}

/// The frame at `position` if there is a whole one that passes `wanted`.
template <class Wanted>
Result<std::optional<Frame>> read_frame(JournalFile& file, std::uint64_t position,
                                        const Wanted& wanted) {
  Result<BytesView> start = file.read(position, frame_header_bytes);
  if (!start) return fail(start);
  std::optional<FrameHeader> header = FrameHeader::parse(*start);
  if (!header || header->previous >= header->sequence || !wanted(*header)) return std::nullopt;
  std::uint64_t room = file.size() - position - frame_header_bytes;
  if (header->inline_bytes > room || header->entries_bytes > room - header->inline_bytes) {
    return std::nullopt;
  }
  std::uint64_t bytes = frame_header_bytes + header->entries_bytes + header->inline_bytes;
  Result<BytesView> whole = file.read(position, bytes);
  if (!whole) return fail(whole);
  if (whole->size() != bytes) return std::nullopt;
  Checksum checksum;
  checksum.add_frame(*whole);
  if (checksum.digest() != header->checksum) return std::nullopt;
  std::optional<std::vector<JournalEntry>> entries =
      parse_entries(whole->subspan(frame_header_bytes, header->entries_bytes), *header);
  if (!entries) return std::nullopt;
  Frame frame;
  frame.salt = header->salt;
  frame.sequence = header->sequence;
  frame.previous = header->previous;
  frame.synced = header->synced;
  frame.boot = header->boot;
  frame.bytes = bytes;
  frame.position = position;
  frame.inline_position = position + frame_header_bytes + header->entries_bytes;
  frame.entries = std::move(*entries);
  return frame;
}

template <class Wanted>
Result<void> read_frames(file::FileSystem& files, const Layout& layout, int number,
                         const Wanted& wanted, std::vector<Frame>& frames) {
  Result<file::FilePtr> opened = files.open(layout.journal(number), file::OpenMode::read);
  if (!opened && opened.error().code == Errc::not_found) return {};
  if (!opened) return fail(opened);
  Result<std::uint64_t> size = (*opened)->size();
  if (!size) return fail(size);
  JournalFile file(**opened, *size);
  std::uint64_t position = 0;
  while (position < *size) {
    Result<std::optional<Frame>> frame = read_frame(file, position, wanted);
    if (!frame) return fail(frame);
    std::uint64_t step = journal_alignment;
    if (*frame) {
      step = ((*frame)->bytes + journal_alignment - 1) / journal_alignment * journal_alignment;
      (*frame)->file = number;
      frames.push_back(std::move(**frame));
    }
    position += step;
  }
  return {};
}

/// Moves the frames that follow one another from `sequence` to `scan.frames`.
void follow_chain(std::vector<Frame> found, std::uint64_t sequence, std::uint64_t boot,
                  JournalScan& scan) {
  std::size_t at = 0;
  std::uint64_t last = sequence;
  while (at < found.size()) {
    // Of several that follow the same frame, all but the last belong to commits whose write failed.
    std::size_t next = found.size();
    for (std::size_t i = at; i < found.size(); ++i) {
      if (found[i].previous == last) next = i;
      if (found[i].previous > last) break;
    }
    if (next == found.size()) {
      Frame& frame = found[at];
      if (frame.previous <= last) {
        ++at;  // branches off a frame that has another successor
        continue;
      }
      // Never promised, and not written by a process whose page cache is still there: the journal
      // ends at the hole.
      if (frame.previous > scan.synced && frame.boot != boot) break;
      scan.holes.push_back(
          {frame.file, frame.position,
           fmt::format("commits {} to {} cannot be read", last + 1, frame.previous)});
      last = frame.previous;
      continue;
    }
    last = found[next].sequence;
    scan.frames.push_back(std::move(found[next]));
    at = next + 1;
  }
  if (last < scan.synced) {
    scan.holes.push_back(
        {0, 0, fmt::format("commits {} to {} cannot be read", last + 1, scan.synced)});
  }
}

}  // namespace

Result<JournalScan> scan_journal(file::FileSystem& files, const Layout& layout,
                                 std::optional<std::uint64_t> salt, std::uint64_t sequence) {
  std::vector<Frame> found;
  auto wanted = [&](const FrameHeader& header) {
    return header.sequence > sequence && (!salt || header.salt == *salt);
  };
  for (int i = 0; i < 2; ++i) {
    Result<void> read = read_frames(files, layout, i, wanted, found);
    if (!read) return fail(read);
  }
  std::sort(found.begin(), found.end(),
            [](const Frame& a, const Frame& b) { return a.sequence < b.sequence; });
  JournalScan scan;
  scan.synced = sequence;
  if (found.empty()) return scan;
  scan.sequence_max = found.back().sequence;
  if (!salt) {
    std::uint64_t newest = found.back().salt;
    std::erase_if(found, [&](const Frame& frame) { return frame.salt != newest; });
    sequence = found.front().previous;
  }
  for (const Frame& frame : found) {
    scan.synced = std::max(scan.synced, frame.synced);
    std::uint64_t& last = scan.end.last_in_file[static_cast<std::size_t>(frame.file)];
    last = std::max(last, frame.sequence);
  }
  follow_chain(std::move(found), sequence, boot_hash(files), scan);
  if (scan.frames.empty()) return scan;
  const Frame& last = scan.frames.back();
  scan.end.span = {last.salt, sequence};
  scan.end.file = static_cast<std::size_t>(last.file);
  scan.end.last_position = last.position;
  scan.end.position =
      last.position + (last.bytes + journal_alignment - 1) / journal_alignment * journal_alignment;
  scan.end.last_sequence = last.sequence;
  scan.end.sequence_max = scan.sequence_max;
  return scan;
}

}  // namespace leat::log
