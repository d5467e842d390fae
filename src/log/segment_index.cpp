// How a segment's index is read, made good and kept.
#include <algorithm>

#include <fmt/core.h>

#include "base/logging.h"
#include "log/layout.h"
#include "log/segment.h"

namespace leat::log {

Result<Index> Segment::read_index_file() const {
  std::string path = with_suffix(path_, ".index");
  Result<Bytes> bytes = file::read_file(files_, path);
  if (!bytes) {
    if (bytes.error().code != Errc::not_found) return fail(bytes);
    return Index(base_offset_, path_);
  }
  Index index(base_offset_, path_);
  index.decode(*bytes, found_end_);
  std::lock_guard lock(mutex_);
  // What stands behind the good entries must not be taken for newer ones.
  index_saved_ = bytes->size() == Index::file_position(index.size()) ? index.size() : 0;
  return index;
}

Result<void> Segment::load_index() const {
  std::lock_guard loading(load_mutex_);
  {
    std::lock_guard lock(mutex_);
    if (index_loaded_) return {};
  }
  Result<file::FilePtr> opened = file();
  if (!opened) return fail(opened);
  Result<Index> read = read_index_file();
  if (!read) return fail(read);
  Index& index = *read;
  std::size_t in_file = index.size();
  for (const Damage& d : damage()) index.insert({d.offsets.next, d.position + d.bytes});
  if (index.size() != in_file) {
    std::lock_guard lock(mutex_);
    index_saved_ = 0;
  }
  Place at = index.last();
  std::int64_t max_timestamp_ms = index.last_max_timestamp_ms();
  if (found_end_.position > at.position + 4 * settings_.index_interval_bytes) {
    log_info("{}: reading the index of bytes {} to {} from the segment", path_, at.position,
             found_end_.position);
  }
  RangeVisitor visitor;
  visitor.batch = [&](const ScannedBatch& batch) {
    if (batch.position == 0 ||
        batch.position >= index.last().position + settings_.index_interval_bytes) {
      index.add({batch.head.base_offset, batch.position}, max_timestamp_ms);
    }
    max_timestamp_ms = std::max(max_timestamp_ms, batch.head.max_timestamp_ms);
  };
  visitor.damage = [&](const Damage& d, const std::string& cause) {
    {
      std::lock_guard lock(mutex_);
      mark_checked(at, {d.offsets.base, d.position});
    }
    at = {d.offsets.next, d.position + d.bytes};
    index.insert(at);
    found_damage(d, cause);
  };
  auto no_boundary = [](std::uint64_t) { return std::optional<Place>(); };
  // Known damage lies before `at`, or between the entries that were read.
  Result<void> checked = check_range(**opened, base_offset_, at, found_end_, no_boundary, visitor);
  if (!checked) return checked;
  std::lock_guard lock(mutex_);
  mark_checked(at, found_end_);
  index.prepend_to(index_);
  index_loaded_ = true;
  return {};
}

Result<void> Segment::save_index_if(std::size_t entries_min) const {
  {
    std::lock_guard lock(mutex_);
    if (!index_loaded_ || index_.size() < index_saved_ + entries_min) return {};
  }
  return save_index();
}

Result<void> Segment::save_index() const {
  Result<void> loaded = load_index();
  if (!loaded) return loaded;
  Bytes bytes;
  std::size_t first = 0;
  std::size_t saved = 0;
  {
    std::lock_guard lock(mutex_);
    first = index_saved_;
    saved = index_.size();
    if (first == saved) return {};
    bytes = index_.encode(first);
  }
  Result<file::FilePtr> opened = files_.open(with_suffix(path_, ".index"), file::OpenMode::create);
  if (!opened) return fail(opened);
  if (first == 0) {
    Result<void> emptied = (*opened)->truncate(0);
    if (!emptied) return emptied;
  }
  BytesView part(bytes);
  Result<void> written =
      (*opened)->write_at(first == 0 ? 0 : Index::file_position(first), std::span(&part, 1));
  if (!written) return written;
  std::lock_guard lock(mutex_);
  // Damage found meanwhile has changed entries in the middle: all is written next time.
  if (index_saved_ == first) index_saved_ = saved;
  return {};
}

}  // namespace leat::log
