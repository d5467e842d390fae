// What a server should know of the directory it is to use, and of the disk under it.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include <fmt/core.h>

#include "file/posix_file_system.h"
#include "log/format.h"
#include "tools/doctor.h"
#include "tools/progress.h"

namespace leat::tools {

namespace {

/// What a file system is called, and why not to keep data on it, if there is a reason.
struct FileSystemKind {
  std::uint32_t magic;
  const char* name;
  const char* trouble;
};

constexpr const char* gone = "what is on it is gone after a restart of the machine";
constexpr const char* remote = "locks and syncs over a network often promise more than they keep";
constexpr std::array kinds = std::to_array<FileSystemKind>({
    {0xef53, "ext4", nullptr},
    {0x58465342, "xfs", nullptr},
    {0x9123683e, "btrfs", nullptr},
    {0x2fc12fc1, "zfs", nullptr},
    {0xf2f52010, "f2fs", nullptr},
    {0xca451a4e, "bcachefs", nullptr},
    {0x01021994, "tmpfs", gone},
    {0x858458f6, "ramfs", gone},
    {0x794c7630, "overlay", "in a container it goes with the container: mount a volume there"},
    {0x6969, "nfs", remote},
    {0xff534d42, "cifs", remote},
    {0xfe534d42, "smb2", remote},
    {0x01021997, "9p", remote},
    {0x65735546, "fuse", "what a sync means there is up to the program behind it"},
    {0x4d44, "vfat", "it has neither owners nor a journal of its own"},
});

void check_kind(const std::string& directory, Findings& findings) {
  struct statfs status {};
  if (::statfs(directory.c_str(), &status) != 0)
    return findings.fail("filesystem", fmt::format("{}: {}", directory, std::strerror(errno)), "");
  auto magic = static_cast<std::uint32_t>(status.f_type);
  auto kind = std::find_if(kinds.begin(), kinds.end(),
                           [&](const FileSystemKind& k) { return k.magic == magic; });
  if (kind == kinds.end()) {
    findings.warn("filesystem", fmt::format("of a kind not known here ({:#x})", magic),
                  "see below whether its syncs take as long as a disk needs");
  } else {
    findings.expect(kind->trouble == nullptr, "filesystem",
                    kind->trouble ? fmt::format("{}: {}", kind->name, kind->trouble) : kind->name,
                    "keep data on a local ext4, xfs or btrfs");
  }
  constexpr std::uint64_t low_bytes = 1'000'000'000;
  auto block = static_cast<std::uint64_t>(status.f_bsize);
  std::uint64_t free = status.f_bavail * block;
  std::uint64_t all = status.f_blocks * block;
  std::string space = fmt::format("{} of {} free", bytes_text(free), bytes_text(all));
  if (free == 0) {
    findings.fail("space", space, "make room: nothing can be appended");
  } else {
    findings.expect(free >= low_bytes, "space", space, "make room before it is full");
  }
  if (status.f_files > 0 && status.f_ffree < 1000)
    findings.warn("space", fmt::format("{} files more may be made", status.f_ffree),
                  "every segment is three files: remove some elsewhere");
}

/// Whether we may write there, and whether all of it is ours.
bool check_owner(const std::string& directory, Findings& findings) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    findings.fail("owner", fmt::format("{}: {}", directory, std::strerror(errno)), "");
    return false;
  }
  std::string who = fmt::format("owned by user {}, mode {:o}; we are user {}", status.st_uid,
                                status.st_mode & 07777U, ::geteuid());
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    findings.fail("owner", fmt::format("{}: {}", who, std::strerror(errno)),
                  fmt::format("chown -R it to the server's user, or run as that user"));
    return false;
  }
  constexpr unsigned others_write = 02;
  bool is_ours = status.st_uid == ::geteuid() && (status.st_mode & others_write) == 0;
  findings.expect(
      is_ours, "owner", who,
      "run this as the server's user; a server of one user cannot use files of another");
  return true;
}

