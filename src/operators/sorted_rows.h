// Rows that wait until event time has passed them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "column/chunk.h"
#include "operators/row_store.h"
#include "operators/watermark.h"

namespace leat::operators {

/// Takes rows in any order and gives them back in the order of time: by event time, then position.
/// Rows lie in a store, and stay there for whoever took them. Not thread-safe.
///
/// What waits is a few sorted runs, each at least twice as long as the next one: a chunk's rows are
/// sorted, and merged with runs that are not longer. So a row is moved about as often as the number
/// of rows has digits, however often rows are added and taken; rows that come in order only ever
/// make the last run longer.
class SortedRows {
 public:
  explicit SortedRows(std::vector<column::Type> types) : store_(std::move(types)) {}

  /// Copies these rows of the chunk.
  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows);
  /// The rows with an event time before `watermark`, in order, behind those of earlier calls. Who
  /// takes them releases them, when they are needed no longer.
  std::vector<RowId> take(Watermark watermark);
  /// How many wait.
  std::size_t waiting() const;

  RowStore& store() { return store_; }
  const RowStore& store() const { return store_; }
  std::size_t bytes() const;

  //   waiting := count:u32 row*                                    rows as RowStore writes them
  /// Only what waits: rows that were taken are their owner's business.
  void snapshot(StateWriter& writer) const;
  /// REQUIRES: nothing waits.
  void restore(StateReader& reader);

 private:
  struct Entry {
    std::int64_t time_ms;
    std::uint64_t origin;
    std::int64_t place;
    RowId id;
  };
  struct Run {
    std::vector<Entry> entries;
    std::size_t begin = 0;  // those before were taken
    std::size_t size() const { return entries.size() - begin; }
  };
  using Entries = std::vector<Entry>;

  bool less(const Entry& a, const Entry& b) const;
  void sort(Entries& entries) const;
  Entries merge(std::span<const Entry> a, std::span<const Entry> b) const;
  void add_run(Entries entries);

  RowStore store_;
  std::vector<Run> runs_;
};

}  // namespace leat::operators
