#include "log/backup.h"

#include <algorithm>
#include <memory>
#include <set>

#include <fmt/core.h>

#include "log/checkpoint.h"
#include "log/format.h"
#include "log/journal.h"
#include "log/layout.h"
#include "log/recovery.h"

namespace leat::log {
namespace {

std::string without_end_slash(const std::string& path) {
  std::size_t end = path.find_last_not_of('/');
  return end == path.npos ? path : path.substr(0, end + 1);
}

void add_part(BackupPlan& plan, BackupPlan::Part part) {
  plan.bytes += part.bytes.value_or(0);
  plan.parts.push_back(std::move(part));
}

/// All files of a directory, which may be missing.
Result<void> add_files(file::FileSystem& files, const Layout& layout, const std::string& directory,
                       BackupPlan& plan) {
  Result<std::vector<file::DirectoryEntry>> entries = files.list(directory);
  if (!entries && entries.error().code == Errc::not_found) return {};
  if (!entries) return fail(entries);
  for (const file::DirectoryEntry& entry : *entries) {
    if (entry.is_directory) continue;
    add_part(plan, {layout.relative(directory + "/" + entry.name), std::nullopt, false});
  }
  return {};
}

/// What `states` names: segments up to their ends, and what stands beside those that are sealed.
Result<void> add_states(file::FileSystem& files, const Layout& layout,
                        const std::vector<PartitionState>& states, BackupPlan& plan) {
  for (const PartitionState& state : states) {
    ++plan.partitions;
    plan.damaged_ranges += unreadable(state.damage, state.gaps).size();
    for (const SegmentState& segment : state.segments) {
      std::string path =
          layout.relative(layout.segment(state.id, segment.base_offset, segment.version));
      bool is_damaged = std::any_of(
          state.damage.begin(), state.damage.end(),
          [&](const Damage& damage) { return damage.segment_base == segment.base_offset; });
      add_part(plan, {path, segment.bytes, is_damaged});
      if (!segment.sealed) continue;
      add_part(plan, {with_suffix(path, ".index"), std::nullopt, true});
      add_part(plan, {with_suffix(path, ".seal"), std::nullopt, is_damaged});
    }
    // One that is newer than the checkpoint is not used: the log is read instead.
    if (state.producers_from) {
      add_part(plan, {layout.relative(layout.producers(state.id)), std::nullopt, true});
    }
  }
  return add_files(files, layout, layout.quarantine(), plan);
}

}  // namespace

Result<BackupPlan> plan_backup_of_running(file::FileSystem& files, const std::string& directory,
                                          BytesView checkpoint) {
  Layout layout(directory);
  Result<void> readable = check_format(files, layout);
  if (!readable) return fail(readable);
  Result<Checkpoint> point = decode_checkpoint(checkpoint);
  if (!point) return fail(point);
  // Each directory has a salt of its own; it only changes where a start writes a checkpoint.
  Result<LoadedCheckpoint> on_disk = load_checkpoint(files, layout);
  if (!on_disk) return fail(on_disk);
  if (on_disk->found && on_disk->checkpoint.head.salt != point->head.salt)
    return fail(Errc::invalid_argument,
                fmt::format("the server that was asked does not serve {}", directory));
  BackupPlan plan;
  // The copy is on disk before it has its name, whatever its original promises.
  point->head.early_boot = 0;
  plan.checkpoint = encode(*point);
  plan.bytes = plan.checkpoint.size();
  Result<void> added = add_states(files, layout, point->partitions, plan);
  if (!added) return fail(added);
  return plan;
}

Result<BackupPlan> plan_backup_of_stopped(file::FileSystem& files, const std::string& directory) {
  Layout layout(directory);
  Result<void> readable = check_format(files, layout);
  if (!readable) return fail(readable);
  Result<LoadedCheckpoint> loaded = load_checkpoint(files, layout);
  if (!loaded) return fail(loaded);
  BackupPlan plan;
  if (loaded->found) {
    const CheckpointHead& head = loaded->checkpoint.head;
    Result<JournalScan> scan = scan_journal(files, layout, head.salt, head.sequence);
    if (!scan) return fail(scan);
    if (scan->sequence_max == 0 && scan->holes.empty() && head.early_boot == 0) {
      plan.checkpoint = encode(loaded->checkpoint);
      plan.bytes = plan.checkpoint.size();
      Result<void> added = add_states(files, layout, loaded->checkpoint.partitions, plan);
      if (!added) return fail(added);
      return plan;
    }
    add_part(plan, {layout.relative(layout.checkpoint()), std::nullopt, false});
  }
  for (const std::string& folder : {layout.journal_directory(), layout.quarantine()}) {
    Result<void> added = add_files(files, layout, folder, plan);
    if (!added) return fail(added);
  }
  Result<std::vector<file::DirectoryEntry>> topics = files.list(layout.partitions());
  if (!topics) return fail(topics);
  for (const file::DirectoryEntry& topic : *topics) {
    std::string path = layout.partitions() + "/" + topic.name;
    if (!topic.is_directory) continue;
    Result<std::vector<file::DirectoryEntry>> partitions = files.list(path);
    if (!partitions) return fail(partitions);
    for (const file::DirectoryEntry& partition : *partitions) {
      if (!partition.is_directory) continue;
      Result<void> added = add_files(files, layout, path + "/" + partition.name, plan);
      if (!added) return fail(added);
      ++plan.partitions;
    }
  }
  return plan;
}

std::string unfinished_backup(const std::string& target) {
  return without_end_slash(target) + ".unfinished";
}

namespace {

class BackupWriter {
 public:
  BackupWriter(file::FileSystem& files, const BackupPlan& plan, const std::string& directory,
               const std::string& made)
      : files_(files), plan_(plan), from_(directory), made_(made) {}

