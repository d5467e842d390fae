// How topics are made that get results.
#pragma once

#include <string>

#include "base/result.h"

namespace leat::stream {

/// A result has the time of its window's end, which may be long from now, so topics that are made
/// for results take any. Kafka's brokers know the setting since 3.6; before, they take any anyhow.
inline constexpr const char* ahead_config = "message.timestamp.after.max.ms";
inline constexpr const char* any_time = "9223372036854775807";

/// Topics that others made may take less: says so of an append's error.
inline Error explained(Error error) {
  if (error.code == Errc::invalid_timestamp) {
    error.what += std::string(", further from now than the topic's ") + ahead_config + " allows";
  }
  return error;
}

}  // namespace leat::stream
