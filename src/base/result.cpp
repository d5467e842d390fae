#include "base/result.h"

namespace leat {

std::string_view name(Errc code) {
  switch (code) {
    case Errc::corrupt_message: return "corrupt_message";
    case Errc::offset_out_of_range: return "offset_out_of_range";
    case Errc::storage_error: return "storage_error";
    case Errc::no_space: return "no_space";
    case Errc::not_found: return "not_found";
    case Errc::already_exists: return "already_exists";
    case Errc::locked: return "locked";
    case Errc::unsupported_format: return "unsupported_format";
    case Errc::io_error: return "io_error";
    case Errc::malformed: return "malformed";
    case Errc::unsupported_version: return "unsupported_version";
    case Errc::invalid_request: return "invalid_request";
    case Errc::invalid_record: return "invalid_record";
    case Errc::message_too_large: return "message_too_large";
    case Errc::record_list_too_large: return "record_list_too_large";
    case Errc::unsupported_compression: return "unsupported_compression";
    case Errc::invalid_timestamp: return "invalid_timestamp";
    case Errc::invalid_topic: return "invalid_topic";
    case Errc::unknown_topic_or_partition: return "unknown_topic_or_partition";
    case Errc::unknown_topic_id: return "unknown_topic_id";
    case Errc::inconsistent_topic_id: return "inconsistent_topic_id";
    case Errc::topic_already_exists: return "topic_already_exists";
    case Errc::invalid_partitions: return "invalid_partitions";
    case Errc::invalid_replication_factor: return "invalid_replication_factor";
    case Errc::invalid_config: return "invalid_config";
    case Errc::invalid_required_acks: return "invalid_required_acks";
    case Errc::policy_violation: return "policy_violation";
    case Errc::fenced_leader_epoch: return "fenced_leader_epoch";
    case Errc::unknown_leader_epoch: return "unknown_leader_epoch";
    case Errc::coordinator_not_available: return "coordinator_not_available";
    case Errc::out_of_order_sequence: return "out_of_order_sequence";
    case Errc::invalid_producer_epoch: return "invalid_producer_epoch";
    case Errc::producer_fenced: return "producer_fenced";
    case Errc::invalid_producer_id_mapping: return "invalid_producer_id_mapping";
    case Errc::invalid_transaction_timeout: return "invalid_transaction_timeout";
    case Errc::invalid_txn_state: return "invalid_txn_state";
    case Errc::concurrent_transactions: return "concurrent_transactions";
    case Errc::transactional_id_not_found: return "transactional_id_not_found";
    case Errc::request_timed_out: return "request_timed_out";
    case Errc::not_authorized: return "not_authorized";
    case Errc::unsupported: return "unsupported";
    case Errc::connection_failed: return "connection_failed";
    case Errc::broker_error: return "broker_error";
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::cancelled: return "cancelled";
    case Errc::bad_record: return "bad_record";
    case Errc::plan_error: return "plan_error";
    case Errc::snapshot_mismatch: return "snapshot_mismatch";
    case Errc::step_mismatch: return "step_mismatch";
  }
  return "unknown";
}

}  // namespace leat
