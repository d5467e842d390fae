#include "file/file.h"

#include <array>

#include <fmt/core.h>

namespace leat::file {

std::vector<Result<void>> FileSystem::sync_all(std::span<const FilePtr> files) {
  std::vector<Result<void>> results;
  for (const FilePtr& file : files) results.push_back(file->sync());
  return results;
}

Result<Bytes> read_file(FileSystem& files, const std::string& path) {
  auto file = files.open(path, OpenMode::read);
  if (!file) return fail(file);
  auto size = (*file)->size();
  if (!size) return fail(size);
  Bytes content(*size);
  auto read = (*file)->read_at(0, content);
  if (!read) return fail(read);
  content.resize(*read);
  return content;
}

Result<void> replace_file(FileSystem& files, const std::string& path, BytesView content) {
  std::string written = path + ".tmp";
  {
    auto file = files.open(written, OpenMode::create);
    if (!file) return fail(file);
    // A crash may have left a longer one.
    if (auto emptied = (*file)->truncate(0); !emptied) return emptied;
    if (auto wrote = (*file)->write_at(0, std::array{content}); !wrote) return wrote;
    if (auto synced = (*file)->sync(); !synced) return synced;
  }
  if (auto renamed = files.rename(written, path); !renamed) return renamed;
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return files.sync_directory(".");
  return files.sync_directory(slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace leat::file
