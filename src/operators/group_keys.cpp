#include "operators/group_keys.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "column/position.h"
#include "column/row_blocks.h"
#include "column/row_key.h"

namespace leat::operators {

using column::Physical;
using column::Type;
using column::Vector;

namespace {

// How far ahead of its use memory is asked for.
constexpr std::size_t ahead = 16;
// As in column/row_key.h.
constexpr char present_cell = 0x01;
constexpr char null_cell = 0x02;
constexpr std::uint32_t no_null = 0xffff'ffff;
constexpr std::size_t integer_key_bytes = 1 + sizeof(std::int64_t);

/// A group, and a number that sorts as its key does, or as its first different bytes do.
struct SortEntry {
  std::uint64_t key;
  std::uint32_t group;
};

std::vector<std::uint32_t> groups_of(const std::vector<SortEntry>& entries) {
  std::vector<std::uint32_t> groups(entries.size());
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = entries[i].group;
  return groups;
}

// In the order of their keys. Many are dealt out by a byte of the key at a time, from the lowest
// on: of numbers near to each other, as most are, few bytes differ.
void sort_by_key(std::vector<SortEntry>& entries) {
  constexpr std::size_t dealt_min = 256, digits = 256;
  if (entries.size() < dealt_min) {
    std::sort(entries.begin(), entries.end(),
              [](const SortEntry& a, const SortEntry& b) { return a.key < b.key; });
    return;
  }
  std::uint64_t differing = 0;
  for (const SortEntry& entry : entries) differing |= entry.key ^ entries[0].key;
  std::vector<SortEntry> dealt(entries.size());
  for (int shift = 0; shift < 64; shift += 8) {
    if ((differing >> shift & 0xff) == 0) continue;
    std::array<std::uint32_t, digits> begins{};
    for (const SortEntry& entry : entries) ++begins[entry.key >> shift & 0xff];
    std::uint32_t before = 0;
    for (std::uint32_t& begin : begins) before += std::exchange(begin, before);
    for (const SortEntry& entry : entries) dealt[begins[entry.key >> shift & 0xff]++] = entry;
    entries.swap(dealt);
  }
}

// How many bytes all keys have in common at their begin.
std::size_t common_prefix(const GroupTable& table) {
  if (table.size() == 0) return 0;
  std::string_view first = table.key(0);
  std::size_t common = first.size();
  for (std::size_t group = 1; group < table.size() && common > 0; ++group) {
    std::string_view key = table.key(group);
    common = std::min(common, key.size());
    if (std::memcmp(first.data(), key.data(), common) == 0) continue;
    common = static_cast<std::size_t>(
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(common),
                      key.begin())
            .first -
        first.begin());
  }
  return common;
}

std::uint64_t first_bytes(std::string_view key) {
  std::byte bytes[sizeof(std::uint64_t)]{};
  std::memcpy(bytes, key.data(), std::min(key.size(), sizeof bytes));
  return load_big_endian<std::uint64_t>(bytes);
}

tl::unexpected<Error> of_other_columns() {
  return fail(Errc::snapshot_mismatch, "the snapshot has keys of other columns");
}

/// Whether bytes are those of a key of some columns.
class IsKey {
 public:
  explicit IsKey(std::span<const Type> types) {
    for (const Type& type : types) cells_.emplace_back(type).resize(1);
  }
  bool operator()(std::string_view bytes) {
    texts_.clear();
    texts_.reserve(bytes.size());
    for (Vector& cell : cells_) {
      if (!column::take_key(bytes, cell, 0, texts_)) return false;
    }
    return bytes.empty();
  }

 private:
  std::vector<Vector> cells_;
  std::string texts_;
};

std::uint64_t ordered(std::int64_t key) {
  return static_cast<std::uint64_t>(key) ^ std::uint64_t{1} << 63;
}

}  // namespace

GroupKeys::GroupKeys(std::span<const Type> types)
    : types_(types.begin(), types.end()),
      integer_(types.size() == 1 && physical(types[0]) == Physical::integer) {}

void GroupKeys::find_or_add(std::span<const Vector* const> columns,
                            std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& groups,
                            KeyScratch& scratch) {
  groups.resize(rows.size());
  if (rows.empty()) return;
  if (integer_) return find_integers(*columns[0], rows, groups);
  if (types_.empty()) {
    std::fill(groups.begin(), groups.end(), texts_.find_or_add(""));
    return;
  }
  bool texts = columns.size() == 1 && physical(types_[0]) == Physical::text;
  if (texts && !columns[0]->has_nulls()) return find_texts(*columns[0], rows, groups, scratch);
  find_bytes(columns, rows, groups, scratch);
}

