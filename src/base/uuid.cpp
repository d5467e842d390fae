#include "base/uuid.h"

#include <cstring>

#include "base/random.h"

namespace leat {

Uuid Uuid::random(Random& random) {
  Uuid id;
  std::uint64_t halves[2] = {random.next(), random.next()};
  std::memcpy(id.bytes.data(), halves, sizeof halves);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);  // version 4
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);  // RFC 4122 variant
  return id;
}

std::optional<Uuid> Uuid::from_hex(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  Uuid id;
  for (std::size_t i = 0; i < 32; ++i) {
    char c = text[i];
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else {
      return std::nullopt;
    }
    id.bytes[i / 2] = static_cast<std::uint8_t>((id.bytes[i / 2] << 4) | digit);
  }
  return id;
}

std::string Uuid::to_hex() const {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace leat

std::size_t std::hash<leat::Uuid>::operator()(const leat::Uuid& id) const noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, id.bytes.data(), sizeof halves);
  return halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15ULL);
}
