// What clients can be told. Times are durations of a steady clock, sizes are bytes. Where an option
// makes no sense, such as no time for something that takes some, every operation ends with
// ClientError::invalid_argument and a text that names it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "leat/callback.h"
#include "leat/record.h"

namespace leat {

/// How to reach a cluster, the same for everything that is done with it.
struct ClientOptions {
  /// Where to ask for the cluster's brokers: "HOST:PORT,HOST:PORT". One that answers is enough, the
  /// others are found. The port may be left out where it is 9092; an IPv6 address with a port
  /// stands in brackets.
  std::string brokers = "127.0.0.1:9092";
  /// What brokers write into their logs, and go by in their quotas.
  std::string client_id = "leat";
  /// For one attempt at one address, the exchange of versions included.
  std::chrono::milliseconds connect_timeout{5000};
  /// For the answer to one request. A broker that is late loses its connection.
  std::chrono::milliseconds request_timeout{30'000};
  /// For how long an operation is tried again: describing, creating, looking up offsets,
  /// committing. What is under way then may still take its request_timeout.
  std::chrono::milliseconds operation_timeout{30'000};
  /// Before the first retry; doubles up to retry_backoff_max. Either varies by a fifth at random.
  std::chrono::milliseconds retry_backoff{50};
  std::chrono::milliseconds retry_backoff_max{1000};
  /// An answer that claims to be larger is a broken broker.
  std::size_t max_response_bytes = std::size_t{256} << 20;
  /// A std::stop_token. Once it is requested, on any thread, every operation ends with
  /// ClientError::cancelled.
  Stop stop = {};
};

struct ProducerOptions {
  Compression compression = Compression::none;
  /// The codec's own default where it is not given; out of the codec's range, its nearest one.
  std::optional<int> compression_level = {};
  /// The broker tells a batch that is sent again from a new one, so that each record is in the log
  /// once, and in order, whatever answers get lost. Off, records are sent one batch at a time in
  /// each partition, and may be doubled after a lost answer.
  bool idempotence = true;
  /// Makes transactions possible, and shuts out earlier producers that have the same one. Needs
  /// idempotence.
  std::string transactional_id = {};
  /// A transaction that is open for longer is aborted by its coordinator.
  std::chrono::milliseconds transaction_timeout{60'000};
  /// A batch is sent when it holds that much before compression, or `linger` after its first
  /// record.
  std::size_t batch_bytes = std::size_t{512} << 10;
  std::chrono::milliseconds linger{5};
  /// A request carries the batches of several partitions up to that much.
  std::size_t request_bytes = std::size_t{4} << 20;
  /// From a record's sending to its acknowledgement, retries included. Then it has failed.
  std::chrono::milliseconds delivery_timeout{120'000};
  /// Bounds the records that are queued or sent and not yet acknowledged; at the bound, sending
  /// waits. Full batches take as much memory as that, and it is used again; such as are sent before
  /// they are full may take up to twice what they hold.
  std::size_t buffer_bytes = std::size_t{32} << 20;
  /// Told of every batch, those of records whose sender waits for them too, on the producer's
  /// executor, one call at a time. It must neither block nor throw.
  Callback<void(const BatchDelivery&)> on_delivery = {};
};

/// How a group shares out partitions. One that all members name is taken, in the order of the
/// leader's choice.
enum class Assignor : std::uint8_t {
  /// Of each topic, neighbouring partitions to each member.
  range,
  /// One after the other, over all topics.
  round_robin,
  /// As even as can be, and as it was before as far as that goes.
  sticky,
  /// As sticky, but a member goes on with what it keeps while others are given theirs. Only in a
  /// group whose members all have it.
  cooperative_sticky,
};

/// Where reading begins in a partition of which nothing is committed, or where it goes on when the
/// offset that it has come to is not there any more: deleted, or never there.
///
/// Where a new leader lacks records that were polled, as after an unclean election, brokers from
/// Kafka 2.3 on say where its log parts from what was read. Reading goes on there, whichever of
/// these is set, but for none, with which that is an error too.
enum class OffsetReset : std::uint8_t {
  earliest,
  /// Skips what is there. So does it with a partition that is added later, until it is noticed.
  latest,
  /// Polling fails with KafkaError::offset_out_of_range, and names the partition. seek() goes on.
  none,
};

struct ConsumerOptions {
  /// The group that subscribe() joins: its members share partitions out and commit offsets. Without
  /// one, partitions are assigned by hand. Of such nothing is committed.
  std::string group = {};
  /// A name that this member keeps over restarts: one that is back within the session's time finds
  /// its partitions again, without a rebalance.
  std::string group_instance_id = {};
  /// By preference. With an eager one among them, rebalances are eager.
  std::vector<Assignor> assignors{Assignor::cooperative_sticky};
  OffsetReset offset_reset = OffsetReset::latest;
  /// A member that has not been heard of for so long is taken for dead.
  std::chrono::milliseconds session_timeout{45'000};
  std::chrono::milliseconds heartbeat_interval{3'000};
  /// Between two polls; a member that takes longer loses its partitions to others. It is also how
  /// long the others wait for it when partitions are shared out anew.
  std::chrono::milliseconds max_poll_interval{300'000};
  /// Polling again says that what the poll before gave is done with. That is committed every
  /// auto_commit_interval, before partitions are given back, and at the end. Off: only when asked.
  bool auto_commit = true;
  std::chrono::milliseconds auto_commit_interval{5'000};
  /// Called within polling: these partitions were given to us. Nothing of them was polled yet, and
  /// seek() goes before. Consumer and blocking::Consumer say on which thread.
  Callback<void(std::span<const Partition>)> on_assigned = {};
  /// Called within polling and closing: these are to be given back as soon as this returns and the
  /// commits that it began have ended. `lost`: others may have them already, and a commit comes too
  /// late.
  Callback<void(std::span<const Partition>, bool lost)> on_revoked = {};
  /// A broker with nothing new answers after that.
  std::chrono::milliseconds fetch_wait{500};
  /// Of one answer, and of one partition in it. A larger batch comes all the same. One answer comes
  /// a round trip: raise them for brokers that are far away. Small ones cost less, since they stay
  /// in the processor's cache.
  std::size_t fetch_bytes = std::size_t{2} << 20;
  std::size_t partition_fetch_bytes = std::size_t{1} << 20;
  /// Bounds what was fetched and not yet taken, but for the answers under way when it is reached.
  /// Once Records are gone, their memory takes the next answers.
  std::size_t prefetch_bytes = std::size_t{32} << 20;
  /// Whether records of open and aborted transactions are left out.
  bool read_committed = true;
  /// How long brokers may be out of reach before polling gives up.
  std::chrono::milliseconds unreachable_timeout{60'000};
};

}  // namespace leat