void GroupKeys::find_integers(const Vector& column, std::span<const std::uint32_t> rows,
                              std::vector<std::uint32_t>& groups) {
  auto cells = column.integers();
  // What a filter let pass mostly has none, though its chunk may.
  bool nulls =
      column.has_nulls() && column::any_null(column.nulls().data(), rows.data(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + ahead < rows.size()) integers_.prefetch(cells[rows[i + ahead]]);
    groups[i] = nulls && column.is_null(rows[i]) ? integers_.find_or_add_null()
                                                 : integers_.find_or_add(cells[rows[i]]);
  }
}

void GroupKeys::find_texts(const Vector& column, std::span<const std::uint32_t> rows,
                           std::vector<std::uint32_t>& groups, KeyScratch& scratch) {
  const Vector* columns[] = {&column};
  auto texts = column.texts();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // Decoding the rows behind has driven the texts out of the nearest cache.
    if (i + ahead < rows.size()) __builtin_prefetch(texts[rows[i + ahead]].data());
    groups[i] = scratch.recent.find(this, texts[rows[i]],
                                    [&] { return find_row(columns, rows[i], scratch); });
  }
}

std::uint32_t GroupKeys::find_row(std::span<const Vector* const> columns, std::uint32_t row,
                                  KeyScratch& scratch) {
  std::size_t bytes_max = 0;
  for (const Vector* column : columns) bytes_max += column::key_bytes_max(*column, row);
  if (scratch.bytes.size() < bytes_max) scratch.bytes.resize(bytes_max);
  char* end = scratch.bytes.data();
  for (const Vector* column : columns) end = column::write_key(end, *column, row);
  return texts_.find_or_add(
      {scratch.bytes.data(), static_cast<std::size_t>(end - scratch.bytes.data())});
}

// Some rows at a time: their slots are asked for before the first of them is needed.
void GroupKeys::find_bytes(std::span<const Vector* const> columns,
                           std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& groups,
                           KeyScratch& scratch) {
  constexpr std::size_t block = 64;
  scratch.ends.resize(block);
  scratch.hashes.resize(block);
  for (std::size_t begin = 0; begin < rows.size(); begin += block) {
    std::size_t count = std::min(block, rows.size() - begin);
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t bytes_max = size;
      for (const Vector* column : columns) {
        bytes_max += column::key_bytes_max(*column, rows[begin + i]);
      }
      if (scratch.bytes.size() < bytes_max) scratch.bytes.resize(2 * bytes_max);
      char* key = scratch.bytes.data() + size;
      char* end = key;
      for (const Vector* column : columns) end = column::write_key(end, *column, rows[begin + i]);
      scratch.hashes[i] = GroupTable::hash_of({key, static_cast<std::size_t>(end - key)});
      texts_.prefetch(scratch.hashes[i]);
      size += static_cast<std::size_t>(end - key);
      scratch.ends[i] = size;
    }
    std::size_t from = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::string_view key(scratch.bytes.data() + from, scratch.ends[i] - from);
      groups[begin + i] = texts_.find_or_add(key, scratch.hashes[i]);
      from = scratch.ends[i];
    }
  }
}

void GroupKeys::find_or_add(const GroupKeys& other, std::vector<std::uint32_t>& groups) {
  groups.resize(other.size());
  for (std::uint32_t i = 0; i < groups.size(); ++i) {
    if (integer_ && i + ahead < groups.size()) {
      integers_.prefetch(other.integers_.key(static_cast<std::uint32_t>(i + ahead)));
    }
    groups[i] = find_or_add(other, i);
  }
}

std::uint32_t GroupKeys::find_or_add(const GroupKeys& other, std::uint32_t group) {
  if (!integer_) return texts_.find_or_add(other.texts_.key(group));
  if (other.integers_.is_null(group)) return integers_.find_or_add_null();
  return integers_.find_or_add(other.integers_.key(group));
}

std::optional<std::uint32_t> GroupKeys::find(const GroupKeys& other, std::uint32_t group) const {
  if (!integer_) return texts_.find(other.texts_.key(group));
  if (other.integers_.is_null(group)) return integers_.null();
  return integers_.find(other.integers_.key(group));
}

void GroupKeys::clear() {
  if (integer_)
    integers_.clear();
  else
    texts_.clear();
}

std::vector<std::uint32_t> GroupKeys::sorted() const {
  std::vector<SortEntry> entries;
  entries.reserve(size());
  if (integer_) {
    for (std::uint32_t group = 0; group < size(); ++group) {
      if (!integers_.is_null(group)) entries.push_back({ordered(integers_.key(group)), group});
    }
    sort_by_key(entries);
    if (auto null = integers_.null()) entries.push_back({0, *null});
    return groups_of(entries);
  }
  std::size_t prefix = common_prefix(texts_);
  for (std::uint32_t group = 0; group < size(); ++group) {
    entries.push_back({first_bytes(texts_.key(group).substr(prefix)), group});
  }
  std::sort(entries.begin(), entries.end(), [&](const SortEntry& a, const SortEntry& b) {
    if (a.key != b.key) return a.key < b.key;
    return texts_.key(a.group) < texts_.key(b.group);
  });
  return groups_of(entries);
}

