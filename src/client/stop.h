// The std::stop_token of options.
#pragma once

#include <stop_token>

#include "leat/callback.h"

namespace leat::client {

struct StopInside {
  /// Of a Stop that never stops: one that cannot be requested.
  static std::stop_token token_of(const Stop& stop);
};

}  // namespace leat::client
