#include "log/quarantine.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

#include "base/logging.h"
#include "log/index.h"
#include "log/scan.h"
#include "log/scan_buffer.h"

namespace leat::log {
namespace {

/// The end of the last byte in [from, to) that is not zero; `from` if there is none.
Result<std::uint64_t> nonzero_end(const file::File& file, std::uint64_t from, std::uint64_t to) {
  constexpr std::uint64_t step = std::uint64_t{1} << 20;
  ScanBuffer buffer;
  buffer.reserve(step);
  std::uint64_t end = from;
  for (std::uint64_t at = from; at < to;) {
    MutableBytes into = buffer.bytes().first(std::min(step, to - at));
    Result<std::size_t> got = file.read_at(at, into);
    if (!got) return fail(got);
    if (*got == 0) break;
    for (std::size_t i = *got; i > 0; --i) {
      if (into[i - 1] != std::byte{0}) {
        end = at + i;
        break;
      }
    }
    at += *got;
  }
  return end;
}

Result<void> copy(file::FileSystem& files, const file::File& from, std::uint64_t begin,
                  std::uint64_t end, const std::string& path) {
  constexpr std::uint64_t step = std::uint64_t{1} << 20;
  Result<file::FilePtr> to = files.open(path, file::OpenMode::create);
  if (!to) return fail(to);
  ScanBuffer buffer;
  buffer.reserve(step);
  for (std::uint64_t at = begin; at < end;) {
    MutableBytes into = buffer.bytes().first(std::min(step, end - at));
    Result<std::size_t> got = from.read_at(at, into);
    if (!got) return fail(got);
    if (*got == 0) break;
    BytesView piece = into.first(*got);
    Result<void> written = (*to)->write_at(at - begin, std::span(&piece, 1));
    if (!written) return written;
    at += *got;
  }
  return (*to)->sync();
}

/// Copies [begin, size) of a segment away, without the zeros at its end.
Result<std::optional<Finding>> quarantine(const QuarantineJob& job, const PartitionState& state,
                                          Offset base, const file::File& file, std::uint64_t begin,
                                          std::uint64_t size) {
  Result<std::uint64_t> end = nonzero_end(file, begin, size);
  if (!end) return fail(end);
  if (*end == begin) return std::nullopt;
  std::string path = job.layout.quarantine(state.id, base, begin, job.now_ms);
  Result<void> made = job.files.make_directories(job.layout.quarantine());
  if (!made) return fail(made);
  Result<void> copied = copy(job.files, file, begin, *end, path);
  if (!copied) return fail(copied);
  Result<void> synced = job.files.sync_directory(job.layout.quarantine());
  if (!synced) return fail(synced);
  Finding finding;
  finding.kind = Finding::Kind::cut;
  finding.partition = state.id;
  finding.offsets = {state.end_offset, state.end_offset};
  finding.path = job.layout.relative(segment_path(job.layout, state, base));
  finding.position = begin;
  finding.bytes = *end - begin;
  finding.cause = fmt::format(
      "{} bytes behind the end of the log that were never acknowledged "
      "were moved to {}",
      finding.bytes, job.layout.relative(path));
  return finding;
}

Result<void> cut_last_segment(const QuarantineJob& job, const PartitionState& state,
                              std::vector<Finding>& findings) {
  const SegmentState& last = state.segments.back();
  std::string path = job.layout.segment(state.id, last.base_offset, last.version);
  Result<file::FilePtr> file = job.files.open(path, file::OpenMode::read_write);
  if (!file) {
    // Known to be lost: there is damage in its place.
    if (file.error().code == Errc::not_found) return {};
    return fail(file);
  }
  // Another segment's, in the wrong place, stays as it is: nothing will be appended to it.
  Result<bool> own = has_marks(**file, last.marks);
  if (!own) return fail(own);
  if (!*own) return {};
  Result<std::uint64_t> size = (*file)->size();
  if (!size) return fail(size);
  if (*size <= last.bytes) return {};
  Result<std::optional<Finding>> moved =
      quarantine(job, state, last.base_offset, **file, last.bytes, *size);
  if (!moved) return fail(moved);
  if (*moved) findings.push_back(std::move(**moved));
  return (*file)->truncate(last.bytes);
}

/// Whether the last entry of an index file is whole and lies before `end`: then all do.
Result<bool> index_fits(const file::File& file, const Index& index, std::uint64_t size,
                        std::uint64_t end) {
  std::uint64_t first = Index::file_position(0);
  std::uint64_t entry = Index::file_position(1) - first;
  if (size < first || (size - first) % entry != 0) return false;
  if (size == first) return true;
  Bytes last(entry);
  Result<std::size_t> got = file.read_at(size - entry, last);
  if (!got) return fail(got);
  std::optional<std::uint64_t> position = index.position_of(last);
  return *got == entry && position && *position < end;
}

/// Index entries behind the end would be taken for ones of what is appended next. Durable, since
/// none of them may come back with a power cut when the log has grown beyond them.
Result<void> cut_index(const QuarantineJob& job, const std::string& segment_path,
                       const SegmentState& last) {
  Result<file::FilePtr> file =
      job.files.open(with_suffix(segment_path, ".index"), file::OpenMode::read_write);
  if (!file) return fail(file);
  Result<std::uint64_t> size = (*file)->size();
  if (!size) return fail(size);
  Index index(last.base_offset, segment_path);
  Result<bool> fits = index_fits(**file, index, *size, last.bytes);
  if (!fits) return fail(fits);
  if (*fits) return {};
  Bytes bytes(*size);
  Result<std::size_t> got = (*file)->read_at(0, bytes);
  if (!got) return fail(got);
  index.decode(BytesView(bytes).first(*got), {last.next_offset, last.bytes});
  Result<void> cut = (*file)->truncate(index.size() > 0 ? Index::file_position(index.size()) : 0);
  if (!cut) return cut;
  return (*file)->sync();
}

Result<void> remove_if_there(file::FileSystem& files, const std::string& path) {
  Result<void> removed = files.remove(path);
  if (!removed && removed.error().code != Errc::not_found) return removed;
  return {};
}

/// What compaction has written and no checkpoint names, or the other way round: all that is in it
/// is in another segment.
bool is_redundant(const PartitionState& state, SegmentName name) {
  if (name.version > 0) return true;
  return std::any_of(state.segments.begin(), state.segments.end(), [&](const SegmentState& s) {
    return s.version > 0 && s.base_offset <= name.base && name.base < s.next_offset;
  });
}

/// A segment that the log does not know: retired already, or written by a commit that never was.
Result<void> remove_stray(const QuarantineJob& job, const PartitionState& state, SegmentName name,
                          std::vector<Finding>& findings) {
  std::string path = job.layout.segment(state.id, name.base, name.version);
  Result<bool> exists = job.files.exists(path);
  if (!exists) return fail(exists);
  if (*exists && name.base >= state.start_offset && !is_redundant(state, name)) {
    Result<file::FilePtr> file = job.files.open(path, file::OpenMode::read);
    if (!file) return fail(file);
    Result<std::uint64_t> size = (*file)->size();
    if (!size) return fail(size);
    Result<std::optional<Finding>> moved = quarantine(job, state, name.base, **file, 0, *size);
    if (!moved) return fail(moved);
    if (*moved) findings.push_back(std::move(**moved));
  }
  for (std::string_view suffix : {".index", ".seal", ".log"}) {
    Result<void> removed = remove_if_there(job.files, with_suffix(path, suffix));
    if (!removed) return removed;
  }
  return {};
}

/// The segments whose files stand in the partition's directory, with the names of their files.
Result<std::map<SegmentName, std::set<std::string>>> list_segments(file::FileSystem& files,
                                                                   const Layout& layout,
                                                                   const TopicPartition& id) {
  std::map<SegmentName, std::set<std::string>> found;
  Result<std::vector<file::DirectoryEntry>> entries = files.list(layout.partition(id));
  if (!entries && entries.error().code == Errc::not_found) return found;
  if (!entries) return fail(entries);
  for (const file::DirectoryEntry& entry : *entries) {
    for (std::string_view suffix : {".index", ".seal", ".log"}) {
      std::optional<SegmentName> name = parse_segment_name(entry.name, suffix);
      if (name) found[*name].insert(std::string(suffix));
    }
  }
  return found;
}

}  // namespace

Result<std::vector<Finding>> clear_behind_end(const QuarantineJob& job,
                                              const PartitionState& state) {
  std::vector<Finding> findings;
  auto found = list_segments(job.files, job.layout, state.id);
  if (!found) return fail(found);
  if (found->empty()) return findings;
  bool removed_any = false;
  const SegmentState* last = state.segments.empty() ? nullptr : &state.segments.back();
  for (const auto& [name, suffixes] : *found) {
    Result<void> gone;
    if (last != nullptr && name == last->name()) {
      // That of a segment which is appended to again.
      if (last->sealed || !suffixes.contains(".seal")) continue;
      gone = remove_if_there(
          job.files, with_suffix(job.layout.segment(state.id, name.base, name.version), ".seal"));
    } else {
      bool is_retired = job.keeps_retired && name.base < state.start_offset;
      bool is_replaced = job.keeps_replaced && last != nullptr && name.base < last->next_offset &&
                         name.base >= state.segments.front().base_offset;
      if (find_segment(state, name) != nullptr || is_retired || is_replaced) continue;
      gone = remove_stray(job, state, name, findings);
    }
    if (!gone) return fail(gone);
    removed_any = true;
  }
  if (last != nullptr) {
    Result<void> cut = cut_last_segment(job, state, findings);
    if (!cut) return fail(cut);
    std::string path = job.layout.segment(state.id, last->base_offset, last->version);
    auto own = found->find(last->name());
    if (own != found->end() && own->second.contains(".index")) cut = cut_index(job, path, *last);
    if (!cut) return fail(cut);
  }
  if (removed_any) {
    Result<void> synced = job.files.sync_directory(job.layout.partition(state.id));
    if (!synced) return fail(synced);
  }
  return findings;
}

Result<void> remove_redundant(file::FileSystem& files, const Layout& layout,
                              const PartitionState& state) {
  auto found = list_segments(files, layout, state.id);
  if (!found) return fail(found);
  for (const auto& [name, suffixes] : *found) {
    if (find_segment(state, name) != nullptr || !is_redundant(state, name)) continue;
    remove_segment(files, layout.segment(state.id, name.base, name.version));
  }
  return {};
}

void remove_segment(file::FileSystem& files, const std::string& path) {
  for (std::string_view suffix : {".index", ".seal", ".log"}) {
    Result<void> removed = remove_if_there(files, with_suffix(path, suffix));
    if (!removed) log_warning("{}: {}", path, removed.error().what);
  }
}

}  // namespace leat::log
