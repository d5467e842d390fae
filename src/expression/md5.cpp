// OpenSSL wants digests to be asked of its providers, of which a machine may have none with MD5.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "expression/md5.h"

#include <openssl/md5.h>

namespace leat::expression {

std::array<std::uint8_t, 16> md5(std::string_view bytes) {
  std::array<std::uint8_t, 16> digest{};
  static_assert(digest.size() == MD5_DIGEST_LENGTH);
  MD5(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

}  // namespace leat::expression
