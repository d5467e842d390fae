// Finds files of this repository, wherever the test program was built and is run from.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

/// The path of a file of this repository, such as `tests/data/README.md`. The root is what
/// LEAT_SOURCE_ROOT names, as meson sets it, or the nearest folder upwards that looks like it.
inline std::filesystem::path repository_path(const std::string& relative) {
  static const std::filesystem::path root = [] {
    if (const char* named = std::getenv("LEAT_SOURCE_ROOT")) return std::filesystem::path(named);
    std::filesystem::path folder = std::filesystem::current_path();
    while (!std::filesystem::exists(folder / "tests/repository.h") && folder.has_relative_path())
      folder = folder.parent_path();
    return folder;
  }();
  return root / relative;
}
