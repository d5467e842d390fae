// Who asks a cluster for something.
#pragma once

#include <memory>
#include <stop_token>
#include <utility>

namespace leat::client {

class Cluster;

struct Caller {
  Caller(std::shared_ptr<Cluster> of, std::stop_token when = {})
      : cluster(std::move(of)), stop(std::move(when)) {}

  std::shared_ptr<Cluster> cluster;
  /// Nobody waits for the answer any more: there is no further attempt.
  std::stop_token stop;
};

}  // namespace leat::client
