#include "operators/unnest.h"

#include <variant>

#include "expression/operand.h"
#include "operators/chunk_maker.h"
#include "operators/gather.h"
#include "operators/row_versions.h"

namespace leat::operators {

using column::Vector;

// The rows of one chunk's items.
class Unnest::Output {
 public:
  Output(const Unnest& unnest, const column::Chunk& chunk) : unnest_(unnest), chunk_(chunk) {}

  Result<void> add(std::uint32_t row, Context& context) {
    const Vector& arrays = *chunk_.columns[unnest_.array_];
    if (arrays.is_null(row)) return {};
    auto [begin, count] = arrays.list(row);
    for (std::uint32_t i = 0; i < count; ++i) {
      rows_.push_back(row);
      items_.push_back(begin + i);
      numbers_.push_back(i + 1);
      if (rows_.size() < column::chunk_rows) continue;
      if (auto pushed = push(context); !pushed) return fail(pushed);
    }
    return {};
  }

  Result<void> push(Context& context) {
    if (rows_.empty()) return {};
    maker_.add_made_of(*chunk_.context, rows_, numbers_);
    for (std::size_t c = 0; c < chunk_.columns.size(); ++c) {
      add_cells(*chunk_.columns[c], rows_);
      maker_.keep(chunk_.columns[c]);
    }
    add_cells(chunk_.columns[unnest_.array_]->items(), items_);
    if (unnest_.counted_) add_numbers();
    maker_.keep(chunk_.context);
    rows_.clear();
    items_.clear();
    numbers_.clear();
    return context.push(maker_.finish());
  }

 private:
  void add_cells(const Vector& from, const std::vector<std::uint32_t>& rows) {
    auto owned = expression::OwnedVector::make(from.type(), rows.size());
    gather(owned->vector, 0, rows.size(), [&](std::size_t i) { return Cell{&from, rows[i]}; });
    maker_.add_column(expression::OwnedVector::release(std::move(owned)));
  }
  void add_numbers() {
    auto numbers = std::make_shared<Vector>(column::Type::bigint);
    numbers->resize(numbers_.size());
    for (std::size_t i = 0; i < numbers_.size(); ++i) numbers->set_integer(i, numbers_[i]);
    maker_.add_column(std::move(numbers));
  }

  const Unnest& unnest_;
  const column::Chunk& chunk_;
  ChunkMaker maker_;
  std::vector<std::uint32_t> rows_;   // the arrays'
  std::vector<std::uint32_t> items_;  // of the arrays' items
  std::vector<std::int64_t> numbers_;
};

Unnest::Unnest(const plan::BoundNode& node)
    : schema_(node.schema),
      array_(node.columns[0]),
      counted_(!std::get<plan::Unnest>(node.node->body).ordinality.empty()) {}

Result<void> Unnest::process(OperatorState&, std::size_t, const column::Chunk& chunk,
                             Context& context) const {
  // Versions of a row may have different numbers of items.
  column::Chunk versions = without_updates(chunk);
  Output output(*this, versions);
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    if (auto added = output.add(chunk.selection[i], context); !added) return fail(added);
  }
  return output.push(context);
}

}  // namespace leat::operators
