// leat pipeline replay and promote, which wait for what they began.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/http_api.h"

namespace leat::tools {

struct PipelineOptions {
  std::string http;
  std::string format = "text";
  std::string name;
  std::string file;
  std::vector<std::string> values;
  bool with_topics = false;
  // Of replay and promote:
  std::string from = "start";
  std::string to;
  std::string rate;
  bool diff = false;
  bool flush = false;
  bool promote = false;
  bool stop = false;
  bool no_wait = false;
  bool dead_letters = false;
  std::string topic;
  std::string late;
  std::optional<std::int64_t> version;
  std::string promoted;

  bool json() const { return format == "json"; }
  /// "/v1/pipelines/NAME" and what is behind it.
  std::string target(const std::string& behind = "") const;
};

/// Prints an answer that has a message, or all of it as JSON.
int print_answer(const PipelineOptions& options, const Result<plan::Json>& answer);
/// Prints JSON as the server gave it.
void print_json(const plan::Json& json);

int replay_pipeline(const PipelineOptions& options, HttpApi& api);
int promote_pipeline(const PipelineOptions& options, HttpApi& api);

}  // namespace leat::tools
