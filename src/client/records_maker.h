// Records of what was fetched.
#pragma once

#include <vector>

#include "client/fetch_plan.h"
#include "leat/records.h"

namespace leat::client {

class RecordsMaker {
 public:
  /// With its first record ready. is_empty() of it where none is for users' eyes.
  static Records make(std::vector<Fetched> fetched);
  /// There is nothing to be walked over, not even an error.
  static bool is_empty(const Records& records) { return records.is_at_end(); }
};

}  // namespace leat::client
