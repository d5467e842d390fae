// ApiVersions: the list of served APIs, as clients negotiate by it.
#include <algorithm>

#include "server/dispatch.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

/// What clients may take for granted, by Kafka's names: the levels that there are, and the one that
/// they are to use, which level 0 is not told as.
struct Feature {
  const char* name;
  std::int16_t first;
  std::int16_t last;
  std::int16_t level;
};

void describe_features(const Call<wire::ApiVersionsRequest>& call,
                       wire::ApiVersionsResponse& response) {
  const ServerOptions& options = call.node().options;
  const Feature features[] = {
      {"group.version", 1, 1, 1},                                  // consumer groups, KIP-848
      {"transaction.version", 0, 2, options.transaction_version},  // KIP-890
  };
  for (const Feature& feature : features) {
    // Older clients do not bear one whose least version is 0.
    bool is_bearable = feature.first > 0 || call.version() >= 4;
    if (is_bearable) {
      response.supported_features.push_back({feature.name, feature.first, feature.last});
    }
    if (feature.level == 0) continue;
    response.finalized_features.push_back({feature.name, feature.level, feature.level});
  }
  // They change with a start only. Who lives across that, and knows the others by a lower epoch
  // only, goes on with what it knows: both ways are always there.
  response.finalized_features_epoch = options.transaction_version;
}

wire::ApiVersionsResponse describe(const Call<wire::ApiVersionsRequest>& call,
                                   wire::ErrorCode error) {
  wire::ApiVersionsResponse response;
  response.error_code = error;
  for (const Api& api : served_apis()) {
    wire::ApiVersionsResponse::Api entry;
    entry.api_key = api.key;
    entry.min_version = api.advertised.first;
    entry.max_version = api.advertised.last;
    response.api_keys.push_back(entry);
  }
  std::sort(response.api_keys.begin(), response.api_keys.end(),
            [](const auto& a, const auto& b) { return a.api_key < b.api_key; });
  describe_features(call, response);
  return response;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// KIP-511's [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
bool is_software_name(const std::string& name) {
  if (name.empty() || !is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back())) {
    return false;
  }
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
}

}  // namespace

void handle(Call<wire::ApiVersionsRequest> call) {
  const wire::ApiVersionsRequest& request = call.request();
  bool is_named = call.version() >= 3;
  if (is_named && (!is_software_name(request.client_software_name) ||
                   !is_software_name(request.client_software_version))) {
    wire::ApiVersionsResponse response;
    response.error_code = wire::ErrorCode::invalid_request;
    return call.answer(response);
  }
  wire::ApiVersionsResponse response = describe(call, wire::ErrorCode::none);
  call.answer(response);
}

void refuse_version(Call<wire::ApiVersionsRequest> call) {
  wire::ApiVersionsResponse response = describe(call, wire::ErrorCode::unsupported_version);
  call.answer(response);
}

}  // namespace leat::server
