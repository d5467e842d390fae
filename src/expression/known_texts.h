// Texts that are read for the first time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "expression/kernel.h"

namespace leat::expression {

/// `use(row, text)` for texts that are read for the first time. Decoding the rows behind has driven
/// them out of the nearest cache: those of later rows are asked for meanwhile.
template <class Use>
void for_each_text(const Operand& texts, const Rows& rows, Use use) {
  constexpr std::size_t ahead = 8, line = 64;
  const std::string_view* cells = texts.vector->texts().data();
  auto row_at = [&](std::size_t i) {
    return rows.is_all() ? static_cast<std::uint32_t>(i) : rows.list[i];
  };
  for (std::size_t i = 0; i < rows.count; ++i) {
    if (i + ahead < rows.count) {
      const std::string_view& text = cells[texts.at(row_at(i + ahead))];
      __builtin_prefetch(text.data());
      if (text.size() > line) {
        __builtin_prefetch(text.data() + line);
        __builtin_prefetch(text.data() + text.size() - 1);
      }
    }
    std::uint32_t row = row_at(i);
    use(row, cells[texts.at(row)]);
  }
}

/// for_known_rows() for kernels that read the first argument's texts so.
template <class Use>
void for_known_texts(const Call& call, Use use) {
  Nulls nulls(call.arguments);
  bool has_nulls = nulls.any() && nulls.any_in(call.rows);
  for_each_text(call.arguments[0], call.rows, [&](std::uint32_t row, std::string_view) {
    if (has_nulls && nulls.at(row))
      call.out().set_null(row);
    else
      use(row);
  });
}

}  // namespace leat::expression
