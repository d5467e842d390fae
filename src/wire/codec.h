// The bodies of Codec<M>. Only the source file of an API includes this, and instantiates it:
//
//   template struct leat::wire::Codec<leat::wire::HeartbeatRequest>;
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "wire/api_key.h"
#include "wire/decoder.h"
#include "wire/encoder.h"
#include "wire/message.h"
#include "wire/printer.h"

namespace leat::wire {

/// "Fetch request v4", for errors and logs.
std::string describe_message(ApiKey key, bool is_request, Version version);

template <class M>
constexpr bool is_request = requires {
  typename M::Response;
};

template <class M>
Result<M> Codec<M>::decode(BytesView bytes, Version version) {
  if (!M::valid.contains(version)) {
    return fail(Errc::unsupported_version,
                describe_message(M::key, is_request<M>, version) + " is not supported");
  }
  std::size_t memory_max = is_request<M> ? Decoder::request_memory_max : SIZE_MAX;
  Decoder decoder(bytes, version, M::flexible.contains(version), memory_max);
  M message;
  decoder.read_struct(message);
  if (!decoder.ok()) {
    return fail(Errc::malformed, describe_message(M::key, is_request<M>, version) +
                                     " is malformed at " + decoder.failed_at());
  }
  // Kafka's broker does not look behind a request, and librdkafka 2.16 leaves bytes there: asked
  // for all topics, it writes the null array of Metadata v9 and later in four bytes.
  if (!is_request<M> && decoder.remaining() != 0) {
    return fail(Errc::malformed, describe_message(M::key, is_request<M>, version) + " has " +
                                     std::to_string(decoder.remaining()) + " bytes behind it");
  }
  return message;
}

template <class M>
Result<void> Codec<M>::encode(const M& message, Version version, Encoded& out) {
  if (!M::valid.contains(version)) {
    return fail(Errc::unsupported_version,
                describe_message(M::key, is_request<M>, version) + " is not supported");
  }
  Encoder encoder(out, version, M::flexible.contains(version));
  encoder.write_struct(message);
  if (encoder.ok()) return {};
  return fail(Errc::invalid_argument,
              describe_message(M::key, is_request<M>, version) +
                  " cannot carry a value this long: " + encoder.failed_at());
}

template <class M>
std::string Codec<M>::print(const M& message, Version version) {
  std::string out = describe_message(M::key, is_request<M>, version) + " ";
  Printer(out, version).print_struct(message);
  return out;
}

}  // namespace leat::wire
