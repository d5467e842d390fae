// A folder that a commit replaces as a whole: what is in it and not of the commit goes.
//
//   manifest := (path LF)*        of all files that the folder is to have, below it
//
// The manifest lies in the commit's own folder until all of it is in its place, so whoever finishes
// a commit knows which files of the folder are new.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "file/file.h"

namespace leat::stream {

/// A file of the commit's folder; no folder of a value and no file of rows is called so.
inline constexpr std::string_view manifest_name = ".files";

/// Writes the manifest into the folder `commit` and makes it durable, but for its entry there.
Result<void> write_manifest(file::FileSystem& files, const std::string& commit,
                            const std::vector<std::string>& paths);

/// Removes from `folder` the files that the manifest in `commit` does not name, and folders that
/// have none of those that it does. Nothing where there is no manifest, or no such folder. Durable
/// when it returns, but for the folder's own entries.
Result<void> remove_unlisted(file::FileSystem& files, const std::string& commit,
                             const std::string& folder);

}  // namespace leat::stream
