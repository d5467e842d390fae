// What a server says of its pipelines, for people.
#pragma once

#include <string>

#include "plan/json.h"

namespace leat::tools {

/// Of GET /v1/pipelines: a line each.
std::string pipelines_text(const plan::Json& list);
/// Of GET /v1/pipelines/NAME.
std::string pipeline_text(const plan::Json& pipeline);
/// Of GET .../why: a line each.
std::string why_text(const plan::Json& why);
/// What a version waits for to become live or to be compared; empty if for nothing.
std::string waits_text(const plan::Json& pipeline, const std::string& version);
/// Of GET .../versions.
std::string versions_text(const plan::Json& versions);
/// Of GET .../replay: how far it is, on one line.
std::string replay_progress_text(const plan::Json& replay);
/// What a replay that is done has come to: where it is, and what differs.
std::string replay_text(const plan::Json& replay);

}  // namespace leat::tools
