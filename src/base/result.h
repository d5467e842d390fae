// Result<T>: a value, or an Error that says what happened. The one way this code base reports
// what can go wrong at run time.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace leat {

/// Everything that can go wrong, named like Kafka's codes where Kafka has one. The server
/// translates it to the wire's ErrorCode in one place (server/wire_error.cpp).
enum class Errc {
  // Storage.
  corrupt_message,      // stored or received bytes fail their checksum or their grammar
  offset_out_of_range,  // below the log start or above the log end
  storage_error,        // the disk refused: full, EIO, a failed sync; nothing was appended
  no_space,             // ENOSPC or EDQUOT, as storage_error, but cured by making room
  not_found,            // a file, a directory, a topic's state that should be there is not
  already_exists,
  locked,              // another process holds the data directory
  unsupported_format,  // the data directory was written by a newer version
  io_error,            // any other answer of the operating system
  // Requests.
  malformed,  // bytes that do not parse: the connection is closed
  unsupported_version,
  invalid_request,
  invalid_record,
  message_too_large,
  record_list_too_large,
  unsupported_compression,
  invalid_timestamp,
  invalid_topic,
  unknown_topic_or_partition,
  unknown_topic_id,
  inconsistent_topic_id,
  topic_already_exists,
  invalid_partitions,
  invalid_replication_factor,
  invalid_config,
  invalid_required_acks,
  policy_violation,  // a cap of this server (partitions, request bytes) was reached
  fenced_leader_epoch,
  unknown_leader_epoch,
  coordinator_not_available,
  out_of_order_sequence,
  invalid_producer_epoch,  // a producer with a newer epoch has taken over
  producer_fenced,         // the same, told by the coordinator
  invalid_producer_id_mapping,
  invalid_transaction_timeout,
  invalid_txn_state,
  concurrent_transactions,  // the last transaction is still being ended
  transactional_id_not_found,
  request_timed_out,
  not_authorized,
  unsupported,  // understood, and not offered by this server
  // Clients and programs.
  connection_failed,
  broker_error,  // the server answered with an error code; `what` has its name
  invalid_argument,
  cancelled,
  // The runtime.
  bad_record,         // a record that the decoder cannot turn into a row
  plan_error,         // a plan that does not make sense: unknown column, wrong type
  snapshot_mismatch,  // a snapshot that another plan or version wrote
  step_mismatch,      // a recorded step does not come out again as it did
};

/// The enumerator's own name, such as "offset_out_of_range".
std::string_view name(Errc code);

/// What happened, to what, and, where there is one, the way out. `what` is a sentence for people,
/// without a final full stop: "cannot open /data/topics: Permission denied".
struct Error {
  Errc code;
  std::string what;
};

template <class T>
using Result = tl::expected<T, Error>;

/// `return fail(Errc::malformed, "array length 7 with 3 bytes left");`
inline tl::unexpected<Error> fail(Errc code, std::string what) {
  return tl::unexpected<Error>(Error{code, std::move(what)});
}

/// Passes on the error of `result`: `if (!batch) return fail(batch);`
template <class T>
tl::unexpected<Error> fail(const Result<T>& result) {
  return tl::unexpected<Error>(result.error());
}

}  // namespace leat
