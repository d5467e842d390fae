// Trying again: one attempt's result, and for how long further ones are made.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "client/caller.h"
#include "client/cluster.h"
#include "client/error.h"
#include "client/wire_error.h"

namespace leat::client {

/// Why one attempt failed.
struct Failure {
  Error error;
  bool retriable = false;
};
template <class T>
using Attempt = tl::expected<T, Failure>;

inline tl::unexpected<Failure> final_failure(Error error) {
  return tl::unexpected(Failure{std::move(error), false});
}
inline tl::unexpected<Failure> lost_connection(Error error) {
  bool retriable = is_transient(error);
  return tl::unexpected(Failure{std::move(error), retriable});
}
/// What a broker answered about a topic or a partition. One that is not known now may be later, but
/// mostly a name is wrong.
inline tl::unexpected<Failure> answered(wire::ErrorCode code, std::string_view about,
                                        const Connection& connection,
                                        const std::optional<std::string>& words = std::nullopt) {
  bool retriable = wire::retriable(code) && code != wire::ErrorCode::unknown_topic_or_partition;
  return tl::unexpected(
      Failure{broker_error(code, about, connection.address().to_string(), words), retriable});
}

/// Counts attempts and knows when to stop: after the operation timeout, or when nobody waits.
class Patience {
 public:
  explicit Patience(const Caller& caller)
      : deadline_(std::chrono::steady_clock::now() + caller.cluster->options().operation_timeout),
        stop_(caller.stop) {}
  bool bears(const Failure& failure) {
    ++attempts_;
    bool goes_on = std::chrono::steady_clock::now() < deadline_ && !stop_.stop_requested();
    return failure.retriable && goes_on;
  }
  int attempts() const { return attempts_; }

 private:
  std::chrono::steady_clock::time_point deadline_;
  std::stop_token stop_;
  int attempts_ = 0;
};

/// Makes sure that all those partitions have a known leader, each given with its topic.
net::Task<Attempt<void>> find_leaders(Cluster& cluster,
                                      std::vector<std::pair<std::string, std::int32_t>> partitions);

}  // namespace leat::client
