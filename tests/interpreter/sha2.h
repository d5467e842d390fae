// SHA-2 (FIPS 180-4), slow and plain.
#pragma once

#include <string>

namespace leat::interpreter {

/// The bytes of the digest of 224, 256, 384 or 512 bits.
std::string sha2(const std::string& bytes, int bits);

}  // namespace leat::interpreter
