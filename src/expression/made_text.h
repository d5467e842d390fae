// Results that are texts of their own.
#pragma once

#include <algorithm>
#include <string_view>

#include "expression/kernel.h"

namespace leat::expression {

/// Room for a result, which is all of it.
inline char* make_text(const Call& call, std::uint32_t row, std::size_t size) {
  char* room = call.result.texts.reserve(size);
  call.result.texts.keep(size);
  call.out().set_text(row, {room, size});
  return room;
}

/// Returns what is behind the text.
inline char* append(char* out, std::string_view text) {
  return std::copy(text.begin(), text.end(), out);
}

}  // namespace leat::expression
