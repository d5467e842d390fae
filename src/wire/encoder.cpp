#include "wire/encoder.h"

namespace leat::wire {

void Encoder::write_null(bool is_string) {
  if (flexible_) {
    writer_.write_uvarint(0);
  } else if (is_string) {
    writer_.write<std::int16_t>(-1);
  } else {
    writer_.write<std::int32_t>(-1);
  }
}

void Encoder::write_string_length(std::size_t size) {
  // Compact strings could be longer, but Kafka refuses to read them.
  if (size > INT16_MAX) ok_ = false;
  if (flexible_) {
    writer_.write_uvarlong(size + 1);
  } else {
    writer_.write(static_cast<std::int16_t>(size));
  }
}

void Encoder::write_array_length(std::size_t size) {
  if (size > INT32_MAX) ok_ = false;
  if (flexible_) {
    writer_.write_uvarlong(size + 1);
  } else {
    writer_.write(static_cast<std::int32_t>(size));
  }
}

void Encoder::write(const Uuid& value, bool) {
  for (std::uint8_t byte : value.bytes) writer_.write(byte);
}

void Encoder::write(const std::string& value, bool) {
  write_string_length(value.size());
  writer_.write_bytes(as_bytes(value));
}

void Encoder::write(const Bytes& value, bool) {
  write_array_length(value.size());
  writer_.write_bytes(value);
}

void Encoder::write(const Records& value, bool nullable) {
  if (value.is_null() && nullable) return write_null(false);
  write_array_length(value.size());
  if (value.is_elsewhere()) {
    out_.holes.push_back({out_.bytes.size(), value.size()});
  } else {
    writer_.write_bytes(value.bytes());
  }
}

}  // namespace leat::wire
