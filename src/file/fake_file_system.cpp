#include "file/fake_file_system.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"

namespace leat::file {
namespace {

using Kind = DiskChange::Kind;

Error cannot(Errc code, const char* verb, const std::string& path, const char* why) {
  return {code, fmt::format("cannot {} {}: {}", verb, path, why)};
}

std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names;
  std::size_t at = 0;
  while (at < path.size()) {
    std::size_t slash = std::min(path.find('/', at), path.size());
    std::string name = path.substr(at, slash - at);
    if (!name.empty() && name != ".") names.push_back(std::move(name));
    at = slash + 1;
  }
  return names;
}

bool any_part_of(const std::string& path, const std::vector<std::string>& parts) {
  return std::ranges::any_of(
      parts, [&](const std::string& part) { return path.find(part) != std::string::npos; });
}

/// Calls `visit(path, file)` for every file below `directory`, sorted by path.
template <class Visit>
void for_each_file(const FakeDirectory& directory, const std::string& path, const Visit& visit) {
  for (const auto& [name, node] : directory.entries()) {
    std::string child = path + "/" + name;
    if (node.directory) {
      for_each_file(*node.directory, child, visit);
    } else {
      visit(child, *node.file);
    }
  }
}

}  // namespace

/// An open file. Dead, which every operation says, once its process has ended.
class FakeFileSystem::Handle final : public File, public std::enable_shared_from_this<Handle> {
 public:
  Handle(FakeFileSystem& files, std::shared_ptr<FakeInode> inode, std::string path, bool writable)
      : files_(files),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable),
        process_(files.process_) {}

  Result<std::size_t> read_at(std::uint64_t position, MutableBytes into) const override;
  Result<void> write_at(std::uint64_t position, std::span<const BytesView> parts) override;
  Result<std::uint64_t> size() const override;
  Result<void> truncate(std::uint64_t size) override;
  Result<void> sync() override;
  void async_sync(Executor& executor, SyncDone done) override;
  int native_handle() const override { return -1; }

 private:
  bool dead() const { return process_ != files_.process_ || files_.stopped_; }
  tl::unexpected<Error> refuse(const char* verb) const {
    return tl::unexpected(cannot(Errc::io_error, verb, path_, "Input/output error"));
  }
  Result<void> finish_sync(const FakeInode::Snapshot& snapshot, bool fails);

  FakeFileSystem& files_;
  std::shared_ptr<FakeInode> inode_;
  std::string path_;
  bool writable_;
  std::uint64_t process_;
};

Result<std::size_t> FakeFileSystem::Handle::read_at(std::uint64_t position,
                                                    MutableBytes into) const {
  if (dead() || any_part_of(path_, files_.failing_reads_)) return refuse("read");
  std::size_t n = inode_->read(position, into);
  ++files_.counts_.reads;
  files_.counts_.bytes_read += n;
  return n;
}

