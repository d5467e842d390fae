// Stored rows in the order of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "operators/row_store.h"
#include "operators/watermark.h"

namespace leat::operators {

/// Rows of a store that wait until event time has passed them: taken in any order, given back by
/// event time, then position. Not thread-safe.
///
/// What waits is a few sorted runs, each at least twice as long as the next one: what is added is
/// sorted, and merged with runs that are not longer. So a row is moved about as often as the number
/// of rows has digits, however often rows are added and taken; rows that come in order only ever
/// make the last run longer.
class TimeOrder {
 public:
  /// REQUIRES: the rows stay in `store`, the same one in each call, until they are taken.
  void add(const RowStore& store, std::span<const RowId> rows);
  /// The rows with an event time before `watermark`, in order, behind those of earlier calls.
  std::vector<RowId> take(const RowStore& store, Watermark watermark);
  /// How many wait.
  std::size_t size() const;
  std::size_t bytes() const;
  /// All that wait, in no order.
  std::vector<RowId> rows() const;

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
  class Less;

  static void sort(const RowStore& store, Entries& entries);
  void add_run(const RowStore& store, Entries entries);

  std::vector<Run> runs_;
};

}  // namespace leat::operators
