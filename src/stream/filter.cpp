#include "stream/filter.h"

#include "column/kernels.h"

namespace leat::stream {

Result<void> Filter::process(OperatorState&, const column::Chunk& chunk, Output& output) const {
  column::Chunk kept = chunk;
  kept.selection = column::select_true(*condition_.evaluate(chunk), chunk.selection);
  if (kept.selection.size() == 0) return {};
  return output.push(kept);
}

}  // namespace leat::stream
