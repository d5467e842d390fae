#include "file/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "base/random.h"
#include "base/uuid.h"

namespace leat::file {
namespace {

Errc code_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return Errc::no_space;
    case ENOENT: return Errc::not_found;
    case EEXIST: return Errc::already_exists;
    default: return Errc::io_error;
  }
}

tl::unexpected<Error> cannot(const char* verb, const std::string& path, int error = errno) {
  return fail(code_of(error),
              fmt::format("cannot {} {}: {}", verb, path, std::generic_category().message(error)));
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto retry(Call call) {
  for (;;) {
    auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Descriptor open_descriptor(const std::string& path, int flags) {
  return Descriptor(retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); }));
}

/// The part of a gathered write that is still to do. The kernel takes up to IOV_MAX parts at once
/// and may write less than it was given.
class PendingWrite {
 public:
  explicit PendingWrite(std::span<const BytesView> parts) : parts_(parts) { skip(0); }

  bool empty() const { return parts_.empty(); }
  /// Fills `vectors` with the next parts and gives their number.
  int next(std::span<iovec> vectors) const {
    std::size_t count = std::min(vectors.size(), parts_.size());
    for (std::size_t i = 0; i < count; ++i) {
      BytesView part = i == 0 ? parts_[0].subspan(done_) : parts_[i];
      // pwritev does not write through its const-less pointer.
      vectors[i] = {const_cast<std::byte*>(part.data()), part.size()};
    }
    return static_cast<int>(count);
  }
  void skip(std::size_t bytes) {
    done_ += bytes;
    while (!parts_.empty() && done_ >= parts_[0].size()) {
      done_ -= parts_[0].size();
      parts_ = parts_.subspan(1);
    }
  }

 private:
  std::span<const BytesView> parts_;
  std::size_t done_ = 0;
};

class PosixFile final : public File, public std::enable_shared_from_this<PosixFile> {
 public:
  PosixFile(Descriptor fd, std::string path, JobPool& pool)
      : fd_(std::move(fd)), path_(std::move(path)), pool_(pool) {}

  Result<std::size_t> read_at(std::uint64_t position, MutableBytes into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      ssize_t n = retry([&] {
        return ::pread(fd_.get(), into.data() + done, into.size() - done,
                       static_cast<off_t>(position + done));
      });
      if (n < 0) return cannot("read", path_);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  bool is_cached(std::uint64_t position, std::uint64_t bytes) const override {
    // What the kernel reads ahead at once, and so about what it lets go of at once.
    constexpr std::uint64_t step = 128 << 10;
    std::byte probe;
    iovec into{&probe, 1};
    for (std::uint64_t at = position; at < position + bytes; at += step) {
      auto place = static_cast<off_t>(at);
      ssize_t n = retry([&] { return ::preadv2(fd_.get(), &into, 1, place, RWF_NOWAIT); });
      // Any other failure says that this file system cannot tell.
      if (n < 0 && errno == EAGAIN) return false;
    }
    return true;
  }

  Result<void> write_at(std::uint64_t position, std::span<const BytesView> parts) override {
    std::array<iovec, IOV_MAX> vectors;
    PendingWrite pending(parts);
    while (!pending.empty()) {
      int count = pending.next(vectors);
      ssize_t n = retry([&] {
        return ::pwritev(fd_.get(), vectors.data(), count, static_cast<off_t>(position));
      });
      if (n < 0) return cannot("write", path_);
      position += static_cast<std::uint64_t>(n);
      pending.skip(static_cast<std::size_t>(n));
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat status;
    if (::fstat(fd_.get(), &status) != 0) return cannot("look at", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<void> truncate(std::uint64_t size) override {
    int done = retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); });
    if (done != 0) return cannot("truncate", path_);
    return {};
  }

  Result<void> sync() override {
    // Not repeated on EINTR: nothing says that the pages it gave up on are still dirty.
    if (::fdatasync(fd_.get()) != 0) return cannot("sync", path_);
    return {};
  }

  void async_sync(Executor& executor, SyncDone done) override {
    pool_.run([self = shared_from_this(), &executor, done = std::move(done)]() mutable {
      Result<void> synced = self->sync();
      executor.post([self = std::move(self), done = std::move(done),
                     synced = std::move(synced)]() mutable { done(std::move(synced)); });
    });
  }

  int native_handle() const override { return fd_.get(); }

  /// Whether anything could not be written since the last sync. Flushes nothing.
  Result<void> check_written() const {
    if (::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WAIT_AFTER) != 0) {
      return cannot("sync", path_);
    }
    return {};
  }

 private:
  Descriptor fd_;
  std::string path_;
  JobPool& pool_;
};

/// The lock is flock's, which dies with its process; the file and its text may be stale.
class PosixDirectoryLock final : public DirectoryLock {
 public:
  explicit PosixDirectoryLock(Descriptor fd) : fd_(std::move(fd)) {}
  ~PosixDirectoryLock() override {
    // An empty text says more than that of an owner who has gone. Closing unlocks.
    [[maybe_unused]] int done = ::ftruncate(fd_.get(), 0);
  }

 private:
  Descriptor fd_;
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read: return O_RDONLY;
    case OpenMode::read_write: return O_RDWR;
    case OpenMode::create: return O_RDWR | O_CREAT;
    case OpenMode::create_new: return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

std::string text_of(int fd) {
  std::array<char, 512> text;
  ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  return std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
}

}  // namespace

/// Thread-safe.
class PosixFileSystem::Reserve {
 public:
  Reserve() { fill(); }

