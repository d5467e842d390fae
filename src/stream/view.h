// The result of a pipeline as a table that is read while the pipeline runs.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/state.h"
#include "operators/watermark.h"

namespace leat::stream {

/// A row of a view, which never changes.
struct ViewRow {
  std::string key;
  std::string json;  // an object of all columns
  std::int64_t event_time_ms = 0;
};
using ViewRowPtr = std::shared_ptr<const ViewRow>;

/// What a view shows: everything that came of the inputs up to these positions, and nothing else.
struct ViewMoment {
  struct Input {
    std::string name;  // the topic's, or the file's
    PartitionId partition;
    Offset next;  // of the first record that is not part of it
  };
  std::uint64_t epoch = 0;
  std::int64_t committed_ms = 0;  // by the wall's clock
  operators::Watermark watermark = operators::watermark_min;
  std::vector<Input> inputs;
  /// What happened before this is in it, but for what comes late: the watermark, and where the
  /// input has ended that of its end. Told by publish().
  operators::Watermark complete_to = operators::watermark_min;
  /// The latest event time of rows that have gone because of their age. Told by publish().
  std::int64_t dropped_to_ms = operators::watermark_min;
};

/// The last row of each key, as of a committed epoch. A pipeline stages what a step gives, seals
/// what belongs to an epoch, and publishes it when that is committed; readers see what is
/// published, or how it was some epochs before. Thread-safe.
///
/// Its memory is that of its rows, which `keep_ms` bounds, and of what older epochs need, which
/// `undo_bytes_max` bounds.
class View {
 public:
  struct Options {
    std::string name;
    /// Rows whose event time is further behind the watermark go.
    std::optional<std::int64_t> keep_ms;
    std::size_t undo_bytes_max = 16 << 20;
  };
  explicit View(Options options) : options_(std::move(options)) {}

  const std::string& name() const { return options_.name; }

  struct Query {
    /// Only the row of this key: the text of a single key column, a JSON object of several.
    std::optional<std::string> key;
    /// How it was behind this epoch.
    std::optional<std::uint64_t> epoch;
    /// How it was behind the last epoch that was committed by then.
    std::optional<std::int64_t> time_ms;
    /// Only rows whose keys come behind this one, and no more than so many.
    std::optional<std::string> after;
    std::size_t limit = 1000;
  };
  struct Answer {
    ViewMoment moment;
    /// By rising keys, as bytes are ordered.
    std::vector<ViewRowPtr> rows;
    /// There are more behind them.
    bool has_more = false;
  };
  /// Errc::offset_out_of_range for a moment that is no longer known, or not yet.
  Result<Answer> read(const Query& query) const;
  /// The oldest epoch that read() knows, and the newest.
  std::pair<std::uint64_t, std::uint64_t> epochs() const;
  std::size_t rows() const;
  /// Of rows and of what is kept for older epochs, more or less.
  std::size_t bytes() const;

  // For whoever runs the pipeline, one thread:
  /// The row of a key from now on; null where it goes.
  void stage(std::string key, ViewRowPtr row);
  /// The input has ended: what is staged by the next seal() has all that happened before this.
  void stage_end(operators::Watermark complete_to) { ended_at_ = complete_to; }
  /// What has been staged belongs to an epoch.
  void seal();
  /// The oldest epoch that was sealed is committed.
  void publish(ViewMoment moment);
  /// What is published is the oldest that readers may see.
  void forget_past();
  /// With all that is staged. Between two steps.
  void snapshot(StateWriter& writer) const;
  /// What it shows is that of `moment`, which is told by the next publish().
  Result<void> restore(StateReader& reader);

 private:
  struct Change {
    std::string key;
    ViewRowPtr row;  // null: none
  };
  struct Sealed {
    std::vector<Change> changes;
    std::optional<operators::Watermark> ended_at;
  };
  struct Epoch {
    ViewMoment moment;
    std::vector<Change> before;  // what the epoch has replaced
    std::size_t bytes = 0;
  };
  using Rows = std::map<std::string_view, ViewRowPtr>;

  static std::size_t bytes_of(const Change& change);
  void set(const std::string& key, ViewRowPtr row, Epoch& epoch);
  void expire(Epoch& epoch);
  void forget();
  /// How many of the newest epochs are to be undone.
  Result<std::size_t> epochs_behind(const Query& query) const;

  const Options options_;
  // The pipeline's thread's:
  std::vector<Change> staged_;
  std::optional<operators::Watermark> ended_at_;
  std::deque<Sealed> sealed_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  Rows rows_;
  std::set<std::pair<std::int64_t, std::string_view>> by_time_;  // where rows go by time
  ViewMoment moment_;
  std::deque<Epoch> undo_;  // newest last; the moment of each is the one that it has replaced
  std::size_t row_bytes_ = 0;
  std::size_t undo_bytes_ = 0;
};

}  // namespace leat::stream
