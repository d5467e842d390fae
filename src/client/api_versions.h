// Which version of each API to speak with a broker.
#pragma once

#include <map>
#include <string>

#include "client/error.h"
#include "wire/api_key.h"
#include "wire/api_versions.h"
#include "wire/create_topics.h"
#include "wire/delete_topics.h"
#include "wire/fetch.h"
#include "wire/produce.h"
#include "wire/versions.h"

namespace leat::client {

/// The versions in which this client sends a request: all that `wire` knows, unless what a later
/// one means asks for more than that.
template <class Request>
inline constexpr wire::Versions spoken_versions = Request::valid;
/// From version 13 on topics go by their ids.
template <>
inline constexpr wire::Versions spoken_versions<wire::FetchRequest>{4, 12};
/// From version 12 on a transaction takes in its partitions by itself: only where that is meant.
template <>
inline constexpr wire::Versions spoken_versions<wire::ProduceRequest>{3, 11};
/// Earlier ones have neither the timeouts nor the answers that are relied on.
template <>
inline constexpr wire::Versions spoken_versions<wire::CreateTopicsRequest>{2, 7};

/// What a broker said it speaks.
class ApiVersions {
 public:
  ApiVersions() = default;
  explicit ApiVersions(const wire::ApiVersionsResponse& response);
  /// The highest version in `ours` that the broker has. Errc::unsupported_version, naming both
  /// ranges and `broker`, if there is none.
  Result<wire::Version> choose(wire::ApiKey key, wire::Versions ours,
                               const std::string& broker) const;
  /// The cluster's version of transactions: from 2 on batches add their partitions, and each end
  /// raises the epoch (KIP-890).
  std::int16_t transaction_version() const { return transaction_version_; }

 private:
  std::map<wire::ApiKey, wire::Versions> versions_;
  std::int16_t transaction_version_ = 0;
};

}  // namespace leat::client
