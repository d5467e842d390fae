// What brokers answer, as errors for people and for the retry rules.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "client/error.h"
#include "wire/error_code.h"

namespace leat::client {

/// "orders/3: NOT_LEADER_OR_FOLLOWER (6) from broker 127.0.0.1:9092", and the broker's own words if
/// it gave any. `about` is what was asked for.
Error broker_error(wire::ErrorCode code, std::string_view about, std::string_view broker,
                   const std::optional<std::string>& words = std::nullopt);

/// The answer says that metadata is out of date.
bool needs_metadata(wire::ErrorCode code);

/// A batch that this was the answer to may be in the log, or get there yet: the error came up
/// behind its append. A leader that lost its partition meanwhile says no more than that it is none.
bool may_have_appended(wire::ErrorCode code);

/// An operation that ended with this may succeed when tried again: the connection failed.
bool is_transient(const Error& error);

}  // namespace leat::client