Result<void> FakeFileSystem::Handle::write_at(std::uint64_t position,
                                              std::span<const BytesView> parts) {
  if (dead() || !writable_ || any_part_of(path_, files_.failing_writes_)) return refuse("write");
  Bytes bytes;
  for (BytesView part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  Permit permit = files_.begin_change({Kind::write, path_, position, bytes});
  if (permit == Permit::refused) return refuse("write");
  std::uint64_t length = bytes.size();
  bool full = false;
  if (files_.capacity_) {
    std::uint64_t room = files_.room();
    full = inode_->bytes_to_allocate(position, length) > room;
    // A part that surely fits: what is left of the first page, if that exists, and the room.
    std::uint64_t fits = std::min(length, room);
    while (full && inode_->bytes_to_allocate(position, fits) > room) fits /= 2;
    if (full) length = files_.random_.below(fits + 1);
  }
  if (permit == Permit::cut_short) length = files_.random_.below(length + 1);
  inode_->write(position, BytesView(bytes).first(length));
  ++files_.counts_.writes;
  files_.counts_.bytes_written += length;
  if (permit == Permit::cut_short) return refuse("write");
  if (full) {
    return tl::unexpected(cannot(Errc::no_space, "write", path_, "No space left on device"));
  }
  return {};
}

Result<std::uint64_t> FakeFileSystem::Handle::size() const {
  if (dead()) return refuse("look at");
  return inode_->size();
}

Result<void> FakeFileSystem::Handle::truncate(std::uint64_t size) {
  if (dead() || !writable_ || any_part_of(path_, files_.failing_writes_)) return refuse("truncate");
  if (files_.begin_change({Kind::truncate, path_}) != Permit::allowed) return refuse("truncate");
  inode_->truncate(size);
  return {};
}

Result<void> FakeFileSystem::Handle::sync() {
  if (dead() || files_.begin_change({Kind::sync, path_}) != Permit::allowed) return refuse("sync");
  ++files_.counts_.syncs;
  return finish_sync(inode_->snapshot(), files_.sync_fails(path_));
}

Result<void> FakeFileSystem::Handle::finish_sync(const FakeInode::Snapshot& snapshot, bool fails) {
  if (fails) {
    inode_->fail_sync(snapshot);
    return refuse("sync");
  }
  inode_->complete_sync(snapshot);
  return {};
}

void FakeFileSystem::Handle::async_sync(Executor& executor, SyncDone done) {
  if (dead() || files_.begin_change({Kind::sync, path_}) != Permit::allowed) {
    // A dead process hears nothing any more.
    if (files_.stopped_) return;
    executor.post([done = std::move(done), refused = Result<void>(refuse("sync"))]() mutable {
      done(std::move(refused));
    });
    return;
  }
  ++files_.counts_.syncs;
  files_.executor_.after(
      files_.draw_delay(), [self = shared_from_this(), &executor, done = std::move(done),
                            snapshot = inode_->snapshot()]() mutable {
        if (self->dead()) return;
        Result<void> synced = self->finish_sync(snapshot, self->files_.sync_fails(self->path_));
        executor.post(
            [self = std::move(self), done = std::move(done), synced = std::move(synced)]() mutable {
              if (!self->dead()) done(std::move(synced));
            });
      });
}

class FakeFileSystem::Lock final : public DirectoryLock {
 public:
  Lock(FakeFileSystem& files, std::string path)
      : files_(files), path_(std::move(path)), process_(files.process_) {}
  ~Lock() override {
    if (process_ == files_.process_) files_.lock_owners_.erase(path_);
  }

 private:
  FakeFileSystem& files_;
  std::string path_;
  std::uint64_t process_;
};

FakeFileSystem::FakeFileSystem(SimExecutor& executor, std::uint64_t seed)
    : executor_(executor), random_(seed) {
  directories_.push_back(root_);
}

FakeFileSystem::Permit FakeFileSystem::begin_change(const DiskChange& change) {
  if (stopped_) return Permit::refused;
  if (watch_) watch_(change);
  if (!operations_left_) return Permit::allowed;
  if (*operations_left_ == 0) {
    stopped_ = true;
    return Permit::cut_short;
  }
  --*operations_left_;
  return Permit::allowed;
}

std::optional<Error> FakeFileSystem::dead(const char* verb, const std::string& path) const {
  if (!stopped_) return std::nullopt;
  return cannot(Errc::io_error, verb, path, "Input/output error");
}

Result<void> FakeFileSystem::allow_change(const char* verb, const DiskChange& change) {
  if (begin_change(change) == Permit::allowed) return {};
  return tl::unexpected(cannot(Errc::io_error, verb, change.path, "Input/output error"));
}

FakeFileSystem::Place FakeFileSystem::find_place(const std::string& path) const {
  std::vector<std::string> names = names_of(path);
  if (names.empty()) return {root_, ""};
  std::shared_ptr<FakeDirectory> directory = root_;
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    const FakeNode* node = directory->find(names[i]);
    if (!node || !node->directory) return {nullptr, names.back()};
    directory = node->directory;
  }
  return {directory, names.back()};
}

std::shared_ptr<FakeDirectory> FakeFileSystem::find_directory(const std::string& path) const {
  Place place = find_place(path);
  if (!place.directory || place.name.empty()) return place.directory;
  const FakeNode* node = place.directory->find(place.name);
  return node ? node->directory : nullptr;
}

Result<FilePtr> FakeFileSystem::open(const std::string& path, OpenMode mode) {
  if (auto error = dead("open", path)) return tl::unexpected(*error);
  Place place = find_place(path);
  auto refused = [&](Errc code, const char* why) {
    return tl::unexpected(cannot(code, "open", path, why));
  };
  if (!place.directory) return refused(Errc::not_found, "No such file or directory");
  const FakeNode* node = place.directory->find(place.name);
  if (place.name.empty() || (node && node->directory)) {
    return refused(Errc::io_error, "Is a directory");
  }
  bool may_create = mode == OpenMode::create || mode == OpenMode::create_new;
  if (node && mode == OpenMode::create_new) return refused(Errc::already_exists, "File exists");
  if (!node && !may_create) return refused(Errc::not_found, "No such file or directory");
  if (!node) {
    if (room() < FakeInode::page_bytes) {
      return refused(Errc::no_space, "No space left on device");
    }
    if (auto allowed = allow_change("open", {Kind::create, path}); !allowed) return fail(allowed);
    inodes_.push_back(std::make_shared<FakeInode>(random_));
    place.directory->put(place.name, {inodes_.back(), nullptr});
    node = place.directory->find(place.name);
  }
  ++counts_.opens;
  return std::make_shared<Handle>(*this, node->file, path, mode != OpenMode::read);
}

