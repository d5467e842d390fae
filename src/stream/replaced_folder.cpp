#include "stream/replaced_folder.h"

#include <set>

#include "base/bytes.h"

namespace leat::stream {

namespace {

std::string manifest_of(const std::string& commit) {
  return commit + "/" + std::string(manifest_name);
}

/// Listed paths, and the folders that lead to them.
struct Listed {
  std::set<std::string, std::less<>> files;
  std::set<std::string, std::less<>> folders;
};

Listed read_listed(std::string_view text) {
  Listed listed;
  while (!text.empty()) {
    std::string_view path = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(path.size() + 1, text.size()));
    listed.files.emplace(path);
    for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      listed.folders.emplace(path.substr(0, slash));
    }
  }
  return listed;
}

Result<void> remove_others(file::FileSystem& files, const std::string& folder,
                           const std::string& below, const Listed& listed) {
  std::string directory = below.empty() ? folder : folder + "/" + below;
  auto entries = files.list(directory);
  if (!entries) return fail(entries);
  for (const auto& entry : *entries) {
    std::string path = below.empty() ? entry.name : below + "/" + entry.name;
    if (!entry.is_directory) {
      if (listed.files.contains(path)) continue;
      if (auto ok = files.remove(folder + "/" + path); !ok) return ok;
    } else if (listed.folders.contains(path)) {
      if (auto ok = remove_others(files, folder, path, listed); !ok) return ok;
    } else if (auto ok = files.remove_all(folder + "/" + path); !ok) {
      return ok;
    }
  }
  return files.sync_directory(directory);
}

}  // namespace

Result<void> write_manifest(file::FileSystem& files, const std::string& commit,
                            const std::vector<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths) text += path + "\n";
  auto file = files.open(manifest_of(commit), file::OpenMode::create);
  if (!file) return fail(file);
  BytesView bytes = as_bytes(text);
  if (auto ok = (*file)->write_at(0, {&bytes, 1}); !ok) return ok;
  return (*file)->sync();
}

Result<void> remove_unlisted(file::FileSystem& files, const std::string& commit,
                             const std::string& folder) {
  for (const std::string& path : {manifest_of(commit), folder}) {
    auto there = files.exists(path);
    if (!there) return fail(there);
    if (!*there) return {};
  }
  auto text = file::read_file(files, manifest_of(commit));
  if (!text) return fail(text);
  return remove_others(files, folder, "", read_listed(as_text(*text)));
}

}  // namespace leat::stream
