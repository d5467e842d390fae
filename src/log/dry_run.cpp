#include "log/dry_run.h"

#include <algorithm>
#include <cstring>

namespace leat::log {

/// The bytes of a file below, or of none, with pages that were written laid over them.
class DryRunFileSystem::ChangedFile final : public file::File {
 public:
  ChangedFile(file::FilePtr below, std::uint64_t size, bool keeps_content)
      : below_(std::move(below)), below_bytes_(size), size_(size), keeps_content_(keeps_content) {}

  Result<std::size_t> read_at(std::uint64_t position, MutableBytes into) const override {
    if (position >= size_) return 0;
    into = into.first(std::min<std::uint64_t>(into.size(), size_ - position));
    std::memset(into.data(), 0, into.size());
    if (below_ && position < below_bytes_) {
      std::uint64_t bytes = std::min<std::uint64_t>(into.size(), below_bytes_ - position);
      Result<std::size_t> got = below_->read_at(position, into.first(bytes));
      if (!got) return got;
    }
    std::uint64_t end = position + into.size();
    for (auto at = pages_.lower_bound(position / page_bytes);
         at != pages_.end() && at->first * page_bytes < end; ++at) {
      std::uint64_t page = at->first * page_bytes;
      std::uint64_t from = std::max(page, position);
      std::uint64_t to = std::min(page + page_bytes, end);
      std::memcpy(into.data() + (from - position), at->second.data() + (from - page), to - from);
    }
    return into.size();
  }

  Result<void> write_at(std::uint64_t position, std::span<const BytesView> parts) override {
    for (BytesView part : parts) {
      while (!part.empty()) {
        std::uint64_t in_page = position % page_bytes;
        std::uint64_t bytes = std::min<std::uint64_t>(part.size(), page_bytes - in_page);
        if (keeps_content_) {
          Result<Bytes*> page = page_at(position / page_bytes);
          if (!page) return fail(page);
          std::memcpy((*page)->data() + in_page, part.data(), bytes);
        }
        position += bytes;
        size_ = std::max(size_, position);
        part = part.subspan(bytes);
      }
    }
    return {};
  }

  Result<std::uint64_t> size() const override { return size_; }
  Result<void> truncate(std::uint64_t size) override {
    size_ = size;
    below_bytes_ = std::min(below_bytes_, size);
    pages_.erase(pages_.lower_bound((size + page_bytes - 1) / page_bytes), pages_.end());
    auto last = pages_.find(size / page_bytes);
    if (last != pages_.end()) {
      std::fill(last->second.begin() + static_cast<std::ptrdiff_t>(size % page_bytes),
                last->second.end(), std::byte{0});
    }
    return {};
  }
  Result<void> sync() override { return {}; }
  void async_sync(Executor& executor, SyncDone done) override {
    executor.post([done = std::move(done)]() mutable {
      Result<void> synced;
      done(std::move(synced));
    });
  }
  int native_handle() const override { return -1; }

 private:
  static constexpr std::uint64_t page_bytes = 4096;

  Result<Bytes*> page_at(std::uint64_t number) {
    auto at = pages_.find(number);
    if (at != pages_.end()) return &at->second;
    Bytes page(page_bytes);
    Result<std::size_t> got = read_at(number * page_bytes, page);
    if (!got) return fail(got);
    return &pages_.emplace(number, std::move(page)).first->second;
  }

  file::FilePtr below_;
  std::uint64_t below_bytes_;
  std::uint64_t size_;
  bool keeps_content_;
  std::map<std::uint64_t, Bytes> pages_;
};

bool DryRunFileSystem::is_removed(const std::string& path) const {
  for (std::size_t end = path.size(); end != std::string::npos && end > 0;
       end = path.find_last_of('/', end - 1)) {
    if (removed_.contains(path.substr(0, end))) return true;
  }
  return false;
}

Result<file::FilePtr> DryRunFileSystem::open(const std::string& path, file::OpenMode mode) {
  auto at = changed_.find(path);
  if (at != changed_.end()) return at->second;
  Result<file::FilePtr> below = fail(Errc::not_found, path + " is not there");
  if (!is_removed(path)) below = below_.open(path, file::OpenMode::read);
  if (mode == file::OpenMode::read) return below;
  if (!below && below.error().code != Errc::not_found) return below;
  if (!below && mode == file::OpenMode::read_write) return below;
  std::uint64_t size = 0;
  if (below) {
    Result<std::uint64_t> known = (*below)->size();
    if (!known) return fail(known);
    size = *known;
  }
  bool keeps_content = path.find("/quarantine/") == std::string::npos;
  auto file = std::make_shared<ChangedFile>(below ? *below : nullptr, size, keeps_content);
  changed_[path] = file;
  return file;
}

Result<void> DryRunFileSystem::remove(const std::string& path) {
  Result<bool> there = exists(path);
  if (!there) return fail(there);
  if (!*there) return fail(Errc::not_found, path + " is not there");
  changed_.erase(path);
  removed_.insert(path);
  return {};
}

Result<void> DryRunFileSystem::remove_all(const std::string& path) {
  std::erase_if(changed_, [&](const auto& entry) { return entry.first.starts_with(path + "/"); });
  removed_.insert(path);
  return {};
}

Result<void> DryRunFileSystem::rename(const std::string& from, const std::string& to) {
  Result<file::FilePtr> file = open(from, file::OpenMode::read_write);
  if (!file) return fail(file);
  changed_[to] = changed_.at(from);
  changed_.erase(from);
  removed_.insert(from);
  return {};
}

Result<bool> DryRunFileSystem::exists(const std::string& path) {
  if (changed_.contains(path)) return true;
  if (is_removed(path)) return false;
  return below_.exists(path);
}

Result<std::vector<file::DirectoryEntry>> DryRunFileSystem::list(const std::string& directory) {
  std::map<std::string, bool> names;
  Result<std::vector<file::DirectoryEntry>> below = below_.list(directory);
  if (!below && below.error().code != Errc::not_found) return below;
  if (below) {
    for (const file::DirectoryEntry& entry : *below) {
      if (!is_removed(directory + "/" + entry.name)) names[entry.name] = entry.is_directory;
    }
  }
  std::string prefix = directory + "/";
  for (const auto& [path, file] : changed_) {
    if (!path.starts_with(prefix)) continue;
    std::string rest = path.substr(prefix.size());
    std::size_t slash = rest.find('/');
    names[rest.substr(0, slash)] = slash != std::string::npos;
  }
  if (!below && names.empty()) return below;
  std::vector<file::DirectoryEntry> entries;
  for (const auto& [name, is_directory] : names) entries.push_back({name, is_directory});
  return entries;
}

Result<std::unique_ptr<file::DirectoryLock>> DryRunFileSystem::lock(const std::string&,
                                                                    const std::string&) {
  // Nothing is changed, so nobody is to be kept out; whoever wants a picture that holds still has
  // taken the real lock.
  return std::make_unique<file::DirectoryLock>();
}

}  // namespace leat::log