  /// open_descriptor(), with one that was held back if there is no other.
  Descriptor open(const std::string& path, int flags) {
    while (true) {
      Descriptor fd = open_descriptor(path, flags);
      if (fd.get() >= 0) {
        if (is_short_) fill();
        return fd;
      }
      int error = errno;
      bool is_out = error == EMFILE || error == ENFILE;
      if (!is_out || !give_one()) {
        errno = error;
        return fd;
      }
    }
  }

 private:
  static constexpr std::size_t held_back = 16;

  bool give_one() {
    std::lock_guard lock(mutex_);
    if (held_.empty()) return false;
    held_.pop_back();
    is_short_ = true;
    return true;
  }
  void fill() {
    std::lock_guard lock(mutex_);
    while (held_.size() < held_back) {
      Descriptor fd = open_descriptor("/dev/null", O_RDONLY);
      if (fd.get() < 0) return;
      held_.push_back(std::move(fd));
    }
    is_short_ = false;
  }

  std::atomic<bool> is_short_{false};
  std::mutex mutex_;
  std::vector<Descriptor> held_;  // guarded by mutex_
};

PosixFileSystem::PosixFileSystem(int threads)
    : reserve_(std::make_unique<Reserve>()), pool_(threads) {}

PosixFileSystem::~PosixFileSystem() = default;

Result<FilePtr> PosixFileSystem::open(const std::string& path, OpenMode mode) {
  Descriptor fd = reserve_->open(path, flags_of(mode));
  if (fd.get() < 0) return cannot("open", path);
  return std::make_shared<PosixFile>(std::move(fd), path, pool_);
}

Result<void> PosixFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return cannot("remove", path);
  return {};
}

Result<void> PosixFileSystem::remove_all(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return cannot("remove", path, error.value());
  return {};
}

Result<void> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return cannot("rename", from + " to " + to);
  return {};
}

Result<void> PosixFileSystem::make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return cannot("make directory", path, error.value());
  return {};
}

Result<bool> PosixFileSystem::exists(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return cannot("look at", path);
}

Result<std::vector<DirectoryEntry>> PosixFileSystem::list(const std::string& directory) {
  std::error_code error;
  std::vector<DirectoryEntry> entries;
  std::filesystem::directory_iterator at(directory, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    std::error_code ignored;  // Gone since it was listed: then it is no directory.
    entries.push_back({at->path().filename().string(), at->is_directory(ignored)});
  }
  if (error) return cannot("list", directory, error.value());
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  return entries;
}

Result<void> PosixFileSystem::sync_directory(const std::string& directory) {
  Descriptor fd = reserve_->open(directory, O_RDONLY | O_DIRECTORY);
  if (fd.get() < 0) return cannot("open", directory);
  if (::fsync(fd.get()) != 0) return cannot("sync", directory);
  return {};
}

Result<std::unique_ptr<DirectoryLock>> PosixFileSystem::lock(const std::string& directory,
                                                             const std::string& owner) {
  std::string path = directory + "/lock";
  Descriptor fd = open_descriptor(path, O_RDWR | O_CREAT);
  if (fd.get() < 0) return cannot("open", path);
  if (retry([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return cannot("lock", path);
    return fail(Errc::locked, fmt::format("{} is held by {}", directory, text_of(fd.get())));
  }
  if (::ftruncate(fd.get(), 0) != 0) return cannot("truncate", path);
  ssize_t n = retry([&] { return ::pwrite(fd.get(), owner.data(), owner.size(), 0); });
  if (n < 0) return cannot("write", path);
  return std::make_unique<PosixDirectoryLock>(std::move(fd));
}

std::vector<Result<void>> PosixFileSystem::sync_all(std::span<const FilePtr> files) {
  // Every sync of a file flushes the disk's cache, and writes an inode by itself.
  constexpr std::size_t many = 16;
  if (files.size() < many || ::syncfs(files.front()->native_handle()) != 0) {
    return FileSystem::sync_all(files);
  }
  std::vector<Result<void>> results;
  for (const FilePtr& file : files) {
    // syncfs() does not say which file could not be written. This does, and finds nothing to write.
    results.push_back(static_cast<const PosixFile&>(*file).check_written());
  }
  // Metadata may have been written behind syncfs()'s own flush of the disk's cache.
  Result<void> flushed = files.front()->sync();
  for (Result<void>& result : results) {
    if (result && !flushed) result = flushed;
  }
  return results;
}

Result<std::uint64_t> PosixFileSystem::free_bytes(const std::string& path) {
  struct statvfs status;
  if (retry([&] { return ::statvfs(path.c_str(), &status); }) != 0) return cannot("look at", path);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

std::size_t PosixFileSystem::open_files_max() const {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return FileSystem::open_files_max();
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 20));
}

std::string PosixFileSystem::boot_id() {
  Descriptor fd = open_descriptor("/proc/sys/kernel/random/boot_id", O_RDONLY);
  std::string text = fd.get() < 0 ? std::string() : text_of(fd.get());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty()) return text;
  // Unknown: equal to no other, so that nobody trusts a page cache that may be gone.
  Random random = Random::from_entropy();
  return Uuid::random(random).to_hex();
}

void PosixFileSystem::offload(Work job, Executor& executor, Work done) {
  pool_.run([job = std::move(job), &executor, done = std::move(done)]() mutable {
    job();
    job = nullptr;  // Frees what it owns here, not on the executor.
    executor.post(std::move(done));
  });
}

}  // namespace leat::file
