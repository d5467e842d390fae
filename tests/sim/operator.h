// What the one who looks after a simulated server does.
#pragma once

#include <string>

#include "base/result.h"
#include "file/file.h"

namespace leat::sim {

/// Does what an error of an opening says, if it says that recovery died too often. False where it
/// says anything else.
inline bool allow_recovery(file::FileSystem& files, const std::string& directory,
                           const Error& error) {
  std::string path = directory + "/recovering";
  if (error.what.find("remove " + path) == std::string::npos) return false;
  return files.remove(path).has_value() && files.sync_directory(directory).has_value();
}

}  // namespace leat::sim
