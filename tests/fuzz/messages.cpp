// Frames as they come off a socket: requests to a server, responses to a client.
#include "base/assert.h"
#include "fuzz/targets.h"
#include "wire/messages.h"

namespace leat::fuzz {
namespace {

/// What was understood is written, understood again and written the same.
template <class M>
void write_again(const M& message, wire::Version version) {
  wire::Encoded first;
  ASSERT(wire::Codec<M>::encode(message, version, first).has_value());
  auto again = wire::Codec<M>::decode(first.bytes, version);
  ASSERT(again.has_value());
  wire::Encoded second;
  ASSERT(wire::Codec<M>::encode(*again, version, second).has_value());
  ASSERT(first.bytes == second.bytes);
  ASSERT(!wire::Codec<M>::print(message, version).empty());
}

}  // namespace

void request(BytesView input) {
  auto frame = wire::parse_request(input);
  if (!frame) return;
  ASSERT(!wire::print_request(*frame).empty());
  wire::Requests::for_each([&]<class Request>() {
    if (frame->header.key != Request::key) return;
    auto message = wire::decode_request<Request>(*frame);
    if (message) write_again(*message, frame->header.version);
  });
}

/// The first four bytes say, as in a request, what the response is to.
void response(BytesView input) {
  ByteReader reader(input);
  auto key = static_cast<wire::ApiKey>(reader.read<std::int16_t>());
  auto version = reader.read<std::int16_t>();
  if (!reader.ok()) return;
  auto frame = wire::parse_response(input.subspan(reader.position()));
  if (!frame) return;
  wire::Requests::for_each([&]<class Request>() {
    using Response = typename Request::Response;
    if (key != Request::key) return;
    auto message = wire::decode_response<Response>(*frame, version);
    if (message) write_again(*message, version);
  });
}

}  // namespace leat::fuzz
