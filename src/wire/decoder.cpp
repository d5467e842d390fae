#include "wire/decoder.h"

#include <algorithm>

namespace leat::wire {

std::int64_t Decoder::string_length() {
  if (flexible_) return static_cast<std::int64_t>(reader_.read_uvarint()) - 1;
  return reader_.read<std::int16_t>();
}

std::int64_t Decoder::array_length() {
  if (flexible_) return static_cast<std::int64_t>(reader_.read_uvarint()) - 1;
  return reader_.read<std::int32_t>();
}

bool Decoder::reserve(std::int64_t count, std::size_t element_bytes) {
  // Every element takes at least one byte on the wire, so that a count beyond the bytes left is a
  // lie, and the product below cannot overflow.
  if (!reader_.ok() || static_cast<std::uint64_t>(count) > reader_.remaining() ||
      static_cast<std::size_t>(count) * element_bytes > memory_left_) {
    reader_.fail();
    return false;
  }
  memory_left_ -= static_cast<std::size_t>(count) * element_bytes;
  return true;
}

void Decoder::read(Uuid& value, bool) {
  BytesView bytes = reader_.read_bytes(value.bytes.size());
  std::transform(bytes.begin(), bytes.end(), value.bytes.begin(),
                 [](std::byte byte) { return static_cast<std::uint8_t>(byte); });
}

void Decoder::read(Records& value, bool nullable) {
  std::int64_t size = array_length();
  if (size < -1 || (size < 0 && !nullable)) reader_.fail();
  if (size < 0 || !reader_.ok()) return;
  BytesView bytes = reader_.read_bytes(static_cast<std::size_t>(size));
  value = Records(bytes);
}

void Decoder::read_sized(std::int64_t size, std::string& value) {
  if (size > static_cast<std::int64_t>(max_string_bytes)) reader_.fail();
  if (!reader_.ok()) return;
  value = as_text(reader_.read_bytes(static_cast<std::size_t>(size)));
}

void Decoder::read_sized(std::int64_t size, Bytes& value) {
  if (!reader_.ok()) return;
  BytesView bytes = reader_.read_bytes(static_cast<std::size_t>(size));
  value.assign(bytes.begin(), bytes.end());
}

}  // namespace leat::wire
