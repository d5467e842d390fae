// What the service needs to know of a plan.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace leat::pipeline {

/// Sorted, each once, as all of these.
std::vector<std::string> source_topics(const plan::Plan& plan);
/// The sinks' topics.
std::vector<std::string> sink_topics(const plan::Plan& plan);
/// Those, and where late rows and dead letters go.
std::vector<std::string> written_topics(const plan::Plan& plan);

/// Files that sources read, folders that sinks write to, and views, by their names.
std::vector<std::string> source_files(const plan::Plan& plan);
std::vector<std::string> sink_folders(const plan::Plan& plan);
std::vector<std::string> sink_views(const plan::Plan& plan);

/// A sink that is a view.
struct ViewTraits {
  std::string name;
  std::vector<std::string> keys;
  std::vector<std::string> columns;
};
/// In the order of the sinks; none if the plan does not bind. Costs as much as binding it.
std::vector<ViewTraits> view_traits(const plan::Plan& plan);

/// Whether what comes of a row depends on that row alone.
bool is_stateless(const plan::Plan& plan);

/// Whether it tells a result before it is final, and tells it again when it has changed.
bool revises(const plan::Plan& plan);

/// The canonical JSON of what must not change while a version lives; its mode may.
std::string lasting_text(plan::Plan plan);
/// The hash of that.
std::string lasting_hash(plan::Plan plan);

/// "stream", "micro_batch every 30 s", "batch at 0 2 * * *".
std::string mode_text(const plan::Mode& mode);

}  // namespace leat::pipeline
