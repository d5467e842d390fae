// Plans over the lines of a file, run to their end.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "file/file.h"
#include "stream/memory_topics.h"
#include "stream/runner.h"

namespace leat::stream {

/// Runs of plans over the file "/f" as batches, and what they give.
struct FileBatch {
  /// Its source "in" says `source` beside the file, and `nodes` are behind it.
  Result<void> run(const std::string& source, const std::string& nodes, std::size_t block_rows) {
    auto plan = plan::parse(fmt::format(
        R"({{"version": 1, "name": "p", "nodes": [{{"name": "in", "type": "source", "file": "/f",
            {}}}, {}]}})",
        source, nodes));
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    RunOptions options;
    options.at_end = AtEnd::flush;
    options.block_rows = block_rows;
    options.console = [this](std::string_view lines) {
      console += lines;
      return Result<void>();
    };
    auto runner = Runner::open(std::move(*plan), topics, &files, executor, options);
    if (!runner) return fail(runner);
    return (*runner)->run();
  }
  void write(const std::string& content) {
    REQUIRE(file::replace_file(files, "/f", as_bytes(content)));
  }
  std::vector<std::string> values(const std::string& topic) {
    std::vector<std::string> all;
    for (const auto& record : topics.records(topic, 0)) all.push_back(record.value.value_or("-"));
    return all;
  }

  SimExecutor executor;
  file::FakeFileSystem files{executor, 1};
  MemoryTopics topics;
  std::string console;
};

}  // namespace leat::stream
