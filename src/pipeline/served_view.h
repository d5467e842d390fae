// A view of a deployed version, as it can be read now.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/deployed.h"
#include "pipeline/past_views.h"
#include "stream/view.h"

namespace leat::pipeline {

struct ServedView {
  /// With ".v2" behind it where version 2 is not the live one.
  std::string name;
  std::string pipeline;
  std::uint32_t version = 1;
  Role role = Role::live;
  std::vector<std::string> keys;
  std::vector<std::string> columns;
  /// What it shows, by itself; null where no run has shown anything since the server's start.
  std::shared_ptr<const stream::View> now;
  /// It is about to show something.
  bool is_recovering = false;
  /// A batch that has never been asked to run.
  bool never_ran = false;
  /// How it was, by its epochs.
  PastView past;
};

}  // namespace leat::pipeline
