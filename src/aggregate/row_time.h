// When a row is: what first, last, and lists go by.
#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>

#include "base/state.h"
#include "column/chunk.h"

namespace leat::aggregate {

/// A row's place in the order of time. Borrowed from its chunk.
struct RowTime {
  std::int64_t event_time_ms = 0;
  column::Position position;
  friend auto operator<=>(const RowTime&, const RowTime&) = default;
};

/// Finds those of a chunk's rows, quickly of neighbours.
class RowTimes {
 public:
  explicit RowTimes(const column::RowContext& context)
      : context_(&context), run_(context.runs.data()) {}
  RowTime at(std::uint32_t row) {
    if (row < begin_ || row >= run_->end) find_run(row);
    return {context_->event_times_ms[row], context_->position(row, *run_)};
  }

 private:
  void find_run(std::uint32_t row) {
    const auto& runs = context_->runs;
    auto found =
        std::upper_bound(runs.begin(), runs.end(), row,
                         [](std::uint32_t wanted, const auto& run) { return wanted < run.end; });
    run_ = &*found;
    begin_ = found == runs.begin() ? 0 : std::prev(found)->end;
  }

  const column::RowContext* context_;
  const column::RowRun* run_;
  std::uint32_t begin_ = 0;
};

/// The same, kept. In a snapshot:
///
///   row_time := event_time_ms:i64 origin:u64 place:i64 rest:text
class KeptRowTime {
 public:
  KeptRowTime() = default;
  KeptRowTime(const RowTime& time)
      : event_time_ms_(time.event_time_ms),
        origin_(time.position.origin),
        place_(time.position.place) {
    if (!time.position.rest.empty()) rest_ = std::make_shared<std::string>(time.position.rest);
  }
  operator RowTime() const {
    return {event_time_ms_, {origin_, place_, rest_ ? *rest_ : std::string_view()}};
  }

  void snapshot(StateWriter& writer) const {
    writer.write(event_time_ms_);
    writer.write(origin_);
    writer.write(place_);
    writer.write_text(rest_ ? *rest_ : std::string_view());
  }
  void restore(StateReader& reader) {
    RowTime time;
    time.event_time_ms = reader.read<std::int64_t>();
    time.position.origin = reader.read<std::uint64_t>();
    time.position.place = reader.read<std::int64_t>();
    time.position.rest = reader.read_text();
    *this = time;
  }
  std::size_t heap_bytes() const { return rest_ ? sizeof *rest_ + rest_->capacity() : 0; }

 private:
  std::int64_t event_time_ms_ = 0;
  std::uint64_t origin_ = 0;
  std::int64_t place_ = 0;
  std::shared_ptr<const std::string> rest_;  // mostly empty: none
};

}  // namespace leat::aggregate
