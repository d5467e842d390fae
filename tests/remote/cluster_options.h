// How tests of this folder reach a server that answers may get lost of.
#pragma once

#include <chrono>

#include "client/lossy_broker.h"
#include "leat/options.h"

namespace leat {

/// Of who does not wait long for an answer, but tries again as long as people do.
inline ClientOptions hurried_options(LossyBroker& broker) {
  ClientOptions options;
  options.brokers = broker.proxy().address().to_string();
  options.retry_backoff = std::chrono::milliseconds(1);
  options.retry_backoff_max = std::chrono::milliseconds(10);
  options.request_timeout = std::chrono::seconds(1);
  return options;
}

}  // namespace leat
