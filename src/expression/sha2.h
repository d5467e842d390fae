// SHA-2 (FIPS 180-4), by which texts are hidden and told apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::expression {

enum class Sha2 : std::uint8_t { sha224, sha256, sha384, sha512 };

/// What the longest of them has.
inline constexpr std::size_t sha2_bytes_max = 64;

/// Writes the bytes of the digest, and returns what is behind them.
char* write_sha2(char* out, Sha2 digest, std::string_view bytes);

}  // namespace leat::expression
