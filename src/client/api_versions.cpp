#include "client/api_versions.h"

#include <algorithm>

#include <fmt/core.h>

namespace leat::client {

ApiVersions::ApiVersions(const wire::ApiVersionsResponse& response) {
  for (const auto& api : response.api_keys)
    versions_[api.api_key] = {api.min_version, api.max_version};
  for (const auto& feature : response.finalized_features)
    if (feature.name == "transaction.version") transaction_version_ = feature.max_version_level;
}

Result<wire::Version> ApiVersions::choose(wire::ApiKey key, wire::Versions ours,
                                          const std::string& broker) const {
  auto found = versions_.find(key);
  if (found == versions_.end())
    return fail(Errc::unsupported_version,
                fmt::format("broker {} has no {}", broker, wire::name(key)));
  wire::Versions theirs = found->second;
  wire::Version version = std::min(ours.last, theirs.last);
  if (version < ours.first || version < theirs.first)
    return fail(Errc::unsupported_version,
                fmt::format("broker {} speaks {} {} to {}, this client {} to {}", broker,
                            wire::name(key), theirs.first, theirs.last, ours.first, ours.last));
  return version;
}

}  // namespace leat::client