Result<void> FakeFileSystem::remove(const std::string& path) {
  Place place = find_place(path);
  const FakeNode* node = place.directory ? place.directory->find(place.name) : nullptr;
  if (!node) {
    return tl::unexpected(cannot(Errc::not_found, "remove", path, "No such file or directory"));
  }
  if (node->directory) {
    return tl::unexpected(cannot(Errc::io_error, "remove", path, "Is a directory"));
  }
  if (auto allowed = allow_change("remove", {Kind::remove, path}); !allowed) return allowed;
  place.directory->erase(place.name);
  return {};
}

Result<void> FakeFileSystem::remove_all(const std::string& path) {
  if (auto directory = find_directory(path)) {
    FakeDirectory::Entries entries = directory->entries();
    for (const auto& [name, node] : entries) {
      if (auto removed = remove_all(path + "/" + name); !removed) return removed;
    }
  }
  Place place = find_place(path);
  if (!place.directory || !place.directory->find(place.name)) return {};
  if (auto allowed = allow_change("remove", {Kind::remove, path}); !allowed) return allowed;
  place.directory->erase(place.name);
  return {};
}

Result<void> FakeFileSystem::rename(const std::string& from, const std::string& to) {
  Place source = find_place(from);
  Place target = find_place(to);
  if (!source.directory || !source.directory->find(source.name) || !target.directory) {
    return tl::unexpected(
        cannot(Errc::not_found, "rename", from + " to " + to, "No such file or directory"));
  }
  const FakeNode* replaced = target.directory->find(target.name);
  if (replaced && replaced->directory) {
    return tl::unexpected(cannot(Errc::io_error, "rename", from + " to " + to, "Is a directory"));
  }
  if (auto allowed = allow_change("rename", {Kind::rename, to}); !allowed) return allowed;
  target.directory->move_here(*source.directory, source.name, target.name);
  return {};
}

Result<void> FakeFileSystem::make_directories(const std::string& path) {
  std::shared_ptr<FakeDirectory> directory = root_;
  for (const std::string& name : names_of(path)) {
    const FakeNode* node = directory->find(name);
    if (node && !node->directory) {
      return tl::unexpected(cannot(Errc::io_error, "make directory", path, "Not a directory"));
    }
    if (!node) {
      if (auto allowed = allow_change("make directory", {Kind::make_directory, path}); !allowed)
        return allowed;
      auto made = std::make_shared<FakeDirectory>();
      directories_.push_back(made);
      directory->put(name, {nullptr, made});
      node = directory->find(name);
    }
    directory = node->directory;
  }
  return {};
}

Result<bool> FakeFileSystem::exists(const std::string& path) {
  if (auto error = dead("look at", path)) return tl::unexpected(*error);
  Place place = find_place(path);
  return place.directory && (place.name.empty() || place.directory->find(place.name));
}

Result<std::vector<DirectoryEntry>> FakeFileSystem::list(const std::string& directory) {
  if (auto error = dead("list", directory)) return tl::unexpected(*error);
  auto found = find_directory(directory);
  if (!found) {
    return tl::unexpected(cannot(Errc::not_found, "list", directory, "No such file or directory"));
  }
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, node] : found->entries()) {
    entries.push_back({name, node.directory != nullptr});
  }
  return entries;
}

Result<void> FakeFileSystem::sync_directory(const std::string& directory) {
  auto found = find_directory(directory);
  if (!found) {
    return tl::unexpected(cannot(Errc::not_found, "open", directory, "No such file or directory"));
  }
  if (auto allowed = allow_change("sync", {Kind::sync_directory, directory}); !allowed)
    return allowed;
  ++counts_.directory_syncs;
  if (sync_fails(directory)) {
    return tl::unexpected(cannot(Errc::io_error, "sync", directory, "Input/output error"));
  }
  found->sync();
  return {};
}

Result<std::unique_ptr<DirectoryLock>> FakeFileSystem::lock(const std::string& directory,
                                                            const std::string& owner) {
  std::string path = directory + "/lock";
  auto file = open(path, OpenMode::create);
  if (!file) return fail(file);
  auto [held, taken] = lock_owners_.try_emplace(path, owner);
  if (!taken) {
    return fail(Errc::locked, fmt::format("{} is held by {}", directory, held->second));
  }
  auto lock = std::make_unique<Lock>(*this, path);
  if (auto emptied = (*file)->truncate(0); !emptied) return fail(emptied);
  std::array text{as_bytes(owner)};
  if (auto written = (*file)->write_at(0, text); !written) return fail(written);
  return lock;
}

