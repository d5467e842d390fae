// What a server is told at its start.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "broker/broker.h"
#include "net/address.h"

namespace leat::server {

/// What one client, or all together, may take of this server.
struct Limits {
  std::size_t connections_max = 10'000;
  std::size_t connections_per_address_max = 10'000;
  /// Kafka's own bound of a request.
  std::size_t frame_bytes_max = std::size_t{100} << 20;
  /// Requests that are being received or answered hold at most so much memory.
  std::uint64_t request_memory_bytes = std::uint64_t{512} << 20;
  /// A connection whose requests in flight hold more than this starts no other.
  std::uint64_t in_flight_bytes_max = std::uint64_t{64} << 20;
  /// Nor does one whose peer has not taken so many bytes of its answers.
  std::uint64_t unsent_bytes_max = std::uint64_t{1} << 20;
  /// A Fetch answers with no more than this, but for one batch that is larger.
  std::uint64_t fetch_bytes_max = std::uint64_t{55} << 20;
  /// Fetch sessions, and the memory of all together; a client that gets none fetches without.
  std::size_t fetch_sessions_max = 1000;
  std::uint64_t fetch_session_bytes_max = std::uint64_t{16} << 20;
  /// From the first byte of a request to its last; large requests get a second for each
  /// `slow_bytes_per_s` more.
  std::chrono::milliseconds frame_timeout{30'000};
  std::uint64_t slow_bytes_per_s = 64 << 10;
  /// For a peer to take anything of an answer that does not fit into its socket.
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds idle_timeout{600'000};
  /// For requests in flight to be answered when the server stops.
  std::chrono::milliseconds stop_timeout{5'000};
};

struct ServerOptions {
  broker::BrokerOptions broker;
  /// Threads that own connections and partitions. 0: as many as default_shards() says.
  std::size_t shards = 0;
  net::Address kafka{"localhost", 9092};
  /// nullopt: no HTTP.
  std::optional<net::Address> http;
  /// What clients are told to connect to. nullopt: the address that they connected to, which works
  /// unless something in between translates addresses.
  std::optional<net::Address> advertised;
  /// Listens beyond this machine, though nothing is encrypted and nobody is asked who they are.
  bool is_public_allowed = false;
  /// Takes a replication factor above 1, of which a single node makes 1, instead of refusing it.
  bool accept_replication = true;
  /// The level of transaction.version that clients are told to use: with 2, new ones leave out
  /// AddPartitionsToTxn, and their epochs rise with each transaction (KIP-890).
  std::int16_t transaction_version = 2;
  /// SIGINT and SIGTERM stop the server, a second one at once.
  bool handle_signals = false;
  Limits limits;
};

}  // namespace leat::server
