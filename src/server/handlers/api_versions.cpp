// ApiVersions: the list of served APIs, as clients negotiate by it.
#include <algorithm>

#include "server/dispatch.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

/// What clients may take for granted, by Kafka's names, with its level. No transaction.version:
/// that would promise a protocol that is not there.
struct Feature {
  const char* name;
  std::int16_t level;
};
constexpr Feature features[] = {
    {"group.version", 1},  // consumer groups, KIP-848
};

void describe_features(wire::ApiVersionsResponse& response) {
  for (const Feature& feature : features) {
    // From 1, since clients of versions below 4 do not bear one whose least version is 0.
    response.supported_features.push_back({feature.name, 1, feature.level});
    response.finalized_features.push_back({feature.name, feature.level, feature.level});
  }
  // They never change while a server runs.
  response.finalized_features_epoch = 0;
}

wire::ApiVersionsResponse describe(wire::ErrorCode error) {
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
  describe_features(response);
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
  call.answer(describe(wire::ErrorCode::none));
}

void refuse_version(Call<wire::ApiVersionsRequest> call) {
  call.answer(describe(wire::ErrorCode::unsupported_version));
}

}  // namespace leat::server
