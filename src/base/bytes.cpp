#include "base/bytes.h"

namespace leat {
namespace {

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace

BytesView ByteReader::read_bytes(std::size_t n) {
  if (failed_ || n > bytes_.size() - position_) {
    failed_ = true;
    return {};
  }
  BytesView view = bytes_.subspan(position_, n);
  position_ += n;
  return view;
}

std::uint32_t ByteReader::read_uvarint() {
  std::uint32_t value = 0;
  for (int shift = 0; shift <= 28; shift += 7) {
    auto byte = read<std::uint8_t>();
    // Kafka rejects a varint of more than 5 bytes; the fifth holds the top four bits.
    if (shift == 28 && byte > 0x0f) break;
    value |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  failed_ = true;
  return 0;
}

std::uint64_t ByteReader::read_uvarlong() {
  std::uint64_t value = 0;
  for (int shift = 0; shift <= 63; shift += 7) {
    auto byte = read<std::uint8_t>();
    if (shift == 63 && byte > 0x01) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  failed_ = true;
  return 0;
}

std::int32_t ByteReader::read_varint() {
  std::uint32_t bits = read_uvarint();
  return static_cast<std::int32_t>(bits >> 1) ^ -static_cast<std::int32_t>(bits & 1);
}

std::int64_t ByteReader::read_varlong() {
  return unzigzag(read_uvarlong());
}

void ByteWriter::write_uvarlong(std::uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<std::byte>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<std::byte>(value));
}

void ByteWriter::write_varint(std::int32_t value) {
  write_uvarlong(zigzag(value));
}
void ByteWriter::write_varlong(std::int64_t value) {
  write_uvarlong(zigzag(value));
}

std::size_t uvarlong_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

std::size_t varlong_size(std::int64_t value) {
  return uvarlong_size(zigzag(value));
}

}  // namespace leat
