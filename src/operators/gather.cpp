#include "operators/gather.h"

namespace leat::operators {

using column::Physical;

std::size_t own_texts(column::Vector& vector, std::size_t begin, std::size_t end,
                      column::TextArena& arena) {
  std::size_t bytes = 0;
  if (physical(vector.type()) == Physical::text) {
    auto texts = vector.texts();
    constexpr std::size_t ahead = 8;
    for (std::size_t i = begin; i < end; ++i) {
      // Texts lie anywhere.
      if (i + ahead < end) __builtin_prefetch(texts[i + ahead].data());
      bytes += texts[i].size();
      texts[i] = copy_text(texts[i], arena);
    }
  }
  if (physical(vector.type()) == Physical::list) {
    for (std::size_t i = begin; i < end; ++i) {
      if (vector.is_null(i)) continue;
      auto [from, count] = vector.list(i);
      bytes += count * cell_bytes(vector.items().type());
      bytes += own_texts(vector.items(), from, from + count, arena);
    }
  }
  return bytes;
}

std::size_t cell_bytes(const column::Type& type) {
  constexpr std::size_t null_byte = 1;
  switch (physical(type)) {
    case Physical::integer: return null_byte + sizeof(std::int64_t);
    case Physical::real: return null_byte + sizeof(double);
    case Physical::decimal: return null_byte + sizeof(column::Int128);
    case Physical::text: return null_byte + sizeof(std::string_view);
    case Physical::interval: return null_byte + sizeof(column::Interval);
    case Physical::list: return null_byte + sizeof(column::Vector::Range);
  }
  return null_byte;
}

}  // namespace leat::operators
