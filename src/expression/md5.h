// MD5 (RFC 1321), which tells texts apart and keeps no secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace leat::expression {

/// The 16 bytes of the digest.
std::array<std::uint8_t, 16> md5(std::string_view bytes);

}  // namespace leat::expression
