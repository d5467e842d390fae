#include "operators/window_changes.h"

#include <algorithm>
#include <utility>

#include "column/chunk.h"
#include "operators/cell_codec.h"
#include "operators/gather.h"

namespace leat::operators {

using column::Chunk;
using column::RowKind;

GivenWindow& WindowChanges::window(std::int64_t end_ms, TableMaker& maker) {
  GivenWindow& window = windows.try_emplace(end_ms, maker.result_types()).first->second;
  if (!window.sums) window.sums = maker.take_table();
  return window;
}

void WindowChanges::note(std::int64_t end_ms, GivenWindow& window,
                         std::span<const std::uint32_t> keys) {
  // Of rows without a valid argument there is nothing to tell, so no time to tell it begins.
  if (keys.empty()) return;
  window.make_room();
  for (std::uint32_t key : keys) {
    if (std::exchange(window.is_changed[key], 1) == 0) window.changed.push_back(key);
  }
  changed.insert(end_ms);
}

std::size_t WindowChanges::bytes() const {
  std::size_t bytes = 0;
  for (const auto& [end, window] : windows) {
    bytes += sizeof window + window.sums->bytes() + window.given.bytes();
  }
  return bytes;
}

void WindowChanges::snapshot(StateWriter& writer) const {
  auto count = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
  writer.write(count(windows.size()));
  for (const auto& [end, window] : windows) {
    writer.write(end);
    window.sums->snapshot(writer);
    for (std::uint32_t key = 0; key < window.sums->size(); ++key) window.given.write(writer, key);
    writer.write(count(window.changed.size()));
    for (std::uint32_t key : window.changed) writer.write(key);
    writer.write(count(window.bad.size()));
    for (const auto& [key, reason] : window.bad) {
      writer.write(key);
      writer.write_text(reason);
    }
  }
}

Result<void> WindowChanges::restore(StateReader& reader, TableMaker& maker) {
  for (auto left = reader.read_count(sizeof(std::int64_t)); left > 0; --left) {
    auto end_ms = reader.read<std::int64_t>();
    GivenWindow& window = this->window(end_ms, maker);
    if (auto ok = window.sums->restore(reader); !ok) return ok;
    window.make_room();
    for (std::uint32_t key = 0; key < window.sums->size(); ++key) window.given.read(reader, key);
    std::uint32_t keys = reader.read_count(sizeof(std::uint32_t));
    if (keys > 0) changed.insert(end_ms);
    for (; keys > 0; --keys) {
      window.changed.push_back(reader.read<std::uint32_t>());
      if (window.changed.back() >= window.is_changed.size()) {
        return fail(Errc::corrupt_message, "the snapshot has a change of no key");
      }
      window.is_changed[window.changed.back()] = 1;
    }
    for (auto bad = reader.read_count(sizeof(std::uint32_t)); bad > 0; --bad) {
      auto key = reader.read<std::uint32_t>();
      if (key >= window.sums->size()) {
        return fail(Errc::corrupt_message, "the snapshot has a reason of no key");
      }
      window.bad[key] = reader.read_text();
    }
  }
  return {};
}

Chunk make_changes(const WindowRows& rows, const Span& span, const GivenWindow& window,
                   const Chunk& now, std::span<const GivenChange> changes) {
  std::vector<std::uint32_t> keys;
  auto context = std::make_shared<column::RowContext>();
  for (const GivenChange& change : changes) {
    keys.push_back(change.key);
    context->kinds.push_back(change.kind);
  }
  auto columns = rows.make_columns({{&span, 1}, &window.keys(), keys, nullptr, {}}, *context);
  for (std::size_t i = rows.first_result(); i < columns.size(); ++i) {
    const column::Vector& given = window.given.column(i - rows.first_result());
    const column::Vector& is_now = *now.columns[i];
    gather(*columns[i], 0, changes.size(), [&](std::size_t row) {
      const GivenChange& change = changes[row];
      return change.row == GivenChange::given ? Cell{&given, change.key}
                                              : Cell{&is_now, change.row};
    });
  }
  const auto& buffers = now.context->buffers;
  context->buffers.insert(context->buffers.end(), buffers.begin(), buffers.end());
  context->buffers.push_back({window.given.texts()});
  Chunk chunk;
  chunk.columns.assign(columns.begin(), columns.end());
  chunk.rows = changes.size();
  chunk.selection = column::Selection::all(chunk.rows);
  chunk.context = std::move(context);
  return chunk;
}

void write_values(StateWriter& writer, const ResultValues& values,
                  std::span<const column::Type> types) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    column::Vector cell(types[i]);
    cell.resize(1);
    cell.set_value(0, values[i]);
    write_cell(writer, cell, 0);
  }
}

ResultValues read_values(StateReader& reader, std::span<const column::Type> types) {
  ResultValues values;
  for (const auto& type : types) {
    column::Vector cell(type);
    cell.resize(1);
    read_cell(reader, cell, 0);
    values.push_back(cell.value(0));
  }
  return values;
}

void append_change(const Span& window, std::uint32_t group, std::optional<ResultValues>& given,
                   std::optional<ResultValues> now, std::vector<RowChange>& changes) {
  if (given == now) return;
  if (!given)
    changes.push_back({RowKind::insert, window, group, *now});
  else if (!now)
    changes.push_back({RowKind::erase, window, group, std::move(*given)});
  else {
    changes.push_back({RowKind::update_before, window, group, std::move(*given)});
    changes.push_back({RowKind::update_after, window, group, *now});
  }
  given = std::move(now);
}

ResultValues values_of(const Chunk& chunk, std::size_t first_result, std::uint32_t row) {
  ResultValues values;
  for (std::size_t i = first_result; i < chunk.columns.size(); ++i) {
    values.push_back(chunk.columns[i]->value(row));
  }
  return values;
}

namespace {

Result<void> push_part(const WindowRows& rows, const GroupKeys& keys,
                       const std::shared_ptr<const std::vector<RowChange>>& all,
                       std::span<const RowChange> changes, Context& context) {
  std::vector<Span> windows;
  std::vector<std::uint32_t> groups;
  auto row_context = std::make_shared<column::RowContext>();
  for (const RowChange& change : changes) {
    windows.push_back(change.window);
    groups.push_back(change.group);
    row_context->kinds.push_back(change.kind);
  }
  auto columns = rows.make_columns({windows, &keys, groups, nullptr, {}}, *row_context);
  for (std::size_t row = 0; row < changes.size(); ++row) {
    for (std::size_t i = 0; i < changes[row].values.size(); ++i) {
      columns[rows.first_result() + i]->set_value(row, changes[row].values[i]);
    }
  }
  row_context->buffers.push_back({all});
  Chunk chunk;
  chunk.columns.assign(columns.begin(), columns.end());
  chunk.rows = changes.size();
  chunk.selection = column::Selection::all(chunk.rows);
  chunk.context = std::move(row_context);
  return context.push(chunk);
}

}  // namespace

Result<void> push_changes(const WindowRows& rows, const GroupKeys& keys,
                          std::vector<RowChange> changes, Context& context) {
  auto all = std::make_shared<const std::vector<RowChange>>(std::move(changes));
  std::span<const RowChange> left = *all;
  while (!left.empty()) {
    auto part = left.first(std::min(left.size(), column::chunk_rows));
    left = left.subspan(part.size());
    if (auto ok = push_part(rows, keys, all, part, context); !ok) return ok;
  }
  return {};
}

}  // namespace leat::operators
