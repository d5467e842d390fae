// Arrays that accumulators keep.
#pragma once

#include <vector>

#include "aggregate/kept_cell.h"

namespace leat::aggregate {

/// An item, or NULL.
template <class Item>
struct KeptItem {
  typename Item::Kept value{};
  bool null = false;
};

/// A cell of items of a kind, as kept_cell.h has them; arrays have no order. In a snapshot:
///
///   list := count:u32 item*
///   item := null:u8 value     no value if it is NULL
template <class Item>
struct ListCell {
  using Kept = std::vector<KeptItem<Item>>;

  /// The list of a cell, copied.
  struct Cells {
    const column::Vector& vector;
    Kept operator[](std::size_t row) const {
      auto [begin, count] = vector.list(row);
      Kept kept(count);
      auto items = Item::cells(vector.items());
      for (std::size_t i = 0; i < count; ++i) {
        kept[i].null = vector.items().is_null(begin + i);
        if (!kept[i].null) kept[i].value = items[begin + i];
      }
      return kept;
    }
  };
  static Cells cells(const column::Vector& vector) { return {vector}; }

  static void give(const Kept& kept, column::Vector& out, std::size_t row) {
    give_items(
        kept.size(), out, row, [&](std::size_t i) -> const auto& { return kept[i]; });
  }
  /// Sets a cell to the items that `item(i)` gives.
  static void give_items(std::size_t count, column::Vector& out, std::size_t row, auto item) {
    column::Vector& items = out.items();
    auto at = static_cast<std::uint32_t>(items.size());
    items.resize(at + count);
    for (std::size_t i = 0; i < count; ++i) {
      const KeptItem<Item>& given = item(i);
      if (given.null)
        items.set_null(at + i);
      else
        Item::give(given.value, items, at + i);
    }
    out.set_list(row, {at, static_cast<std::uint32_t>(count)});
  }
  static void write(const Kept& kept, StateWriter& writer) {
    writer.write(static_cast<std::uint32_t>(kept.size()));
    for (const auto& item : kept) write_item(item, writer);
  }
  static void read(Kept& kept, StateReader& reader) {
    kept.resize(reader.read_count(1));
    for (auto& item : kept) read_item(item, reader);
  }
  static std::size_t heap_bytes(const Kept& kept) {
    std::size_t bytes = kept.capacity() * sizeof(KeptItem<Item>);
    for (const auto& item : kept) bytes += Item::heap_bytes(item.value);
    return bytes;
  }

  static void write_item(const KeptItem<Item>& item, StateWriter& writer) {
    writer.write(static_cast<std::uint8_t>(item.null ? 1 : 0));
    if (!item.null) Item::write(item.value, writer);
  }
  static void read_item(KeptItem<Item>& item, StateReader& reader) {
    item.null = reader.read<std::uint8_t>() != 0;
    if (!item.null) Item::read(item.value, reader);
  }
};

}  // namespace leat::aggregate
