#include "operators/union_all.h"

#include <string>

#include "operators/gather.h"

namespace leat::operators {

Result<void> UnionAll::process(OperatorState&, std::size_t input, const column::Chunk& chunk,
                               Context& context) const {
  const column::RowContext& before = *chunk.context;
  auto out = std::make_shared<column::RowContext>(before);
  auto texts = std::make_shared<column::TextArena>();
  out->buffers.push_back({texts});
  std::string rest;
  column::append_word(rest, static_cast<std::int64_t>(input));
  if (before.rests.empty()) {
    out->rests.assign(chunk.rows, copy_text(rest, *texts));
  } else {
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      rest = before.rests[row];
      column::append_word(rest, static_cast<std::int64_t>(input));
      out->rests[row] = copy_text(rest, *texts);
    }
  }
  column::Chunk same = chunk;
  same.context = std::move(out);
  return context.push(same);
}

}  // namespace leat::operators