Result<std::uint64_t> FakeFileSystem::free_bytes(const std::string& path) {
  if (auto error = dead("look at", path)) return tl::unexpected(*error);
  return room();
}

std::uint64_t FakeFileSystem::room() const {
  if (!capacity_) return std::uint64_t{1} << 40;
  std::uint64_t used = used_bytes();
  return used < *capacity_ ? *capacity_ - used : 0;
}

std::uint64_t FakeFileSystem::used_bytes() const {
  std::uint64_t used = 0;
  for_each_file(*root_, "",
                [&](const std::string&, const FakeInode& file) { used += file.allocated_bytes(); });
  return used;
}

std::string FakeFileSystem::boot_id() {
  return fmt::format("boot-{}", boot_);
}

void FakeFileSystem::offload(Work job, Executor& executor, Work done) {
  executor_.after(draw_delay(), [this, process = process_, job = std::move(job), &executor,
                                 done = std::move(done)]() mutable {
    if (process != process_ || stopped_) return;
    job();
    if (!stopped_) executor.post(std::move(done));
  });
}

void FakeFileSystem::end_process() {
  ++process_;
  lock_owners_.clear();
  operations_left_.reset();
  stopped_ = false;
}

void FakeFileSystem::kill() {
  end_process();
}

void FakeFileSystem::power_loss() {
  end_process();
  ++boot_;
  std::erase_if(directories_, [](const auto& directory) { return directory.expired(); });
  for (auto& directory : directories_) {
    if (auto there = directory.lock()) there->draw_survivors(random_);
  }
  for (auto& directory : directories_) {
    if (auto there = directory.lock()) there->lose_power();
  }
  for (auto& inode : inodes_) {
    inode->lose_power([this](std::size_t index) { return draw_stale_page(index); });
  }
}

FakeInode::PagePtr FakeFileSystem::draw_stale_page(std::size_t index) {
  const FakeInode& other = *inodes_[random_.below(inodes_.size())];
  if (other.page_count() == 0) return nullptr;
  // Mostly the same place, where another partition's batches may begin at the same positions.
  bool same_place = index < other.page_count() && !random_.one_in(4);
  return other.page(same_place ? index : random_.below(other.page_count()));
}

void FakeFileSystem::set_free_bytes(std::optional<std::uint64_t> bytes) {
  capacity_.reset();
  if (bytes) capacity_ = used_bytes() + *bytes;
}

void FakeFileSystem::fail_sync(const std::string& part, std::uint64_t nth) {
  ASSERT(nth > 0);
  failing_syncs_.push_back({part, nth});
}

bool FakeFileSystem::sync_fails(const std::string& path) {
  bool fails = false;
  std::erase_if(failing_syncs_, [&](FailingSync& failing) {
    if (path.find(failing.part) == std::string::npos || --failing.nth > 0) return false;
    return fails = true;
  });
  return fails;
}

void FakeFileSystem::heal() {
  failing_syncs_.clear();
  failing_reads_.clear();
  failing_writes_.clear();
}

void FakeFileSystem::set_delays(std::chrono::nanoseconds least, std::chrono::nanoseconds most) {
  ASSERT(least <= most);
  least_delay_ = least;
  most_delay_ = most;
}

std::chrono::nanoseconds FakeFileSystem::draw_delay() {
  return std::chrono::nanoseconds(random_.between(least_delay_.count(), most_delay_.count()));
}

void FakeFileSystem::flip_bit(const std::string& path, std::uint64_t position, int bit) {
  Place place = find_place(path);
  const FakeNode* node = place.directory ? place.directory->find(place.name) : nullptr;
  ASSERT(node && node->file);
  node->file->flip_bit(position, bit);
}

std::optional<FakeFileSystem::FlippedBit> FakeFileSystem::flip_random_bit(const std::string& part) {
  std::vector<std::pair<std::string, std::uint64_t>> candidates;
  for_each_file(*root_, "", [&](const std::string& path, const FakeInode& file) {
    if (path.find(part) != std::string::npos && file.size() > 0) {
      candidates.emplace_back(path, file.size());
    }
  });
  if (candidates.empty()) return std::nullopt;
  const auto& [path, size] = candidates[random_.below(candidates.size())];
  FlippedBit flipped{path, random_.below(size), static_cast<int>(random_.below(8))};
  flip_bit(flipped.path, flipped.position, flipped.bit);
  return flipped;
}

std::vector<std::string> FakeFileSystem::file_paths() const {
  std::vector<std::string> paths;
  for_each_file(*root_, "",
                [&](const std::string& path, const FakeInode&) { paths.push_back(path); });
  return paths;
}

}  // namespace leat::file
