// Texts that are read for the first time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "expression/kernel.h"

namespace leat::expression {

/// for_known_rows() for kernels that read the first argument's texts. Decoding the rows behind has
/// driven them out of the nearest cache: those of later rows are asked for meanwhile.
template <class Use>
void for_known_texts(const Call& call, Use use) {
  constexpr std::size_t ahead = 8, line = 64;
  const Operand& texts = call.arguments[0];
  const std::string_view* cells = texts.vector->texts().data();
  Nulls nulls(call.arguments);
  bool has_nulls = nulls.any() && nulls.any_in(call.rows);
  auto row_at = [&](std::size_t i) {
    return call.rows.is_all() ? static_cast<std::uint32_t>(i) : call.rows.list[i];
  };
  for (std::size_t i = 0; i < call.rows.count; ++i) {
    if (i + ahead < call.rows.count) {
      const std::string_view& text = cells[texts.at(row_at(i + ahead))];
      __builtin_prefetch(text.data());
      if (text.size() > line) __builtin_prefetch(text.data() + line);
    }
    std::uint32_t row = row_at(i);
    if (has_nulls && nulls.at(row))
      call.out().set_null(row);
    else
      use(row);
  }
}

}  // namespace leat::expression