bool GroupKeys::less(std::uint32_t a, std::uint32_t b) const {
  if (!integer_) return texts_.key(a) < texts_.key(b);
  if (integers_.is_null(a) || integers_.is_null(b)) {
    return integers_.is_null(b) && !integers_.is_null(a);
  }
  return integers_.key(a) < integers_.key(b);
}

void GroupKeys::set_cells(std::span<const std::uint32_t> groups, std::span<Vector* const> columns,
                          std::size_t row, std::string& texts) const {
  for (std::uint32_t group : groups) {
    if (integer_) {
      if (integers_.is_null(group))
        columns[0]->set_null(row);
      else
        columns[0]->set_integer(row, integers_.key(group));
    } else {
      std::string_view key = texts_.key(group);
      for (Vector* column : columns) {
        bool taken = column::take_key(key, *column, row, texts);
        ASSERT(taken);
      }
    }
    ++row;
  }
}

std::size_t GroupKeys::text_bytes(std::span<const std::uint32_t> groups) const {
  if (integer_) return groups.size() * integer_key_bytes;
  std::size_t bytes = 0;
  for (std::uint32_t group : groups) bytes += texts_.key(group).size();
  return bytes;
}

void GroupKeys::append_bytes(std::string& out, std::uint32_t group) const {
  if (!integer_) {
    out.append(texts_.key(group));
    return;
  }
  bool null = integers_.is_null(group);
  out.push_back(null ? null_cell : present_cell);
  if (!null) column::append_word(out, integers_.key(group));
}

void GroupKeys::snapshot(StateWriter& writer) const {
  writer.write(static_cast<std::uint32_t>(size()));
  auto number = [](std::size_t i) { return static_cast<std::uint32_t>(i); };
  if (integer_) {
    writer.write(integers_.null().value_or(no_null));
    writer.write_numbers<std::int64_t>(size(),
                                       [&](std::size_t i) { return integers_.key(number(i)); });
    return;
  }
  writer.write_numbers<std::uint32_t>(size(),
                                      [&](std::size_t i) { return number(texts_.key(i).size()); });
  // They lie one behind the other.
  std::byte* to = writer.write_bytes(texts_.key_bytes());
  if (texts_.key_bytes() > 0) std::memcpy(to, texts_.key(0).data(), texts_.key_bytes());
}

Result<void> GroupKeys::restore(StateReader& reader) {
  std::uint32_t count = reader.read_count(sizeof(std::uint32_t));
  return integer_ ? restore_integers(reader, count) : restore_texts(reader, count);
}

Result<void> GroupKeys::restore_integers(StateReader& reader, std::uint32_t count) {
  auto null = reader.read<std::uint32_t>();
  BytesView bytes = reader.read_bytes(count, sizeof(std::int64_t));
  if (!reader.ok()) return of_other_columns();
  auto key_at = [&](std::size_t i) {
    return load_big_endian<std::int64_t>(bytes.data() + i * sizeof(std::int64_t));
  };
  integers_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i + ahead < count) integers_.prefetch(key_at(i + ahead));
    std::uint32_t group =
        i == null ? integers_.find_or_add_null() : integers_.find_or_add(key_at(i));
    if (group != i) return fail(Errc::corrupt_message, "the snapshot has a key twice");
  }
  return {};
}

Result<void> GroupKeys::restore_texts(StateReader& reader, std::uint32_t count) {
  std::vector<std::uint32_t> sizes(count);
  std::size_t total = 0;
  reader.read_numbers<std::uint32_t>(count, [&](std::size_t i, std::uint32_t size) {
    sizes[i] = size;
    total += size;
  });
  std::string_view bytes = as_text(reader.read_bytes(total));
  if (!reader.ok()) return of_other_columns();
  texts_.reserve(count, total);
  IsKey is_key(types_);
  // Some keys at a time: their slots are asked for before the first of them is needed.
  constexpr std::size_t block = 64;
  std::array<std::uint32_t, block> hashes;
  for (std::size_t begin = 0; begin < count; begin += block) {
    std::size_t end = std::min<std::size_t>(begin + block, count);
    std::string_view left = bytes;
    for (std::size_t i = begin; i < end; left.remove_prefix(sizes[i++])) {
      hashes[i - begin] = GroupTable::hash_of(left.substr(0, sizes[i]));
      texts_.prefetch(hashes[i - begin]);
    }
    for (std::size_t i = begin; i < end; bytes.remove_prefix(sizes[i++])) {
      std::string_view key = bytes.substr(0, sizes[i]);
      if (!is_key(key)) return of_other_columns();
      if (texts_.find_or_add(key, hashes[i - begin]) != i) {
        return fail(Errc::corrupt_message, "the snapshot has a key twice");
      }
    }
  }
  return {};
}

}  // namespace leat::operators