/// Gives nothing where it cannot be done.
std::optional<std::vector<double>> time_syncs(file::FileSystem& files, const std::string& directory,
                                              Findings& findings) {
  constexpr int rounds = 20;
  constexpr std::size_t block_bytes = 4096;
  std::string path = fmt::format("{}/doctor-{}.tmp", directory, ::getpid());
  std::vector<double> times_ms;
  Result<void> done;
  {
    auto file = files.open(path, file::OpenMode::create);
    if (!file) done = fail(file);
    Bytes block(block_bytes, std::byte{0x5a});
    std::array parts{BytesView(block)};
    for (int i = 0; i < rounds && done; ++i) {
      auto begin = std::chrono::steady_clock::now();
      done = (*file)->write_at(static_cast<std::uint64_t>(i) * block_bytes, parts);
      if (done) done = (*file)->sync();
      std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
      times_ms.push_back(took.count());
    }
  }
  static_cast<void>(files.remove(path));
  if (done) {
    std::sort(times_ms.begin(), times_ms.end());
    return times_ms;
  }
  findings.fail("fsync", done.error().what,
                "the disk takes no data that could be relied upon: look at dmesg");
  return std::nullopt;
}

void check_syncs(file::FileSystem& files, const std::string& directory, Findings& findings) {
  auto times_ms = time_syncs(files, directory, findings);
  if (!times_ms) return;
  constexpr double slow_ms = 50;
  double median = (*times_ms)[times_ms->size() / 2];
  findings.expect(median < slow_ms, "fsync",
                  fmt::format("a 4 KiB write and sync takes {:.2f} ms, at worst {:.2f} ms of {}",
                              median, times_ms->back(), times_ms->size()),
                  "each acknowledgement waits that long: use a faster disk, or larger batches");
}

/// The format's file and the lock. Gives false where this is no directory of ours.
void check_contents(file::FileSystem& files, const std::string& directory, Findings& findings) {
  auto entries = files.list(directory);
  if (!entries) return findings.fail("format", entries.error().what, "");
  Result<void> format = log::check_format(files, log::Layout(directory));
  if (format) {
    findings.ok("format", "a data directory that this version reads");
  } else if (format.error().code == Errc::not_found) {
    findings.expect(entries->empty(), "format",
                    entries->empty() ? "empty: leat serve makes a data directory of it"
                                     : "not a data directory, and not empty either",
                    "name a directory of its own with --data");
    return;
  } else {
    return findings.fail("format", format.error().what,
                         "use the version of leat that wrote it, or a newer one");
  }
  auto lock = files.lock(directory, fmt::format("pid {}, leat doctor", ::getpid()));
  if (lock) {
    findings.ok("lock", "nobody uses it");
  } else if (lock.error().code == Errc::locked) {
    findings.ok("lock", lock.error().what);
  } else {
    findings.fail("lock", lock.error().what, "");
  }
}

void check_limits(Findings& findings) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  constexpr rlim_t enough = 4096;
  findings.expect(limit.rlim_max >= enough, "descriptors",
                  limit.rlim_max == RLIM_INFINITY
                      ? "a process of ours may open as many files as it likes"
                      : fmt::format("a process of ours may open {} files", limit.rlim_max),
                  "raise the hard limit: ulimit -Hn, or LimitNOFILE= in the systemd unit");
}

}  // namespace

void check_directory(const std::string& directory, Findings& findings) {
  file::PosixFileSystem files;
  auto exists = files.exists(directory);
  if (!exists) return findings.fail("directory", exists.error().what, "");
  if (!*exists) {
    findings.fail("directory", directory + " does not exist",
                  "leat serve makes it; or name the right one with --data");
    return;
  }
  check_kind(directory, findings);
  bool is_writable = check_owner(directory, findings);
  check_contents(files, directory, findings);
  if (is_writable) check_syncs(files, directory, findings);
  check_limits(findings);
}

}  // namespace leat::tools
