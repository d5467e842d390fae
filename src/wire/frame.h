// Frames: the size, the header and the message of a request or a response.
//
//   frame    = size:int32 header message            size counts header and message
//   request  = api_key:int16 version:int16 correlation_id:int32 client_id:nullable_string [tags]
//   response = correlation_id:int32 [tags]
//
// The tags, an empty list of tagged fields, are there in flexible versions, except in the response
// to ApiVersions, which a client must be able to read before it knows the server. The client id is
// never compact. So the fixed part can be read without knowing the API, and a server can answer
// what it does not know; the tags are read by who knows the message's type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/api_key.h"
#include "wire/message.h"

namespace leat::wire {

constexpr std::size_t frame_size_bytes = 4;

/// The number of bytes that follow. Malformed when negative or above `max_bytes`.
/// REQUIRES: 4 bytes at `prefix`.
Result<std::size_t> parse_frame_size(BytesView prefix, std::size_t max_bytes);

struct RequestHeader {
  ApiKey key{};
  Version version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string_view> client_id;  // decoded, it points into the frame
};

/// A header, and the bytes behind it that decode_request takes.
struct RequestFrame {
  RequestHeader header;
  BytesView rest;
};
/// `frame` is without its size. Errors: malformed.
Result<RequestFrame> parse_request(BytesView frame);

struct ResponseFrame {
  std::int32_t correlation_id = 0;
  BytesView rest;
};
/// `frame` is without its size. Errors: malformed.
Result<ResponseFrame> parse_response(BytesView frame);

namespace detail {

bool response_header_has_tags(ApiKey key, bool flexible);
Result<BytesView> skip_tags(BytesView bytes);
void begin_request(const RequestHeader& header, ApiKey key, bool flexible, Encoded& out);
void begin_response(std::int32_t correlation_id, bool tags, Encoded& out);
/// Writes the frame's size, which counts its holes.
Result<void> finish_frame(Encoded& out);

template <class M>
Result<M> decode_behind_tags(BytesView rest, Version version, bool tags) {
  if (!tags) return Codec<M>::decode(rest, version);
  Result<BytesView> body = skip_tags(rest);
  if (!body) return fail(body);
  return Codec<M>::decode(*body, version);
}

}  // namespace detail

/// The message of a request whose header said M's key. Errors: malformed, unsupported_version.
template <class M>
Result<M> decode_request(const RequestFrame& frame) {
  Version version = frame.header.version;
  return detail::decode_behind_tags<M>(frame.rest, version, M::flexible.contains(version));
}

/// The message of a response to a request of that version. Errors: malformed, unsupported_version.
template <class M>
Result<M> decode_response(const ResponseFrame& frame, Version version) {
  bool tags = detail::response_header_has_tags(M::key, M::flexible.contains(version));
  return detail::decode_behind_tags<M>(frame.rest, version, tags);
}

/// A whole frame, ready to be sent. `header.key` is not looked at: it is M's.
template <class M>
Result<Encoded> encode_request(const M& message, const RequestHeader& header) {
  Encoded out;
  detail::begin_request(header, M::key, M::flexible.contains(header.version), out);
  Result<void> done = Codec<M>::encode(message, header.version, out);
  if (done) done = detail::finish_frame(out);
  if (!done) return fail(done);
  return out;
}

/// A whole frame, ready to be sent.
template <class M>
Result<Encoded> encode_response(const M& message, Version version, std::int32_t correlation_id) {
  Encoded out;
  bool tags = detail::response_header_has_tags(M::key, M::flexible.contains(version));
  detail::begin_response(correlation_id, tags, out);
  Result<void> done = Codec<M>::encode(message, version, out);
  if (done) done = detail::finish_frame(out);
  if (!done) return fail(done);
  return out;
}

}  // namespace leat::wire
