#include "log/recovery_guard.h"

#include <ctime>
#include <span>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "base/logging.h"

namespace leat::log {
namespace {

constexpr std::string_view line_begin = "recovery began at ";

int count_lines(std::string_view text) {
  int lines = 0;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !text.starts_with(line_begin)) return 0;
    text.remove_prefix(end + 1);
    ++lines;
  }
  return lines;
}

Result<void> write(file::FileSystem& files, const std::string& path, std::string_view text) {
  Result<file::FilePtr> file = files.open(path, file::OpenMode::create);
  if (!file) return fail(file);
  Result<void> emptied = (*file)->truncate(0);
  if (!emptied) return emptied;
  BytesView bytes = as_bytes(text);
  return (*file)->write_at(0, std::span(&bytes, 1));
}

}  // namespace

Result<RecoveryGuard> RecoveryGuard::begin(file::FileSystem& files, const Clock& clock,
                                           const Layout& layout) {
  std::string path = layout.root() + "/recovering";
  std::string text;
  if (Result<Bytes> found = file::read_file(files, path)) text = as_text(*found);
  int died = count_lines(text);
  if (died == 0) text.clear();
  if (died >= recoveries_max) {
    return fail(Errc::storage_error,
                fmt::format("{}: the last {} starts died while they recovered it, so it is left as "
                            "it is. See what `leat fsck --data {}` finds; to try again, remove {}",
                            layout.root(), died, layout.root(), path));
  }
  if (died > 0) {
    log_warning("{}: {} starts in a row died while they recovered it", layout.root(), died);
  }
  auto seconds = static_cast<std::time_t>(clock.wall_ms() / 1000);
  text += fmt::format("{}{:%Y-%m-%dT%H:%M:%SZ}\n", line_begin, fmt::gmtime(seconds));
  // A disk that takes no more is recovery's to tell.
  Result<void> written = write(files, path, text);
  if (!written) log_debug("{}: {}", path, written.error().what);
  return RecoveryGuard(files, layout, std::move(path), died);
}

RecoveryGuard::RecoveryGuard(RecoveryGuard&& other) noexcept
    : files_(std::exchange(other.files_, nullptr)),
      root_(std::move(other.root_)),
      path_(std::move(other.path_)),
      died_(other.died_) {}

RecoveryGuard::~RecoveryGuard() {
  if (files_ == nullptr) return;
  Result<void> removed = files_->remove(path_);
  if (!removed && removed.error().code != Errc::not_found) {
    log_warning("{}: {}", path_, removed.error().what);
  }
  // A power cut must not bring back what counts this one, which came to its end, among the dead.
  if (died_ == 0) return;
  Result<void> synced = files_->sync_directory(root_);
  if (!synced) log_warning("{}: {}", root_, synced.error().what);
}

}  // namespace leat::log
