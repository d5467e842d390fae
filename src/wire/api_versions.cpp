#include "wire/api_versions.h"

#include "wire/codec.h"

namespace leat::wire {

Result<ApiVersionsResponse> decode_api_versions(BytesView bytes, Version version) {
  // Every version begins with the error code.
  auto error = ByteReader(bytes).read<std::int16_t>();
  bool downgraded = error == static_cast<std::int16_t>(ErrorCode::unsupported_version);
  return Codec<ApiVersionsResponse>::decode(bytes, downgraded ? Version{0} : version);
}

template struct Codec<ApiVersionsResponse>;
template struct Codec<ApiVersionsRequest>;

}  // namespace leat::wire
