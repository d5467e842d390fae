#include "server/dispatch.h"

#include <array>
#include <tuple>
#include <type_traits>

#include <fmt/core.h>

#include "server/handlers.h"

namespace leat::server {
namespace {

template <class Request, class... Requests>
constexpr bool is_one_of(wire::TypeList<Requests...>) {
  return (std::is_same_v<Request, Requests> || ...);
}

template <class Request>
Result<void> start(Incoming incoming, const wire::RequestFrame& frame) {
  Result<Request> request = wire::decode_request<Request>(frame);
  if (!request) return fail(request);
  Call<Request> call(std::move(incoming), std::move(*request));
  Executor& home = call.broker().executor();
  if (is_one_of<Request>(AnyShard{}) || &home == &call.executor()) {
    handle(std::move(call));
  } else {
    home.post([call = std::move(call)]() mutable { handle(std::move(call)); });
  }
  return {};
}

template <class... Requests>
constexpr auto make_table(wire::TypeList<Requests...>) {
  return std::array<Api, sizeof...(Requests)>{Api{
      Requests::key, Requests::valid, wire::advertised_versions<Requests>(), &start<Requests>}...};
}

constexpr auto table = make_table(Served{});

}  // namespace

std::span<const Api> served_apis() {
  return table;
}

const Api* find_api(wire::ApiKey key) {
  for (const Api& api : table) {
    if (api.key == key) return &api;
  }
  return nullptr;
}

Result<void> dispatch(Incoming incoming, const wire::RequestFrame& frame) {
  const wire::RequestHeader& header = frame.header;
  const Api* api = find_api(header.key);
  if (api != nullptr && api->served.contains(header.version)) {
    return api->start(std::move(incoming), frame);
  }
  if (header.key == wire::ApiKey::api_versions) {
    // A client from the future: its message cannot be read, version 0 of the answer it can read.
    incoming.header.version = 0;
    refuse_version(Call<wire::ApiVersionsRequest>(std::move(incoming), {}));
    return {};
  }
  return fail(Errc::unsupported_version,
              fmt::format("{} (key {}) version {} is not served", wire::name(header.key),
                          static_cast<int>(header.key), header.version));
}

}  // namespace leat::server
