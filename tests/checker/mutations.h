// Ways in which a server breaks its promises, done to a good history.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "checker/history.h"
#include "checker/report.h"

namespace leat::checker {

struct Mutation {
  std::string name;
  /// What must be reported; what follows from it may be as well.
  Rule rule;
  /// False, with the history as it was, where there is nothing to do it to.
  bool (*apply)(History& history, Random& random);
};

const std::vector<Mutation>& mutations();

}  // namespace leat::checker
