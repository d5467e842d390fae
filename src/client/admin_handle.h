// What Admin holds.
#pragma once

#include "client/anchor.h"

namespace leat::client {

class AdminHandle : public Anchor {
 public:
  using Anchor::Anchor;
};

}  // namespace leat::client
