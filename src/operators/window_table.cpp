#include "operators/window_table.h"

namespace leat::operators {

void WindowTable::make_room() {
  for (auto& accumulators : accumulators_) accumulators->resize(keys_.size());
}

void WindowTable::add(std::span<const column::Vector* const> keys, const AggregateColumns& columns,
                      std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& groups,
                      KeyScratch& scratch, FilteredRows& filtered) {
  keys_.find_or_add(keys, rows, groups, scratch);
  make_room();
  filtered.clear();
  for (std::size_t i = 0; i < accumulators_.size(); ++i) {
    aggregate::Input input = columns.inputs[i];
    if (input.filter == nullptr) {
      accumulators_[i]->update(input, rows, groups);
      continue;
    }
    const auto& passing = filtered.of(*input.filter, rows, groups);
    input.filter = nullptr;
    accumulators_[i]->update(input, passing.rows, passing.groups);
  }
}

void WindowTable::merge(const WindowTable& other, std::vector<std::uint32_t>& groups) {
  keys_.find_or_add(other.keys_, groups);
  make_room();
  for (std::size_t i = 0; i < accumulators_.size(); ++i) {
    accumulators_[i]->merge(*other.accumulators_[i], groups);
  }
}

void WindowTable::clear() {
  keys_.clear();
  make_room();
}

std::size_t WindowTable::bytes() const {
  std::size_t bytes = keys_.bytes();
  for (const auto& accumulators : accumulators_) bytes += accumulators->bytes();
  return bytes;
}

void WindowTable::snapshot(StateWriter& writer) const {
  keys_.snapshot(writer);
  for (const auto& accumulators : accumulators_) accumulators->snapshot(writer);
}

Result<void> WindowTable::restore(StateReader& reader) {
  if (auto ok = keys_.restore(reader); !ok) return ok;
  make_room();
  for (auto& accumulators : accumulators_) accumulators->restore(reader);
  return {};
}

}  // namespace leat::operators
