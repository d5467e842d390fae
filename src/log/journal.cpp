#include "log/journal.h"

#include <algorithm>

#include <fmt/core.h>
#include <xxhash.h>

#include "base/assert.h"
#include "log/journal_entry.h"

namespace leat::log {
namespace {

constexpr std::array<std::byte, journal_alignment> zeros{};
/// A sync of a file that grew takes about twice as long as one of bytes that are written over. So a
/// file grows by so much at a time, unless the frame itself is large.
constexpr std::uint64_t growth_bytes = std::uint64_t{256} << 10;

std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + journal_alignment - 1) / journal_alignment * journal_alignment;
}

}  // namespace

std::uint64_t boot_hash(file::FileSystem& files) {
  std::string id = files.boot_id();
  return XXH3_64bits(id.data(), id.size());
}

FrameBuilder::FrameBuilder() : head_(frame_header_bytes) {}

void FrameBuilder::add(const JournalEntry& entry) {
  write_entry(head_, entry);
  ++entry_count_;
}

void FrameBuilder::add_inline(BytesView bytes) {
  inline_parts_.push_back(bytes);
  inline_bytes_ += bytes.size();
}

std::uint64_t FrameBuilder::padded_bytes() const {
  return padded(head_.size() + inline_bytes_);
}

Journal::Journal(file::FileSystem& files, const Layout& layout, std::uint64_t bytes)
    : files_(files),
      layout_(layout),
      bytes_(std::max(bytes, journal_bytes_min) / journal_alignment * journal_alignment),
      boot_(boot_hash(files)) {}

Result<void> Journal::open_files() {
  for (int i = 0; i < 2; ++i) {
    Result<file::FilePtr> file = files_.open(layout_.journal(i), file::OpenMode::create);
    if (!file) return fail(file);
    Result<std::uint64_t> size = (*file)->size();
    if (!size) return fail(size);
    sizes_[static_cast<std::size_t>(i)] = *size;
    files_open_[static_cast<std::size_t>(i)] = std::move(*file);
  }
  return {};
}

Result<void> Journal::open(std::uint64_t salt, std::uint64_t sequence) {
  Result<void> opened = open_files();
  if (!opened) return opened;
  salt_ = salt;
  last_sequence_ = last_good_ = synced_ = released_ = sequence;
  return {};
}

Result<void> Journal::resume(const JournalEnd& end) {
  Result<void> done = open_files();
  if (!done) return done;
  // The sync of the last frame may have failed, and its pages count as written since.
  Bytes last(end.position - end.last_position);
  Result<std::size_t> got = files_open_[end.file]->read_at(end.last_position, last);
  if (!got) return fail(got);
  BytesView view = BytesView(last).first(*got);
  done = files_open_[end.file]->write_at(end.last_position, std::span(&view, 1));
  for (const file::FilePtr& file : files_open_) {
    if (done) done = file->sync();
  }
  if (!done) return done;
  salt_ = end.span.salt;
  released_ = end.span.checkpoint_sequence;
  last_sequence_ = end.sequence_max;
  last_good_ = synced_ = end.last_sequence;
  current_ = end.file;
  position_ = end.position;
  last_in_file_ = end.last_in_file;
  other_free_ = last_in_file_[1 - current_] == 0;
  return {};
}

void Journal::switch_file() {
  ASSERT(other_free_);
  current_ = 1 - current_;
  position_ = 0;
  other_free_ = false;
}

void Journal::release(std::uint64_t sequence) {
  set_synced(sequence);
  released_ = sequence;
  if (last_in_file_[1 - current_] <= sequence) other_free_ = true;
}

std::vector<file::FilePtr> Journal::unsynced_files() const {
  std::vector<file::FilePtr> list{files_open_[current_]};
  if (!other_free_) list.push_back(files_open_[1 - current_]);
  return list;
}

Result<void> Journal::write(FrameBuilder& frame) {
  ASSERT(fits(frame.padded_bytes()));
  return write_beyond(frame);
}

Result<void> Journal::write_beyond(FrameBuilder& frame) {
  FrameHeader header;
  header.salt = salt_;
  header.sequence = ++last_sequence_;
  header.previous = last_good_;
  header.synced = synced_;
  header.boot = boot_;
  header.entries_bytes = static_cast<std::uint32_t>(frame.head_.size() - frame_header_bytes);
  header.entry_count = frame.entry_count_;
  header.inline_bytes = frame.inline_bytes_;
  header.write(frame.head_);

  Checksum checksum;
  checksum.add_frame(frame.head_);
  for (BytesView part : frame.inline_parts_) checksum.add(part);
  store_big_endian(frame.head_.data() + frame_checksum_at, checksum.digest());

  std::vector<BytesView> parts;
  parts.reserve(frame.inline_parts_.size() + 2);
  parts.push_back(frame.head_);
  parts.insert(parts.end(), frame.inline_parts_.begin(), frame.inline_parts_.end());
  std::uint64_t bytes = frame.head_.size() + frame.inline_bytes_;
  std::uint64_t padding = padded(bytes) - bytes;
  if (padding > 0) parts.push_back(BytesView(zeros).first(padding));

  Result<void> written = file()->write_at(position_, parts);
  if (!written) return written;
  position_ += padded(bytes);
  last_good_ = last_sequence_;
  last_in_file_[current_] = last_good_;
  grow(padded(bytes));
  return {};
}

void Journal::grow(std::uint64_t frame_bytes) {
  std::uint64_t& size = sizes_[current_];
  if (position_ <= size) return;
  size = position_;
  if (frame_bytes > growth_bytes / 4 || position_ >= bytes_) return;
  std::uint64_t filling = std::min(growth_bytes, bytes_ - position_);
  std::vector<BytesView> parts(filling / journal_alignment, BytesView(zeros));
  // Where the disk has no room, the next frame will say so.
  Result<void> written = file()->write_at(position_, parts);
  if (written) size += filling;
}

}  // namespace leat::log
