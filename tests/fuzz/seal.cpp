// A seal's file: what is taken for a seal is one, to the last bit.
#include <xxhash.h>

#include "base/assert.h"
#include "fuzz/targets.h"
#include "log/seal.h"

namespace leat::fuzz {

void seal(BytesView input) {
  Result<log::Seal> found = log::decode_seal(input);
  if (!found) {
    ASSERT(found.error().code == Errc::corrupt_message);
    return;
  }
  ASSERT(as_text(log::encode(*found)) == as_text(input));
}

void repair_seal(Bytes& input) {
  constexpr std::size_t body = 80;
  input.resize(body + sizeof(std::uint64_t));
  store_big_endian(input.data() + body, XXH3_64bits(input.data(), body));
}

std::vector<Bytes> seal_seeds() {
  return {log::encode(log::Seal{Offset{7}, Offset{19}, 4096, 3, 12, 100, 200, 300, 0xabcdef})};
}

}  // namespace leat::fuzz
