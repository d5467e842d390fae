// Texts that are taken apart into arrays, and arrays that are joined.
#include "expression/optimize.h"

#include "expression/characters.h"
#include "expression/made_text.h"

namespace leat::expression {

using column::Vector;
using std::string_view;

namespace {

using Texts = Cells<string_view>;

// Items point into the text. An empty one has none, and one without a separator is one item.
void split(const Call& call) {
  Texts texts(call.arguments[0]), separators(call.arguments[1]);
  Vector& items = call.out().items();
  for_known_rows(call, [&](std::uint32_t row) {
    std::size_t begin = items.size();
    auto add = [&](string_view item) {
      items.resize(items.size() + 1);
      items.set_text(items.size() - 1, item);
    };
    string_view text = texts[row], separator = separators[row];
    if (!text.empty()) {
      std::size_t end = 0;
      while (!separator.empty() && (end = find_text(text, separator)) != text.npos) {
        add(text.substr(0, end));
        text.remove_prefix(end + separator.size());
      }
      add(text);
    }
    call.out().set_list(
        row, {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(items.size() - begin)});
  });
}

// NULLs are left out, with their separators.
void join(const Call& call) {
  const Vector& items = call.arguments[0].vector->items();
  Cells<Vector::Range> ranges(call.arguments[0]);
  Texts separators(call.arguments[1]);
  for_known_rows(call, [&](std::uint32_t row) {
    Vector::Range range = ranges[row];
    string_view separator = separators[row];
    std::size_t size = 0, count = 0;
    for (std::size_t i = range.begin; i < range.begin + range.count; ++i) {
      if (items.is_null(i)) continue;
      size += items.text(i).size();
      ++count;
    }
    char* out = make_text(call, row, count == 0 ? 0 : size + (count - 1) * separator.size());
    for (std::size_t i = range.begin, before = 0; i < range.begin + range.count; ++i) {
      if (items.is_null(i)) continue;
      if (before++ > 0) out = append(out, separator);
      out = append(out, items.text(i));
    }
  });
}

}  // namespace

Kernel text_array_kernel(const plan::BoundExpression& call) {
  if (call.function == "string_to_array") return split;
  if (call.function == "array_to_string") return join;
  return {};
}

}  // namespace leat::expression
