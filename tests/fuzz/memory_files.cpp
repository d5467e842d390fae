#include "fuzz/memory_files.h"

#include <algorithm>

namespace leat::fuzz {
namespace {

tl::unexpected<Error> missing(const std::string& path) {
  return fail(Errc::not_found, path + " is missing");
}

}  // namespace

/// Its file may be removed or renamed meanwhile, as on POSIX.
class MemoryFiles::Handle final : public file::File {
 public:
  explicit Handle(std::shared_ptr<Bytes> content) : content_(std::move(content)) {}

  Result<std::size_t> read_at(std::uint64_t position, MutableBytes into) const override {
    if (position >= content_->size()) return std::size_t{0};
    std::size_t n = std::min(into.size(), content_->size() - position);
    std::copy_n(content_->begin() + static_cast<std::ptrdiff_t>(position), n, into.begin());
    return n;
  }
  Result<void> write_at(std::uint64_t position, std::span<const BytesView> parts) override {
    for (BytesView part : parts) {
      if (content_->size() < position + part.size()) content_->resize(position + part.size());
      std::copy(part.begin(), part.end(),
                content_->begin() + static_cast<std::ptrdiff_t>(position));
      position += part.size();
    }
    return {};
  }
  Result<std::uint64_t> size() const override { return content_->size(); }
  Result<void> truncate(std::uint64_t size) override {
    content_->resize(size);
    return {};
  }
  Result<void> sync() override { return {}; }
  void async_sync(Executor& executor, SyncDone done) override {
    executor.post([done = std::move(done)]() mutable { done({}); });
  }
  int native_handle() const override { return -1; }

 private:
  std::shared_ptr<Bytes> content_;
};

Result<file::FilePtr> MemoryFiles::open(const std::string& path, file::OpenMode mode) {
  auto at = files_.find(path);
  bool creates = mode == file::OpenMode::create || mode == file::OpenMode::create_new;
  if (at == files_.end() && !creates) return missing(path);
  if (at == files_.end()) at = files_.emplace(path, std::make_shared<Bytes>()).first;
  return std::make_shared<Handle>(at->second);
}

Result<void> MemoryFiles::remove(const std::string& path) {
  if (files_.erase(path) == 0) return missing(path);
  return {};
}

Result<void> MemoryFiles::remove_all(const std::string& path) {
  std::string below = path + "/";
  files_.erase(path);
  directories_.erase(path);
  std::erase_if(files_, [&](const auto& file) { return file.first.starts_with(below); });
  std::erase_if(directories_, [&](const auto& name) { return name.starts_with(below); });
  return {};
}

Result<void> MemoryFiles::rename(const std::string& from, const std::string& to) {
  auto at = files_.find(from);
  if (at == files_.end()) return missing(from);
  files_[to] = std::move(at->second);
  files_.erase(at);
  return {};
}

Result<void> MemoryFiles::make_directories(const std::string& path) {
  for (std::string at = path; !at.empty() && directories_.insert(at).second;) {
    at.resize(at.rfind('/'));
  }
  return {};
}

Result<bool> MemoryFiles::exists(const std::string& path) {
  return path == "/" || files_.contains(path) || directories_.contains(path);
}

Result<std::vector<file::DirectoryEntry>> MemoryFiles::list(const std::string& directory) {
  if (!directories_.contains(directory)) return missing(directory);
  std::vector<file::DirectoryEntry> entries;
  std::string begin = directory + "/";
  auto is_child = [&](const std::string& path) {
    return path.starts_with(begin) && path.find('/', begin.size()) == std::string::npos;
  };
  for (auto at = directories_.lower_bound(begin);
       at != directories_.end() && at->starts_with(begin); ++at) {
    if (is_child(*at)) entries.push_back({at->substr(begin.size()), true});
  }
  for (auto at = files_.lower_bound(begin); at != files_.end() && at->first.starts_with(begin);
       ++at) {
    if (is_child(at->first)) entries.push_back({at->first.substr(begin.size()), false});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

void MemoryFiles::offload(Work job, Executor& executor, Work done) {
  executor.post([job = std::move(job), &executor, done = std::move(done)]() mutable {
    job();
    executor.post(std::move(done));
  });
}

void MemoryFiles::put(const std::string& path, BytesView bytes) {
  static_cast<void>(make_directories(path.substr(0, path.rfind('/'))));
  std::shared_ptr<Bytes>& content = files_[path];
  if (!content) content = std::make_shared<Bytes>();
  content->assign(bytes.begin(), bytes.end());
}

std::map<std::string, Bytes> MemoryFiles::save() const {
  std::map<std::string, Bytes> saved;
  for (const auto& [path, content] : files_) saved[path] = *content;
  return saved;
}

}  // namespace leat::fuzz
