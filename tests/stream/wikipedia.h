// The day of edits in tests/data, and the pipeline that counts them.
#pragma once

#include <string>
#include <vector>

#include "gzip_lines.h"
#include "stream/pipeline.h"

namespace leat::stream {

/// One JSON object a line.
inline std::vector<std::string> wikipedia_edits() {
  return data_lines("wikipedia-edits.jsonl.gz");
}

/// The lines of the result computed by other means, without the head.
inline std::vector<std::string> wikipedia_tumble_5m() {
  auto lines = data_lines("wikipedia-tumble-5m.csv");
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
