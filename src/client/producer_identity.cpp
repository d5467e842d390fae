#include "client/producer_identity.h"

#include <utility>

#include "client/wire_error.h"

namespace leat::client {

std::optional<wire::InitProducerIdRequest> ProducerIdentity::ask(Time now) {
  if (is_under_way_ || (attempts_ > 0 && now < retry_at_)) return std::nullopt;
  is_under_way_ = true;
  return wire::InitProducerIdRequest{};
}

std::optional<ProducerIdentity::Time> ProducerIdentity::next() const {
  if (is_under_way_ || attempts_ == 0) return std::nullopt;
  return retry_at_;
}

ProducerIdentity::Outcome ProducerIdentity::answered(const wire::InitProducerIdResponse& response,
                                                     std::string_view broker, Time now) {
  is_under_way_ = false;
  if (response.error_code == wire::ErrorCode::none) {
    attempts_ = 0;
    return {ProducerEpoch{ProducerId{response.producer_id}, response.producer_epoch}, {}};
  }
  if (wire::retriable(response.error_code)) return retry(now);
  attempts_ = 0;
  return {{}, broker_error(response.error_code, "a producer id", broker)};
}

ProducerIdentity::Outcome ProducerIdentity::unanswered(Error error, Time now) {
  is_under_way_ = false;
  if (is_transient(error)) return retry(now);
  attempts_ = 0;
  return {{}, std::move(error)};
}

ProducerIdentity::Outcome ProducerIdentity::retry(Time now) {
  ++attempts_;
  retry_at_ = now + backoff_.after(attempts_, random_);
  return {};
}

}  // namespace leat::client
