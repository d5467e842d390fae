// Lines of the files in tests/data, compressed or not.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <zlib.h>

#include "repository.h"

namespace leat {

/// `name` is that of a file in tests/data.
inline std::vector<std::string> data_lines(const std::string& name) {
  std::string path = repository_path("tests/data/" + name).string();
  gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE_MESSAGE(file != nullptr, path);
  std::string text;
  std::string part(1 << 20, '\0');
  for (int read = 0; (read = gzread(file, part.data(), static_cast<unsigned>(part.size()))) > 0;) {
    text.append(part, 0, static_cast<std::size_t>(read));
  }
  gzclose(file);
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  REQUIRE(lines.size() > 1);
  return lines;
}

}  // namespace leat
