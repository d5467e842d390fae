// A plan that leaves something open: `${date}` (plan/parameters.h).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "plan/parameters.h"
#include "plan/plan.h"

namespace leat::pipeline {

struct OpenPlan {
  std::string text;
  /// What people have said; a run knows its day and the one before by itself.
  plan::Parameters values;

  bool operator==(const OpenPlan&) const = default;
  static void fields(auto& self, auto& visit) {
    visit("text", self.text);
    visit("values", self.values);
  }
};

/// The plan of a run that begins at `begun_ms`, with those values in place of others of the same
/// name. Whether it binds is not looked at. Errc::plan_error for what is no plan then, and for a
/// value of a name that the text does not have.
Result<plan::Plan> fill_in(const OpenPlan& open, const plan::Parameters& values,
                           std::int64_t begun_ms);

/// Whether anything is open in the text, so that another run may have another plan. REQUIRES: a
/// text that fill_in() has taken.
bool is_open(const OpenPlan& open);

}  // namespace leat::pipeline
