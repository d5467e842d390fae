#include "client/wire_error.h"

#include <fmt/core.h>

namespace leat::client {

namespace {

/// Where Kafka's code has a meaning of our own, so that callers can tell without reading texts.
Errc errc_of(wire::ErrorCode code) {
  using wire::ErrorCode;
  switch (code) {
    case ErrorCode::offset_out_of_range: return Errc::offset_out_of_range;
    case ErrorCode::corrupt_message: return Errc::corrupt_message;
    case ErrorCode::unknown_topic_or_partition: return Errc::unknown_topic_or_partition;
    case ErrorCode::topic_already_exists: return Errc::topic_already_exists;
    case ErrorCode::message_too_large: return Errc::message_too_large;
    case ErrorCode::unsupported_version: return Errc::unsupported_version;
    default: return Errc::broker_error;
  }
}

}  // namespace

Error broker_error(wire::ErrorCode code, std::string_view about, std::string_view broker,
                   const std::optional<std::string>& words) {
  std::string text = fmt::format("{}: {} ({}) from broker {}", about, wire::name(code),
                                 static_cast<int>(code), broker);
  if (words && !words->empty()) text += ": " + *words;
  return {errc_of(code), std::move(text), static_cast<std::int16_t>(code)};
}

bool needs_metadata(wire::ErrorCode code) {
  using wire::ErrorCode;
  switch (code) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::leader_not_available:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::fenced_leader_epoch:
    case ErrorCode::unknown_leader_epoch:
    case ErrorCode::unknown_topic_id:
    case ErrorCode::replica_not_available:
    case ErrorCode::not_controller:
    case ErrorCode::kafka_storage_error: return true;
    default: return false;
  }
}

bool may_have_appended(wire::ErrorCode code) {
  using wire::ErrorCode;
  switch (code) {
    case ErrorCode::request_timed_out:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::leader_not_available:
    case ErrorCode::replica_not_available:
    case ErrorCode::network_exception:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::unknown_server_error: return true;
    default: return false;
  }
}

bool is_transient(const Error& error) {
  return error.code == Errc::connection_failed || error.code == Errc::request_timed_out;
}

}  // namespace leat::client
