// What a client can be told. Times are wall-clock durations, sizes are bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "net/address.h"
#include "record/compression.h"

namespace leat::client {

/// How to reach a cluster, the same for everything that is done with it.
struct ClientOptions {
  /// Where to ask for the cluster's brokers; one that answers is enough.
  std::vector<net::Address> brokers;
  /// What brokers write into their logs.
  std::string client_id = "leat";
  /// For one attempt at one address, the exchange of versions included.
  std::chrono::milliseconds connect_timeout{5000};
  /// For the answer to one request. A broker that is late loses its connection.
  std::chrono::milliseconds request_timeout{30'000};
  /// For a whole operation, retries included: describing, creating, looking up offsets.
  std::chrono::milliseconds operation_timeout{30'000};
  /// Before the first retry; doubles up to retry_backoff_max.
  std::chrono::milliseconds retry_backoff{50};
  std::chrono::milliseconds retry_backoff_max{1000};
  /// An answer that claims to be larger is a broken broker.
  std::size_t max_response_bytes = std::size_t{256} << 20;
  /// Once it is requested, every operation ends with Errc::cancelled.
  std::stop_token stop;
};

struct ProducerOptions {
  record::Compression compression = record::Compression::none;
  /// A batch is sent when it holds that much before compression, or `linger` after its first
  /// record.
  std::size_t batch_bytes = std::size_t{512} << 10;
  std::chrono::milliseconds linger{5};
  /// A request carries the batches of several partitions up to that much.
  std::size_t request_bytes = std::size_t{4} << 20;
  /// From a record's append to its acknowledgement, retries included. Then it has failed.
  std::chrono::milliseconds delivery_timeout{120'000};
  /// Bounds what is queued or sent and not yet acknowledged; at the bound, sending waits.
  std::size_t buffer_bytes = std::size_t{32} << 20;
};

struct ConsumerOptions {
  /// A broker with nothing new answers after that.
  std::chrono::milliseconds fetch_wait{500};
  /// Of one answer, and of one partition in it. A larger batch comes all the same.
  std::size_t fetch_bytes = std::size_t{16} << 20;
  std::size_t partition_fetch_bytes = std::size_t{4} << 20;
  /// Bounds what was fetched and not yet taken, but for the answers under way when it is reached.
  std::size_t prefetch_bytes = std::size_t{32} << 20;
  /// Whether records of open and aborted transactions are left out.
  bool read_committed = true;
  /// How long brokers may be out of reach before polling gives up.
  std::chrono::milliseconds unreachable_timeout{60'000};
};

}  // namespace leat::client
