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
    case Errc::out_of_order_sequence: return ErrorCode::out_of_order_sequence_number;
    case Errc::invalid_producer_epoch: return ErrorCode::invalid_producer_epoch;
    case Errc::producer_fenced: return ErrorCode::producer_fenced;
    case Errc::invalid_producer_id_mapping: return ErrorCode::invalid_producer_id_mapping;
    case Errc::invalid_transaction_timeout: return ErrorCode::invalid_transaction_timeout;
    case Errc::invalid_txn_state: return ErrorCode::invalid_txn_state;
    case Errc::concurrent_transactions: return ErrorCode::concurrent_transactions;
    case Errc::transactional_id_not_found: return ErrorCode::transactional_id_not_found;
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
    case Errc::snapshot_mismatch:
    case Errc::step_mismatch: return ErrorCode::unknown_server_error;
  }
  return ErrorCode::unknown_server_error;
}

ErrorCode to_wire(Errc code, bool knows_abortable) {
  bool is_abortable = knows_abortable && code == Errc::invalid_txn_state;
  return is_abortable ? ErrorCode::transaction_abortable : to_wire(code);
}

ErrorCode to_wire(broker::GroupError error) {
  using broker::GroupError;
  switch (error) {
    case GroupError::none: return ErrorCode::none;
    case GroupError::coordinator_not_available: return ErrorCode::coordinator_not_available;
    case GroupError::invalid_group_id: return ErrorCode::invalid_group_id;
    case GroupError::unknown_member_id: return ErrorCode::unknown_member_id;
    case GroupError::illegal_generation: return ErrorCode::illegal_generation;
    case GroupError::inconsistent_group_protocol: return ErrorCode::inconsistent_group_protocol;
    case GroupError::invalid_session_timeout: return ErrorCode::invalid_session_timeout;
    case GroupError::rebalance_in_progress: return ErrorCode::rebalance_in_progress;
    case GroupError::member_id_required: return ErrorCode::member_id_required;
    case GroupError::group_max_size_reached: return ErrorCode::group_max_size_reached;
    case GroupError::fenced_instance_id: return ErrorCode::fenced_instance_id;
    case GroupError::group_id_not_found: return ErrorCode::group_id_not_found;
    case GroupError::non_empty_group: return ErrorCode::non_empty_group;
    case GroupError::group_subscribed_to_topic: return ErrorCode::group_subscribed_to_topic;
    case GroupError::unknown_topic_or_partition: return ErrorCode::unknown_topic_or_partition;
    case GroupError::offset_metadata_too_large: return ErrorCode::offset_metadata_too_large;
    case GroupError::invalid_commit_offset_size: return ErrorCode::invalid_commit_offset_size;
    case GroupError::unstable_offset_commit: return ErrorCode::unstable_offset_commit;
    case GroupError::invalid_request: return ErrorCode::invalid_request;
    case GroupError::unsupported_version: return ErrorCode::unsupported_version;
    case GroupError::fenced_member_epoch: return ErrorCode::fenced_member_epoch;
    case GroupError::unreleased_instance_id: return ErrorCode::unreleased_instance_id;
    case GroupError::unsupported_assignor: return ErrorCode::unsupported_assignor;
    case GroupError::stale_member_epoch: return ErrorCode::stale_member_epoch;
    case GroupError::invalid_regular_expression: return ErrorCode::invalid_regular_expression;
  }
  return ErrorCode::unknown_server_error;
}

}  // namespace leat::server
