// OpenSSL wants digests to be asked of its providers: that is a look-up by name for each.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "expression/sha2.h"

#include <openssl/sha.h>

namespace leat::expression {

namespace {

template <class Context>
char* write(char* out, std::size_t size, std::string_view bytes, int (*begin)(Context*),
            int (*add)(Context*, const void*, std::size_t), int (*end)(unsigned char*, Context*)) {
  Context context;
  begin(&context);
  add(&context, bytes.data(), bytes.size());
  end(reinterpret_cast<unsigned char*>(out), &context);
  return out + size;
}

}  // namespace

char* write_sha2(char* out, Sha2 digest, std::string_view bytes) {
  static_assert(sha2_bytes_max == SHA512_DIGEST_LENGTH);
  switch (digest) {
    case Sha2::sha224:
      return write(out, SHA224_DIGEST_LENGTH, bytes, SHA224_Init, SHA224_Update, SHA224_Final);
    case Sha2::sha256:
      return write(out, SHA256_DIGEST_LENGTH, bytes, SHA256_Init, SHA256_Update, SHA256_Final);
    case Sha2::sha384:
      return write(out, SHA384_DIGEST_LENGTH, bytes, SHA384_Init, SHA384_Update, SHA384_Final);
    case Sha2::sha512: break;
  }
  return write(out, SHA512_DIGEST_LENGTH, bytes, SHA512_Init, SHA512_Update, SHA512_Final);
}

}  // namespace leat::expression
