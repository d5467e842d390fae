// Where a partition's leader is now: what Produce and Fetch answer beside an error, so that
// a client need not ask for metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/versions.h"

namespace leat::wire {

struct CurrentLeader {
  std::int32_t leader_id = -1;
  std::int32_t leader_epoch = -1;
  static void fields(auto& m, auto& v) {
    v("leader_id", m.leader_id);
    v("leader_epoch", m.leader_epoch);
  }
};

struct NodeEndpoint {
  std::int32_t node_id = 0;
  std::string host;
  std::int32_t port = 0;
  std::optional<std::string> rack;
  static void fields(auto& m, auto& v) {
    v("node_id", m.node_id);
    v("host", m.host);
    v("port", m.port);
    v("rack", m.rack);
  }
};

}  // namespace leat::wire
