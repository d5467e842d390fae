#include "client/error.h"

#include <fmt/core.h>

#include "wire/error_code.h"

namespace leat {

namespace {

/// Above the 16 bits that Kafka's codes have.
constexpr int possibly_persisted_bit = 1 << 16;

/// Without that bit.
int plain(int value) {
  return static_cast<std::int16_t>(value & 0xffff);
}

std::string_view text_of(ClientError error) {
  switch (error) {
    case ClientError::cancelled: return "cancelled";
    case ClientError::connection_failed: return "connection failed";
    case ClientError::timed_out: return "timed out";
    case ClientError::invalid_argument: return "invalid argument";
    case ClientError::invalid_state: return "invalid state";
    case ClientError::unsupported_version: return "unsupported version";
    case ClientError::malformed: return "malformed bytes";
    case ClientError::corrupt: return "corrupt batch";
    case ClientError::unsupported_compression: return "unsupported compression";
    case ClientError::fenced: return "fenced";
    case ClientError::failed: return "failed";
  }
  return "unknown error";
}

class KafkaCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "kafka"; }
  std::string message(int value) const override {
    return fmt::format("{} ({})", wire::name(static_cast<wire::ErrorCode>(plain(value))),
                       plain(value));
  }
  bool equivalent(int value, const std::error_condition& condition) const noexcept override {
    return condition.category() == *this && condition.value() == plain(value);
  }
};

class ClientCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "leat"; }
  std::string message(int value) const override {
    return std::string(text_of(static_cast<ClientError>(plain(value))));
  }
  bool equivalent(int value, const std::error_condition& condition) const noexcept override {
    if (condition.category() == *this) return condition.value() == plain(value);
    return condition == default_error_condition(value);
  }
  /// What Asio and the system call cancelled is cancelled.
  bool equivalent(const std::error_code& code, int condition) const noexcept override {
    return condition == static_cast<int>(ClientError::cancelled) && code.category() != *this &&
           code == std::errc::operation_canceled;
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<ClientError>(plain(value))) {
      case ClientError::cancelled: return std::errc::operation_canceled;
      case ClientError::timed_out: return std::errc::timed_out;
      default: return {plain(value), *this};
    }
  }
};

ClientError client_error_of(Errc code) {
  switch (code) {
    case Errc::cancelled: return ClientError::cancelled;
    case Errc::connection_failed: return ClientError::connection_failed;
    case Errc::request_timed_out: return ClientError::timed_out;
    case Errc::invalid_argument: return ClientError::invalid_argument;
    case Errc::invalid_txn_state: return ClientError::invalid_state;
    case Errc::unsupported_version: return ClientError::unsupported_version;
    case Errc::malformed: return ClientError::malformed;
    case Errc::corrupt_message: return ClientError::corrupt;
    case Errc::unsupported_compression: return ClientError::unsupported_compression;
    case Errc::producer_fenced:
    case Errc::out_of_order_sequence: return ClientError::fenced;
    default: return ClientError::failed;
  }
}

/// Of what is found out here and has a name of Kafka's all the same.
std::int16_t kafka_error_of(Errc code) {
  using wire::ErrorCode;
  auto number = [](ErrorCode named) { return static_cast<std::int16_t>(named); };
  switch (code) {
    case Errc::offset_out_of_range: return number(ErrorCode::offset_out_of_range);
    case Errc::unknown_topic_or_partition: return number(ErrorCode::unknown_topic_or_partition);
    case Errc::message_too_large: return number(ErrorCode::message_too_large);
    default: return 0;
  }
}

}  // namespace

const std::error_category& kafka_category() noexcept {
  static const KafkaCategory category;
  return category;
}

const std::error_category& client_category() noexcept {
  static const ClientCategory category;
  return category;
}

std::error_condition make_error_condition(KafkaError error) noexcept {
  return {static_cast<int>(error), kafka_category()};
}

std::error_condition make_error_condition(ClientError error) noexcept {
  return {static_cast<int>(error), client_category()};
}

bool retriable(const std::error_code& code) noexcept {
  if (code.category() == kafka_category())
    return wire::retriable(static_cast<wire::ErrorCode>(plain(code.value())));
  return code == ClientError::connection_failed || code == ClientError::timed_out;
}

bool fatal(const std::error_code& code) noexcept {
  return code == ClientError::fenced || code == KafkaError::producer_fenced ||
         code == KafkaError::invalid_producer_epoch || code == KafkaError::fenced_instance_id ||
         code == KafkaError::invalid_producer_id_mapping ||
         code == KafkaError::inconsistent_group_protocol ||
         code == KafkaError::invalid_session_timeout ||
         code == KafkaError::group_max_size_reached ||
         code == KafkaError::transactional_id_authorization_failed;
}

bool possibly_persisted(const std::error_code& code) noexcept {
  bool is_ours = code.category() == kafka_category() || code.category() == client_category();
  return is_ours && code.value() > 0 && (code.value() & possibly_persisted_bit) != 0;
}

Exception::Exception(std::error_code code, std::string text)
    : std::system_error(code), text_(std::move(text)) {}

Exception::~Exception() = default;

namespace client {

std::error_code to_error_code(const Error& error) {
  std::int16_t kafka = error.kafka != 0 ? error.kafka : kafka_error_of(error.code);
  int value = kafka != 0 ? kafka : static_cast<int>(client_error_of(error.code));
  if (error.possibly_persisted) value = (value & 0xffff) | possibly_persisted_bit;
  return {value, kafka != 0 ? kafka_category() : client_category()};
}

}  // namespace client
}  // namespace leat
