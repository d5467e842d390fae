// Plans for services whose runs are made up.
#pragma once

#include <string>

#include <fmt/format.h>

namespace leat::pipeline {

/// A plan of that name: "in", through a filter of rows above `bound`, to "out".
inline std::string plan_text(const std::string& name = "p", int bound = 0,
                             const std::string& more = "") {
  return fmt::format(
      R"({{"version": 1, "name": "{}", {} "nodes": [
        {{"name": "in", "type": "source", "topic": "in",
          "columns": [{{"name": "n", "type": "bigint"}}]}},
        {{"name": "some", "type": "filter", "input": "in",
          "condition": {{"call": ">", "arguments": [{{"column": "n"}},
                        {{"bigint": {}}}]}}}},
        {{"name": "out", "type": "sink", "input": "some", "topic": "out"}}]}})",
      name, more, bound);
}

/// The same through windows: who takes over from somebody reads what is before in silence.
inline std::string looking_back(const std::string& name = "p", int size_ms = 5) {
  return fmt::format(
      R"({{"version": 1, "name": "{}", "nodes": [
        {{"name": "in", "type": "source", "topic": "in",
          "columns": [{{"name": "n", "type": "bigint"}}]}},
        {{"name": "w", "type": "window", "input": "in",
          "window": {{"kind": "tumbling", "size_ms": {}}},
          "aggregates": [{{"name": "rows", "function": "count"}}]}},
        {{"name": "out", "type": "sink", "input": "w", "topic": "out"}}]}})",
      name, size_ms);
}

}  // namespace leat::pipeline
