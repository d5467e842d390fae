// The day of edits in tests/data, and the pipeline that counts them.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <zlib.h>

#include "repository.h"
#include "stream/pipeline.h"

namespace leat::stream {

/// One JSON object a line.
inline std::vector<std::string> wikipedia_edits() {
  std::string path = repository_path("tests/data/wikipedia-edits.jsonl.gz").string();
  gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string text;
  std::string part(1 << 20, '\0');
  for (int read = 0; (read = gzread(file, part.data(), static_cast<unsigned>(part.size()))) > 0;) {
    text.append(part, 0, static_cast<std::size_t>(read));
  }
  gzclose(file);
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The lines of the result computed by other means, without the head.
inline std::vector<std::string> wikipedia_tumble_5m() {
  std::ifstream in(repository_path("tests/data/wikipedia-tumble-5m.csv"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  REQUIRE(lines.size() > 1);
  lines.erase(lines.begin());
  return lines;
}

inline Pipeline edits_per_channel() {
  using column::Type;
  return Pipeline::from("edits")
      .json({{"time", Type::timestamp}, {"channel", Type::text}, {"added", Type::bigint}})
      .event_time("time")
      .key_by({"channel"})
      .tumble(std::chrono::minutes(5))
      .aggregate({count("edits"), sum("added", "added")})
      .late_to("edits.late")
      .dead_letters_to("edits.dead");
}

}  // namespace leat::stream
