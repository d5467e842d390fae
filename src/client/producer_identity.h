// The id of an idempotent producer, asked for without sockets: of any broker, until one has given
// one.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/random.h"
#include "client/error.h"
#include "client/backoff.h"
#include "client/produce_batch.h"
#include "wire/init_producer_id.h"

namespace leat::client {

/// Not thread-safe. Times are those of a monotonic clock.
class ProducerIdentity {
 public:
  using Time = std::chrono::nanoseconds;

  ProducerIdentity(Backoff backoff, Random random) : backoff_(backoff), random_(random) {}

  /// The request for an id, if it is time for one and none is under way. It must be followed by one
  /// of the two below.
  std::optional<wire::InitProducerIdRequest> ask(Time now);
  /// When ask() would have one, if it has not for having failed.
  std::optional<Time> next() const;

  /// A producer, an error that will not pass by asking again, or neither: ask again.
  struct Outcome {
    std::optional<ProducerEpoch> producer;
    std::optional<Error> error;
  };
  Outcome answered(const wire::InitProducerIdResponse& response, std::string_view broker, Time now);
  Outcome unanswered(Error error, Time now);

 private:
  Outcome retry(Time now);

  Backoff backoff_;
  Random random_;
  bool is_under_way_ = false;
  int attempts_ = 0;
  Time retry_at_{};
};

}  // namespace leat::client
