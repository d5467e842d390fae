// Numbers for the keys of rows, which are cells of some columns.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/state.h"
#include "column/vector.h"
#include "operators/group_table.h"
#include "operators/integer_table.h"
#include "operators/recent_groups.h"

namespace leat::operators {

/// What looking up needs besides, for all tables of one thread.
struct KeyScratch {
  std::string bytes;
  std::vector<std::size_t> ends;      // of the keys of some rows in `bytes`
  std::vector<std::uint32_t> hashes;  // of these
  RecentGroups recent;                // to be cleared before a table that was asked goes
};

/// Gives every different key the next number, from 0. NULL is a key like others. A single key of
/// an integer type is kept as a number, all others as bytes (column/row_key.h). Not thread-safe.
class GroupKeys {
 public:
  /// `types` of the key's columns. REQUIRES: no arrays.
  explicit GroupKeys(std::span<const column::Type> types);

  /// Sets `groups[i]` to the number of the key that row `rows[i]` has in `columns`.
  void find_or_add(std::span<const column::Vector* const> columns,
                   std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& groups,
                   KeyScratch& scratch);
  /// Sets `groups[i]` to the number of the key that is `i` in `other`, a table of the same types.
  void find_or_add(const GroupKeys& other, std::vector<std::uint32_t>& groups);
  std::uint32_t find_or_add(const GroupKeys& other, std::uint32_t group);
  std::optional<std::uint32_t> find(const GroupKeys& other, std::uint32_t group) const;

  /// A table of the same types without keys.
  GroupKeys empty_one() const { return GroupKeys(types_); }
  std::size_t size() const { return integer_ ? integers_.size() : texts_.size(); }
  /// Forgets all keys, but not their memory.
  void clear();
  /// All numbers in the order of their keys, NULL last.
  std::vector<std::uint32_t> sorted() const;
  /// Whether the key of `a` is before that of `b`.
  bool less(std::uint32_t a, std::uint32_t b) const;

  /// Sets cells `[row, row + groups.size())` of the key's columns. Their texts are appended to
  /// `texts`, which must have room: reserve text_bytes().
  void set_cells(std::span<const std::uint32_t> groups, std::span<column::Vector* const> columns,
                 std::size_t row, std::string& texts) const;
  /// How many bytes append_bytes() may append for all groups, at most.
  std::size_t text_bytes(std::span<const std::uint32_t> groups) const;
  /// Appends the key as column/row_key.h has it.
  void append_bytes(std::string& out, std::uint32_t group) const;

  //   keys := count:u32 null:u32 key:i64*         of an integer type; 0xffffffff if there is none
  //         | count:u32 size:u32* byte*           as append_bytes() has them
  void snapshot(StateWriter& writer) const;
  /// REQUIRES: an empty table. Errc::snapshot_mismatch, Errc::corrupt_message.
  Result<void> restore(StateReader& reader);
  /// Memory that it holds.
  std::size_t bytes() const { return integers_.bytes() + texts_.bytes(); }

 private:
  void find_integers(const column::Vector& column, std::span<const std::uint32_t> rows,
                     std::vector<std::uint32_t>& groups);
  void find_texts(const column::Vector& column, std::span<const std::uint32_t> rows,
                  std::vector<std::uint32_t>& groups, KeyScratch& scratch);
  std::uint32_t find_row(std::span<const column::Vector* const> columns, std::uint32_t row,
                         KeyScratch& scratch);
  void find_bytes(std::span<const column::Vector* const> columns,
                  std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& groups,
                  KeyScratch& scratch);
  Result<void> restore_integers(StateReader& reader, std::uint32_t count);
  Result<void> restore_texts(StateReader& reader, std::uint32_t count);

  std::vector<column::Type> types_;
  bool integer_;  // whether integers_ has the keys, else texts_
  IntegerTable integers_;
  GroupTable texts_;
};

}  // namespace leat::operators
