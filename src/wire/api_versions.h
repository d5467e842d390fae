// ApiVersions: which APIs a server has, in which versions. The first request of a connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct ApiVersionsResponse {
  static constexpr ApiKey key = ApiKey::api_versions;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(3);

  struct Api {
    ApiKey api_key{};
    Version min_version = 0;
    Version max_version = 0;
    static void fields(auto& m, auto& v) {
      v("api_key", m.api_key);
      v("min_version", m.min_version);
      v("max_version", m.max_version);
    }
  };
  struct SupportedFeature {
    std::string name;
    std::int16_t min_version = 0;  // clients of versions below 4 do not bear 0 here
    std::int16_t max_version = 0;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("min_version", m.min_version);
      v("max_version", m.max_version);
    }
  };
  struct FinalizedFeature {
    std::string name;
    std::int16_t max_version_level = 0;
    std::int16_t min_version_level = 0;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("max_version_level", m.max_version_level);
      v("min_version_level", m.min_version_level);
    }
  };
  ErrorCode error_code = ErrorCode::none;
  std::vector<Api> api_keys;
  std::int32_t throttle_time_ms = 0;
  std::vector<SupportedFeature> supported_features;
  std::optional<std::int64_t> finalized_features_epoch;
  std::vector<FinalizedFeature> finalized_features;
  bool zk_migration_ready = false;
  static void fields(auto& m, auto& v) {
    v("error_code", m.error_code);
    v("api_keys", m.api_keys);
    v("throttle_time_ms", m.throttle_time_ms, since(1));
    v.tagged(0, "supported_features", m.supported_features, since(3));
    v.tagged(1, "finalized_features_epoch", m.finalized_features_epoch, since(3));
    v.tagged(2, "finalized_features", m.finalized_features, since(3));
    v.tagged(3, "zk_migration_ready", m.zk_migration_ready, since(3));
  }
};

struct ApiVersionsRequest {
  static constexpr ApiKey key = ApiKey::api_versions;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(3);
  using Response = ApiVersionsResponse;

  std::string client_software_name;
  std::string client_software_version;
  static void fields(auto& m, auto& v) {
    v("client_software_name", m.client_software_name, since(3));
    v("client_software_version", m.client_software_version, since(3));
  }
};

/// Decodes the answer to a request of `version`. A server that does not know that version answers
/// in version 0, with unsupported_version and the versions it has: so does this then.
Result<ApiVersionsResponse> decode_api_versions(BytesView bytes, Version version);

}  // namespace leat::wire
