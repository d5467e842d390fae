#include "server/wire_error.h"

namespace leat::server {

using wire::ErrorCode;

// Without a default, so that the compiler names an Errc that is missing.
ErrorCode to_wire(Errc code) {
  switch (code) {
    case Errc::corrupt_message: return ErrorCode::corrupt_message;
    case Errc::offset_out_of_range: return ErrorCode::offset_out_of_range;
    // Clients retry these, and know that nothing was kept.
    case Errc::storage_error:
    case Errc::no_space:
    case Errc::io_error: return ErrorCode::kafka_storage_error;
    case Errc::malformed:
    case Errc::invalid_request:
    case Errc::invalid_argument: return ErrorCode::invalid_request;
    case Errc::unsupported_version:
    case Errc::unsupported: return ErrorCode::unsupported_version;
    case Errc::invalid_record: return ErrorCode::invalid_record;
    case Errc::message_too_large: return ErrorCode::message_too_large;
    case Errc::record_list_too_large: return ErrorCode::record_list_too_large;
    case Errc::unsupported_compression: return ErrorCode::unsupported_compression_type;
    case Errc::invalid_timestamp: return ErrorCode::invalid_timestamp;
    case Errc::invalid_topic: return ErrorCode::invalid_topic_exception;
    case Errc::unknown_topic_or_partition: return ErrorCode::unknown_topic_or_partition;
    case Errc::unknown_topic_id: return ErrorCode::unknown_topic_id;
    case Errc::inconsistent_topic_id: return ErrorCode::inconsistent_topic_id;
    case Errc::topic_already_exists: return ErrorCode::topic_already_exists;
    case Errc::invalid_partitions: return ErrorCode::invalid_partitions;
    case Errc::invalid_replication_factor: return ErrorCode::invalid_replication_factor;
    case Errc::invalid_config: return ErrorCode::invalid_config;
    case Errc::invalid_required_acks: return ErrorCode::invalid_required_acks;
    case Errc::policy_violation: return ErrorCode::policy_violation;
    case Errc::fenced_leader_epoch: return ErrorCode::fenced_leader_epoch;
    case Errc::unknown_leader_epoch: return ErrorCode::unknown_leader_epoch;
    case Errc::coordinator_not_available: return ErrorCode::coordinator_not_available;
    case Errc::request_timed_out: return ErrorCode::request_timed_out;
    case Errc::not_authorized: return ErrorCode::cluster_authorization_failed;
    // What no request should run into.
    case Errc::not_found:
    case Errc::already_exists:
    case Errc::locked:
    case Errc::unsupported_format:
    case Errc::connection_failed:
    case Errc::broker_error:
    case Errc::cancelled:
    case Errc::bad_record:
    case Errc::plan_error:
    case Errc::snapshot_mismatch: return ErrorCode::unknown_server_error;
  }
  return ErrorCode::unknown_server_error;
}

}  // namespace leat::server
