#include "log/rewrite.h"

#include <fmt/core.h>

#include "log/batch_hash.h"
#include "log/recovery.h"

namespace leat::log {
namespace {

Result<Bytes> appended_bytes(file::FileSystem& files, const Layout& layout,
                             const PartitionEvents::Data& data, const file::File& segment) {
  const DataEntry& entry = data.entry;
  Bytes bytes(entry.bytes);
  Result<std::size_t> got = 0;
  if (entry.is_inline) {
    Result<file::FilePtr> journal = files.open(layout.journal(data.file), file::OpenMode::read);
    if (!journal) return fail(journal);
    got = (*journal)->read_at(data.inline_position, bytes);
  } else {
    Result<bool> whole = holds_batches(segment, entry);
    if (!whole) return fail(whole);
    if (!*whole) return fail(Errc::corrupt_message, "what was appended is no longer there");
    got = segment.read_at(entry.position, bytes);
  }
  if (!got) return fail(got);
  if (*got != bytes.size()) return fail(Errc::corrupt_message, "the file is too short");
  return bytes;
}

}  // namespace

Result<void> write_again(file::FileSystem& files, const Layout& layout, const JournalSpan& span,
                         const TopicPartition& id, const Segment& segment, std::uint64_t end) {
  Result<JournalScan> scan = scan_journal(files, layout, span.salt, span.checkpoint_sequence);
  if (!scan) return fail(scan);
  std::map<TopicPartition, PartitionEvents> events;
  std::set<TopicPartition> removed;
  sort_events(*scan, events, removed);
  Result<file::FilePtr> file = segment.file();
  if (!file) return fail(file);
  std::optional<std::uint64_t> next;
  for (const auto& event : events[id].events) {
    const auto* data = std::get_if<PartitionEvents::Data>(&event);
    if (data == nullptr || data->entry.segment_base != segment.base_offset()) continue;
    const DataEntry& entry = data->entry;
    if (entry.position + entry.bytes > end) break;
    if (next && *next != entry.position) {
      return fail(Errc::io_error,
                  fmt::format("{}: the journal says nothing of byte {}", segment.path(), *next));
    }
    next = entry.position + entry.bytes;
    Result<Bytes> bytes = appended_bytes(files, layout, *data, **file);
    if (!bytes) return fail(bytes);
    BytesView view(*bytes);
    Result<void> written = (*file)->write_at(entry.position, std::span(&view, 1));
    if (!written) return written;
  }
  if (next.value_or(end) != end) {
    return fail(Errc::io_error,
                fmt::format("{}: the journal says nothing of byte {}", segment.path(), *next));
  }
  return (*file)->sync();
}

}  // namespace leat::log
