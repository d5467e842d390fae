// From a request's header to its handler, and what ApiVersions says about it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"
#include "server/call.h"
#include "wire/api_key.h"
#include "wire/frame.h"
#include "wire/versions.h"

namespace leat::server {

/// An API that this server has.
struct Api {
  wire::ApiKey key;
  wire::Versions served;
  /// What ApiVersions says, which may begin earlier.
  wire::Versions advertised;
  /// Decodes the message and gives it to its handler. Errc::malformed.
  Result<void> (*start)(Incoming incoming, const wire::RequestFrame& frame);
};

/// All of them, in the order of the list of served requests.
std::span<const Api> served_apis();
/// nullptr if there is none.
const Api* find_api(wire::ApiKey key);

/// Gives a request to its handler. Errors end the connection: Errc::malformed, and
/// Errc::unsupported_version for an API or a version that is not served, but for an unknown version
/// of ApiVersions, which is answered so that its client can find out ours.
Result<void> dispatch(Incoming incoming, const wire::RequestFrame& frame);

}  // namespace leat::server
