// Aggregates over rows that come and go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregate/accumulators.h"
#include "column/text_arena.h"
#include "operators/over_inputs.h"
#include "operators/row_store.h"
#include "operators/watermark.h"

namespace leat::operators {

/// The rows of a key that count now, the oldest first. Its Frames knows what it means.
class Frame {
 public:
  bool empty() const { return begin_ == rows_.size(); }
  std::size_t size() const { return rows_.size() - begin_; }
  RowId oldest() const { return rows_[begin_].id; }
  RowId at(std::size_t i) const { return rows_[begin_ + i].id; }
  std::size_t bytes() const { return sizeof *this + rows_.capacity() * sizeof(Row); }
  /// Before it is used: asks for the memory that holds its oldest row.
  void prefetch() const { __builtin_prefetch(rows_.data() + begin_); }

 private:
  friend class Frames;
  static constexpr std::uint32_t none = 0xffff'ffff;
  struct Row {
    RowId id = no_row;
    std::uint32_t slot = none;    // a stacked group
    std::uint32_t input_row = 0;  // where it is among the inputs
    std::uint32_t round = 0;      // of this round
    std::int64_t time_ms = 0;
  };

  std::vector<Row> rows_;
  std::size_t begin_ = 0;
  std::size_t front_end_ = 0;  // rows [begin_, front_end_) have slots of all up to there
  std::uint32_t group_ = none;
  std::uint32_t back_ = none;  // a stacked group of the rows from front_end_ on
  bool is_stale_ = false;      // rows went that the rebuilt aggregates still have
};

/// What aggregates have of frames. Rows are added behind and leave in front; results are asked for
/// in between; all of this is only noted, and done for many rows at once by run().
///
/// Counts, sums and distinct values are taken back row by row. Those that are small (extremes,
/// first and last, sketches) keep one state for each row, from it up to some row behind it, and one
/// of all rows behind that: each row is merged a few times, whatever the frame's size. Lists and
/// percentiles are made anew when a row has left.
class Frames {
 public:
  /// `rule`: which rows leave. If none ever does, frames do not even know their rows. `store` has
  /// the rows.
  Frames(const std::vector<plan::BoundAggregate>& aggregates, const OverInputs& inputs,
         const RowStore& store, const plan::Frame& rule);

  Frame make();
  /// REQUIRES: the row stays in the store until run(), and if frames slide until it has left and
  /// run() was called.
  void add(Frame& frame, RowId row);
  /// The oldest row leaves.
  void pop(Frame& frame);
  /// A row that is behind those of the frame enters, and those that do not count with it leave:
  /// `leaves(row)` is called for each.
  template <class Leaves>
  void enter(Frame& frame, RowId row, const Leaves& leaves) {
    add(frame, row);
    auto leave = [&] {
      leaves(frame.oldest());
      pop(frame);
    };
    if (rule_.range_ms) {
      std::int64_t begin = earlier_by(frame.rows_.back().time_ms, *rule_.range_ms);
      while (frame.rows_[frame.begin_].time_ms < begin) leave();
    }
    if (rule_.rows) {
      while (frame.size() > static_cast<std::uint64_t>(*rule_.rows) + 1) leave();
    }
  }
  /// Notes that a result goes to `cell`.
  void give(Frame& frame, std::uint32_t cell);
  /// Adds what `from` has. REQUIRES: frames do not slide.
  void merge(Frame& frame, const Frame& from);
  /// All rows leave, and it is an empty one.
  void clear(Frame& frame);
  /// All rows leave for good.
  void drop(Frame& frame);

  struct Results {
    std::vector<std::shared_ptr<column::Vector>> columns;  // one for each aggregate
    std::shared_ptr<column::TextArena> texts;
    struct Failure {
      std::size_t aggregate = 0;
      std::string reason;
    };
    std::map<std::uint32_t, Failure> failures;  // by cell: the first aggregate's that has none
  };
  /// Does what was noted. Results are in cells [0, cells).
  Results run(std::size_t cells);

  // Of frames that do not slide; the others are made anew from their rows.
  //
  //   frames  := groups (state of an aggregate) *
  //   groups  := end:u32 count:u32 free:u32 *
  //   frame   := group:u32
  void snapshot(StateWriter& writer) const;
  /// REQUIRES: no frame was made.
  void restore(StateReader& reader);
  void write(StateWriter& writer, const Frame& frame) const { writer.write(frame.group_); }
  Frame read(StateReader& reader) const;

  std::size_t bytes() const;

 private:
  /// Numbers of groups, which are used again.
  class Numbers {
   public:
    std::uint32_t take();
    void give_back(std::uint32_t number) { free_.push_back(number); }
    std::size_t end() const { return end_; }
    void snapshot(StateWriter& writer) const;
    void restore(StateReader& reader);

   private:
    std::vector<std::uint32_t> free_;
    std::uint32_t end_ = 0;
  };
  /// Aggregates that treat frames alike.
  struct Class {
    std::vector<std::size_t> aggregates;
    std::vector<aggregate::Step> steps;

    void note(aggregate::Step::Kind kind, std::uint32_t group, std::uint32_t other = 0) {
      if (!aggregates.empty()) steps.push_back({kind, group, other});
    }
  };
  struct One {
    std::string name;
    std::unique_ptr<aggregate::Accumulators> accumulators;
    column::Type type;
    OverColumns columns;
  };

  std::uint32_t input_row(RowId row);
  std::uint32_t input_row(Frame::Row& row);
  void flip(Frame& frame);
  void rebuild(Frame& frame);
  column::Chunk gathered();
  void run(Class& some, const Numbers& numbers, const column::Chunk& inputs, std::size_t cells,
           Results& results);

  const RowStore& store_;
  const plan::Frame rule_;
  const bool slides_;
  std::vector<One> aggregates_;
  std::vector<std::size_t> columns_;  // of the store: those that aggregates look at
  Class taken_back_;                  // also all others, where rows never leave
  Class rebuilt_;
  Class stacked_;
  Numbers groups_;          // of taken_back_ and rebuilt_
  Numbers stacked_groups_;  // the first one is for results
  std::vector<RowId> inputs_;
  std::uint32_t round_ = 1;
};

}  // namespace leat::operators
