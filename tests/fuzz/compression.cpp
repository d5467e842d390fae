// Bytes of a codec, named by the first one: decompressed as they are, and compressed and back.
#include <algorithm>

#include "base/assert.h"
#include "record/compression.h"
#include "fuzz/targets.h"

namespace leat::fuzz {

void compression(BytesView input) {
  if (input.empty()) return;
  constexpr std::size_t limit = 1u << 20;
  auto codec = static_cast<record::Compression>(input[0] & std::byte{7});
  input = input.subspan(1);
  record::Scratch scratch;
  auto result = record::decompress(codec, input, scratch, limit);
  ASSERT(scratch.capacity() <= limit);
  if (result && codec != record::Compression::none) ASSERT(result->size() <= limit);

  if (codec > record::Compression::zstd || input.empty()) return;
  record::Scratch compressed, back;
  BytesView smaller = record::compress(codec, input, compressed);
  auto same = record::decompress(codec, smaller, back, std::max(limit, input.size()));
  ASSERT(same.has_value());
  ASSERT(as_text(*same) == as_text(input));
}

}  // namespace leat::fuzz
