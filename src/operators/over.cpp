#include "operators/over.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

#include "operators/expiring_keys.h"
#include "operators/over_at_once.h"
#include "operators/over_changes.h"
#include "operators/over_peers.h"
#include "operators/row_tools.h"
#include "operators/sorted_rows.h"

namespace leat::operators {

//   state := section "over" rows waiting frames? keys:u32 (key:text known) *
//   known := frame                                       as frames.h has it, and frames, if none
//          | numbers                                     slides; else of the frame's rows
//   rows, waiting, numbers: see sorted_rows.h and saved_rows.h
class Over::State : public OperatorState {
 public:
  explicit State(const OverParts& parts)
      : parts_(parts),
        rows_(parts.inputs.types()),
        frames_(parts.bound, parts.inputs, rows_.store(), parts.frame),
        key_(parts.keys) {}

  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    rows_.add(chunk, rows);
  }

  Result<void> advance(Watermark watermark, Context& context) {
    std::vector<RowId> taken = rows_.take(watermark);
    for (std::span<const RowId> left = taken; !left.empty();) {
      std::size_t count = batch_of(left);
      note_rows(left.first(count));
      OverRows over{left.first(count), frames_.run(count), {}};
      if (auto pushed = push_over(parts_, rows_.store(), over, context); !pushed) {
        return fail(pushed);
      }
      release_gone();
      left = left.subspan(count);
    }
    keys_.forget(watermark, [&](KeyTable::Number number) {
      Frame& frame = known_[number];
      for (std::size_t i = 0; i < frame.size(); ++i) gone_.push_back(frame.at(i));
      frames_.drop(frame);
      return true;
    });
    release_gone();
    return {};
  }

  void snapshot(StateWriter& writer) const override {
    writer.section("over", 2);
    SavedRows saved(writer, rows_.store());
    rows_.snapshot(saved);
    if (!parts_.slides()) frames_.snapshot(writer);
    const KeyTable& table = keys_.table();
    writer.write(static_cast<std::uint32_t>(table.size()));
    for (KeyTable::Number number = 0; number < table.number_end(); ++number) {
      if (!table.has(number)) continue;
      writer.write_text(table.key(number));
      const Frame& frame = known_[number];
      if (!parts_.slides()) {
        frames_.write(writer, frame);
        continue;
      }
      std::vector<RowId> rows;
      for (std::size_t i = 0; i < frame.size(); ++i) rows.push_back(frame.at(i));
      saved.write(rows);
    }
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("over", 2); !section) return fail(section);
    RestoredRows restored(reader, rows_.store());
    rows_.restore(restored);
    if (!parts_.slides()) frames_.restore(reader);
    std::vector<std::pair<KeyTable::Number, std::vector<RowId>>> frames;
    for (auto left = reader.read_count(1); left > 0 && reader.ok(); --left) {
      auto number = keys_.table().find_or_add(reader.read_text()).first;
      known_.resize(keys_.table().number_end());
      if (parts_.slides())
        frames.emplace_back(number, restored.take_some());
      else
        known_[number] = frames_.read(reader);
    }
    restored.finish();
    for (const auto& [number, rows] : frames) {
      known_[number] = frames_.make();
      for (RowId row : rows) frames_.add(known_[number], row);
      if (!rows.empty()) expire(number, rows_.store().row(rows.back()).time_ms());
    }
    (void)frames_.run(0);
    return {};
  }

  std::size_t bytes() const override {
    std::size_t bytes = rows_.bytes() + frames_.bytes() + keys_.bytes();
    for (const Frame& frame : known_) bytes += frame.bytes();
    return bytes;
  }

 private:
  std::int64_t time_of(RowId row) const { return rows_.store().row(row).time_ms(); }

  // How many rows are judged together: about a chunk's, with all of the last one's time.
  std::size_t batch_of(std::span<const RowId> rows) const {
    std::size_t count = std::min(rows.size(), column::chunk_rows);
    while (count < rows.size() && time_of(rows[count]) == time_of(rows[count - 1])) ++count;
    return count;
  }

  // Rows of whole times. In frames of time those of one time count for each other.
  void note_rows(std::span<const RowId> rows) {
    std::vector<KeyTable::Number> of_time;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      KeyTable::Number number = enter(rows[i]);
      auto cell = static_cast<std::uint32_t>(i);
      if (!parts_.frame.range_ms) {
        frames_.give(known_[number], cell);
        continue;
      }
      of_time.push_back(number);
      if (i + 1 < rows.size() && time_of(rows[i + 1]) == time_of(rows[i])) continue;
      auto first = static_cast<std::uint32_t>(i + 1 - of_time.size());
      for (KeyTable::Number of : of_time) frames_.give(known_[of], first++);
      of_time.clear();
    }
  }

  // The row enters its key's frame, and those that do not count with it leave.
  KeyTable::Number enter(RowId row) {
    StoredRow stored = rows_.store().row(row);
    auto [number, is_new] = key_.find_or_add_in(keys_.table(), stored);
    if (is_new) {
      if (known_.size() <= number) known_.resize(number + 1);
      known_[number] = frames_.make();
    }
    frames_.enter(known_[number], row, [&](RowId left) { gone_.push_back(left); });
    expire(number, stored.time_ms());
    if (!parts_.slides()) gone_.push_back(row);
    return number;
  }

  // A key's frame is empty for rows that are so much later.
  void expire(KeyTable::Number number, std::int64_t last_ms) {
    if (parts_.frame.range_ms)
      keys_.expire_at(number, later_by(last_ms, *parts_.frame.range_ms + 1));
  }

  void release_gone() {
    for (RowId row : gone_) rows_.store().release(row);
    gone_.clear();
  }

  const OverParts& parts_;
  SortedRows rows_;
  Frames frames_;
  KeyWriter key_;
  ExpiringKeys keys_;
  std::vector<Frame> known_;  // by the keys' numbers
  std::vector<RowId> gone_;   // which are needed until what was noted is done
};

std::unique_ptr<OperatorState> Over::make_state() const {
  return std::make_unique<State>(parts_);
}

Result<void> Over::take(OperatorState& state, const column::Chunk& chunk,
                        std::vector<std::uint32_t> rows, Context&) const {
  static_cast<State&>(state).add(chunk, rows);
  return {};
}

Result<void> Over::advance(OperatorState& state, Watermark watermark, Context& context) const {
  return static_cast<State&>(state).advance(watermark, context);
}

std::unique_ptr<Operator> make_over(const plan::BoundNode& node) {
  const auto& over = std::get<plan::Over>(node.node->body);
  switch (over.emit) {
    case plan::Emission::at_once: return std::make_unique<OverAtOnce>(node);
    case plan::Emission::watermark:
      if (over.frame.range_ms == 0 && !over.frame.rows) return std::make_unique<OverPeers>(node);
      return std::make_unique<Over>(node);
    case plan::Emission::update: break;
  }
  return std::make_unique<OverChanges>(node);
}

}  // namespace leat::operators
