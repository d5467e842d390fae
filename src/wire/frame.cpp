#include "wire/frame.h"

#include "wire/codec.h"

namespace leat::wire {

std::string describe_message(ApiKey key, bool is_request, Version version) {
  std::string text(name(key));
  text += is_request ? " request v" : " response v";
  return text + std::to_string(version);
}

Result<std::size_t> parse_frame_size(BytesView prefix, std::size_t max_bytes) {
  auto size = load_big_endian<std::int32_t>(prefix.data());
  if (size < 0 || static_cast<std::size_t>(size) > max_bytes) {
    return fail(Errc::malformed, "frame size " + std::to_string(size) + " is not in 0.." +
                                     std::to_string(max_bytes));
  }
  return static_cast<std::size_t>(size);
}

Result<RequestFrame> parse_request(BytesView frame) {
  ByteReader reader(frame);
  RequestFrame request;
  request.header.key = static_cast<ApiKey>(reader.read<std::int16_t>());
  request.header.version = reader.read<std::int16_t>();
  request.header.correlation_id = reader.read<std::int32_t>();
  auto size = reader.read<std::int16_t>();
  if (size < -1) reader.fail();
  if (size >= 0) {
    request.header.client_id = as_text(reader.read_bytes(static_cast<std::size_t>(size)));
  }
  if (!reader.ok()) {
    return fail(Errc::malformed,
                "request header of " + std::to_string(frame.size()) + " bytes is malformed");
  }
  request.rest = frame.subspan(reader.position());
  return request;
}

Result<ResponseFrame> parse_response(BytesView frame) {
  ByteReader reader(frame);
  auto correlation_id = reader.read<std::int32_t>();
  if (!reader.ok()) {
    return fail(Errc::malformed,
                "response header of " + std::to_string(frame.size()) + " bytes is malformed");
  }
  return ResponseFrame{correlation_id, frame.subspan(reader.position())};
}

namespace detail {

bool response_header_has_tags(ApiKey key, bool flexible) {
  return flexible && key != ApiKey::api_versions;
}

Result<BytesView> skip_tags(BytesView bytes) {
  ByteReader reader(bytes);
  std::uint32_t count = reader.read_uvarint();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    reader.read_uvarint();
    reader.read_bytes(reader.read_uvarint());
  }
  if (!reader.ok()) return fail(Errc::malformed, "the header's tagged fields are malformed");
  return bytes.subspan(reader.position());
}

void begin_request(const RequestHeader& header, ApiKey key, bool flexible, Encoded& out) {
  ByteWriter writer(out.bytes);
  writer.write<std::int32_t>(0);
  writer.write(static_cast<std::int16_t>(key));
  writer.write(header.version);
  writer.write(header.correlation_id);
  if (header.client_id) {
    std::string_view client_id = header.client_id->substr(0, INT16_MAX);
    writer.write(static_cast<std::int16_t>(client_id.size()));
    writer.write_bytes(as_bytes(client_id));
  } else {
    writer.write<std::int16_t>(-1);
  }
  if (flexible) writer.write_uvarint(0);
}

void begin_response(std::int32_t correlation_id, bool tags, Encoded& out) {
  ByteWriter writer(out.bytes);
  writer.write<std::int32_t>(0);
  writer.write(correlation_id);
  if (tags) writer.write_uvarint(0);
}

Result<void> finish_frame(Encoded& out) {
  std::size_t size = out.size() - frame_size_bytes;
  if (size > INT32_MAX) {
    return fail(Errc::invalid_argument, "a frame cannot carry " + std::to_string(size) + " bytes");
  }
  ByteWriter(out.bytes).patch(0, static_cast<std::int32_t>(size));
  return {};
}

}  // namespace detail
}  // namespace leat::wire