  Result<void> copy(const file::CopyProgress& progress);
  /// Makes all of it durable.
  Result<void> sync();

 private:
  Result<void> copy_part(const BackupPlan::Part& part, const file::CopyProgress& progress);
  Result<void> write(const std::string& path, BytesView content);

  file::FileSystem& files_;
  const BackupPlan& plan_;
  Layout from_;
  Layout made_;
  std::vector<std::string> written_;
  std::set<std::string> directories_;
};

Result<void> BackupWriter::copy_part(const BackupPlan::Part& part,
                                     const file::CopyProgress& progress) {
  Result<file::FilePtr> from = files_.open(from_.root() + "/" + part.path, file::OpenMode::read);
  if (!from && from.error().code == Errc::not_found && part.may_lack) return {};
  if (!from) return fail(from);
  Result<std::uint64_t> size = (*from)->size();
  if (!size) return fail(size);
  std::string path = made_.root() + "/" + part.path;
  for (std::string folder = parent_of(path); folder.size() > made_.root().size();
       folder = parent_of(folder)) {
    directories_.insert(folder);
  }
  Result<void> ready = files_.make_directories(parent_of(path));
  if (!ready) return ready;
  Result<file::FilePtr> to = files_.open(path, file::OpenMode::create_new);
  if (!to) return fail(to);
  written_.push_back(path);
  std::uint64_t bytes = part.bytes.value_or(*size);
  Result<std::uint64_t> copied = file::copy_bytes(**from, **to, bytes, progress);
  if (!copied) return fail(copied);
  if (*copied < bytes && !part.may_lack)
    return fail(Errc::corrupt_message,
                fmt::format("{} has {} bytes, and {} were acknowledged: leat fsck knows more",
                            part.path, *copied, bytes));
  return {};
}

Result<void> BackupWriter::write(const std::string& path, BytesView content) {
  Result<file::FilePtr> file = files_.open(path, file::OpenMode::create_new);
  if (!file) return fail(file);
  written_.push_back(path);
  return (*file)->write_at(0, std::span(&content, 1));
}

Result<void> BackupWriter::copy(const file::CopyProgress& progress) {
  for (const std::string& folder : {made_.journal_directory(), made_.partitions()}) {
    Result<void> ready = files_.make_directories(folder);
    if (!ready) return ready;
    directories_.insert(folder);
  }
  for (const BackupPlan::Part& part : plan_.parts) {
    Result<void> copied = copy_part(part, progress);
    if (!copied) return copied;
  }
  if (!plan_.checkpoint.empty()) {
    Result<void> written = write(made_.checkpoint(), plan_.checkpoint);
    if (!written) return written;
  }
  Result<Bytes> format = file::read_file(files_, from_.format());
  if (!format) return fail(format);
  return write(made_.format(), *format);
}

Result<void> BackupWriter::sync() {
  // Many in one go, but not all: each takes a descriptor.
  constexpr std::size_t step = 256;
  std::vector<file::FilePtr> opened;
  for (const std::string& path : written_) {
    Result<file::FilePtr> file = files_.open(path, file::OpenMode::read_write);
    if (!file) return fail(file);
    opened.push_back(std::move(*file));
    if (opened.size() < step && &path != &*std::prev(written_.end())) continue;
    for (const Result<void>& synced : files_.sync_all(opened)) {
      if (!synced) return synced;
    }
    opened.clear();
  }
  for (const std::string& folder : directories_) {
    Result<void> synced = files_.sync_directory(folder);
    if (!synced) return synced;
  }
  return files_.sync_directory(made_.root());
}

/// An error that says so where `target` is more than an empty directory.
Result<void> check_target(file::FileSystem& files, const std::string& target) {
  Result<bool> exists = files.exists(target);
  if (!exists) return fail(exists);
  if (!*exists) return {};
  Result<std::vector<file::DirectoryEntry>> entries = files.list(target);
  if (!entries) return fail(entries);
  if (entries->empty()) return {};
  return fail(Errc::already_exists,
              fmt::format("{} is not empty: a backup goes into a directory of its own", target));
}

/// Makes `path` an empty directory that is locked: two backups to one place must not mix.
Result<std::unique_ptr<file::DirectoryLock>> take_empty(file::FileSystem& files,
                                                        const std::string& path) {
  Result<void> made = files.make_directories(path);
  if (!made) return fail(made);
  Result<std::unique_ptr<file::DirectoryLock>> lock = files.lock(path, "an unfinished backup");
  if (!lock) return lock;
  Result<std::vector<file::DirectoryEntry>> entries = files.list(path);
  if (!entries) return fail(entries);
  for (const file::DirectoryEntry& entry : *entries) {
    if (entry.name == "lock") continue;
    Result<void> removed = files.remove_all(path + "/" + entry.name);
    if (!removed) return fail(removed);
  }
  return lock;
}

}  // namespace

Result<void> write_backup(file::FileSystem& files, const BackupPlan& plan,
                          const std::string& directory, const std::string& to,
                          const file::CopyProgress& progress, const BeforeName& before_name) {
  std::string target = without_end_slash(to);
  std::string made = unfinished_backup(target);
  Result<void> done = check_target(files, target);
  if (!done) return done;
  Result<std::unique_ptr<file::DirectoryLock>> lock = take_empty(files, made);
  if (!lock) return fail(lock);
  BackupWriter writer(files, plan, directory, made);
  done = writer.copy(progress);
  if (done) done = writer.sync();
  if (done) done = before_name();
  if (done) done = files.rename(made, target);
  if (!done) {
    static_cast<void>(files.remove_all(made));
    return done;
  }
  done = files.remove(target + "/lock");
  if (done) done = files.sync_directory(parent_of(target));
  return done;
}

}  // namespace leat::log
