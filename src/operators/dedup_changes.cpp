#include "operators/dedup_changes.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

#include "operators/expiring_keys.h"
#include "operators/row_changes.h"
#include "operators/row_tools.h"
#include "operators/sorted_rows.h"

namespace leat::operators {

// What event time has passed is settled: of a key the newest row that began anew. Behind it come
// the rows that wait, of which any may still get one before it.
//
//   state := section "dedup_changes" rows waiting keys:u32 known*
//   known := key:text open:u8 first:i64 number? shown:u32 place:u32*
//   place := among the settled row, if there is one, and the key's waiting rows in the order of
//   time; rows, waiting, number: see sorted_rows.h and saved_rows.h
class DedupChanges::State : public OperatorState {
 public:
  explicit State(const DedupChanges& dedup)
      : dedup_(dedup), rows_(types_of(dedup.schema_)), key_(dedup.keys_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("dedup_changes", 2);
    SavedRows saved(writer, rows_.store());
    rows_.snapshot(saved);
    const KeyTable& table = keys_.table();
    writer.write(static_cast<std::uint32_t>(table.size()));
    for (KeyTable::Number number = 0; number < table.number_end(); ++number) {
      if (!table.has(number)) continue;
      const Group& group = groups_[number];
      writer.write_text(table.key(number));
      writer.write(static_cast<std::uint8_t>(group.open ? 1 : 0));
      writer.write(group.first_ms);
      if (group.last != no_row) saved.write(group.last);
      std::vector<RowId> rows = rows_of(group);
      writer.write(static_cast<std::uint32_t>(group.shown.size()));
      for (RowId id : group.shown) {
        auto place = std::find(rows.begin(), rows.end(), id) - rows.begin();
        writer.write(static_cast<std::uint32_t>(place));
      }
    }
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("dedup_changes", 2); !section) return fail(section);
    RestoredRows restored(reader, rows_.store());
    rows_.restore(restored);
    for (RowId id : rows_.waiting_rows()) wait(id);
    std::uint32_t keys = reader.read_count(2 * sizeof(std::int64_t));
    for (std::uint32_t i = 0; i < keys && reader.ok(); ++i) {
      KeyTable::Number number = group_of(keys_.table().find_or_add(reader.read_text()));
      Group& group = groups_[number];
      bool open = reader.read<std::uint8_t>() != 0;
      auto first_ms = reader.read<std::int64_t>();
      if (open) begin(number, first_ms);
      if (open && dedup_.keeps_last_) group.last = restored.take();
      if (!reader.ok()) break;
      std::vector<RowId> rows = rows_of(group);
      for (std::uint32_t count = reader.read_count(sizeof(RowId)); count > 0; --count) {
        auto place = reader.read<std::uint32_t>();
        if (place >= rows.size()) return fail(Errc::corrupt_message, "no such row is waiting");
        group.shown.push_back(rows[place]);
      }
    }
    restored.finish();
    // Only where there is something to tell: in which order keys are told, too, is as it was.
    std::erase_if(touched_, [&](KeyTable::Number number) {
      Group& group = groups_[number];
      group.touched = judge(group) != group.shown;
      return !group.touched;
    });
    return {};
  }

  std::size_t bytes() const override {
    return rows_.bytes() + keys_.bytes() + groups_.capacity() * sizeof(Group) +
           rows_.waiting() * 2 * sizeof(RowId);
  }

  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    std::vector<std::uint32_t> able;
    for (std::uint32_t row : rows) {
      // Without a horizon nothing changes once a first row is settled.
      if (!dedup_.horizon_ms_ && !dedup_.keeps_last_) {
        auto number = key_.find_in(keys_.table(), ChunkRow{&chunk, row});
        if (number != KeyTable::none && groups_[number].open) continue;
      }
      able.push_back(row);
    }
    for (RowId id : rows_.add(chunk, able)) wait(id);
  }

  Result<void> update(Context& context) {
    StoredOutput out(dedup_.schema_, rows_.store());
    for (KeyTable::Number number : touched_) {
      Group& group = groups_[number];
      group.touched = false;
      std::vector<RowId> now = judge(group);
      auto given = give_changes(group.shown, now, scratch_, out, context);
      if (!given) return fail(given);
      group.shown = std::move(now);
    }
    touched_.clear();
    return out.finish(context);
  }

  /// REQUIRES: update() was called since rows were added.
  void settle(Watermark watermark) {
    for (RowId id : rows_.take(watermark)) settle_row(id);
    keys_.forget(watermark, [&](KeyTable::Number number) {
      Group& group = groups_[number];
      group.open = false;
      if (group.last != no_row) forget_shown(group, std::exchange(group.last, no_row));
      return group.waits_from == group.waiting.size();
    });
  }

 private:
  struct Group {
    bool open = false;          // whether there is a settled row
    std::int64_t first_ms = 0;  // its time
    RowId last = no_row;        // the last settled row that is the same, if that is kept
    bool touched = false;
    std::vector<RowId> waiting;  // in the order of time
    std::size_t waits_from = 0;  // those before are settled
    std::vector<RowId> shown;    // that may still be taken back
  };

  KeyTable::Number group_of(std::pair<KeyTable::Number, bool> key) {
    auto [number, is_new] = key;
    if (groups_.size() <= number) groups_.resize(number + 1);
    if (is_new) groups_[number] = {};
    return number;
  }

  void begin(KeyTable::Number number, std::int64_t time_ms) {
    groups_[number].open = true;
    groups_[number].first_ms = time_ms;
    if (dedup_.horizon_ms_) keys_.expire_at(number, time_ms + *dedup_.horizon_ms_);
  }
  bool is_same(bool open, std::int64_t first_ms, std::int64_t time_ms) const {
    return open && (!dedup_.horizon_ms_ || time_ms < first_ms + *dedup_.horizon_ms_);
  }

  static std::vector<RowId> rows_of(const Group& group) {
    std::vector<RowId> rows;
    if (group.last != no_row) rows.push_back(group.last);
    rows.insert(rows.end(), group.waiting.begin() + static_cast<std::ptrdiff_t>(group.waits_from),
                group.waiting.end());
    return rows;
  }

  void wait(RowId id) {
    StoredRow row = rows_.store().row(id);
    KeyTable::Number number = group_of(key_.find_or_add_in(keys_.table(), row));
    Group& group = groups_[number];
    auto before = [&](RowId a, RowId b) {
      StoredRow left = rows_.store().row(a), right = rows_.store().row(b);
      return std::make_pair(left.time_ms(), left.position()) <
             std::make_pair(right.time_ms(), right.position());
    };
    auto from = group.waiting.begin() + static_cast<std::ptrdiff_t>(group.waits_from);
    group.waiting.insert(std::upper_bound(from, group.waiting.end(), id, before), id);
    if (number_of_.size() <= id) number_of_.resize(id + 1);
    number_of_[id] = number;
    if (!std::exchange(group.touched, true)) touched_.push_back(number);
  }

  // What of the group may be taken back, as things are.
  std::vector<RowId> judge(const Group& group) const {
    std::vector<RowId> now;
    bool open = group.open;
    std::int64_t first_ms = group.first_ms;
    if (group.last != no_row) now.push_back(group.last);
    for (std::size_t i = group.waits_from; i < group.waiting.size(); ++i) {
      RowId id = group.waiting[i];
      std::int64_t time_ms = rows_.store().row(id).time_ms();
      if (!is_same(open, first_ms, time_ms)) {
        open = true;
        first_ms = time_ms;
        now.push_back(id);
      } else if (dedup_.keeps_last_) {
        now.back() = id;
      }
    }
    return now;
  }

  void settle_row(RowId id) {
    KeyTable::Number number = number_of_[id];
    Group& group = groups_[number];
    take_off(group);
    std::int64_t time_ms = rows_.store().row(id).time_ms();
    bool same = is_same(group.open, group.first_ms, time_ms);
    if (!same) begin(number, time_ms);
    if (!dedup_.keeps_last_) {
      if (same)
        rows_.store().release(id);
      else
        forget_shown(group, id);
      return;
    }
    RowId before = std::exchange(group.last, id);
    if (before == no_row) return;
    if (same)
      rows_.store().release(before);
    else
      forget_shown(group, before);
  }

  // The first that waits does so no longer.
  static void take_off(Group& group) {
    ++group.waits_from;
    if (group.waits_from * 2 < group.waiting.size()) return;
    group.waiting.erase(group.waiting.begin(),
                        group.waiting.begin() + static_cast<std::ptrdiff_t>(group.waits_from));
    group.waits_from = 0;
  }

  // The row, the first that is shown, stays so for good.
  void forget_shown(Group& group, RowId id) {
    group.shown.erase(group.shown.begin());
    rows_.store().release(id);
  }

  const DedupChanges& dedup_;
  SortedRows rows_;
  KeyWriter key_;
  ExpiringKeys keys_;
  std::vector<Group> groups_;                // by the keys' numbers
  std::vector<KeyTable::Number> number_of_;  // of waiting rows' keys
  std::vector<KeyTable::Number> touched_;
  RowSet scratch_;
};

DedupChanges::DedupChanges(const plan::BoundNode& node) : schema_(node.schema), keys_(node.keys) {
  const auto& dedup = std::get<plan::Dedup>(node.node->body);
  keeps_last_ = dedup.keep == plan::Dedup::Keep::last;
  horizon_ms_ = dedup.horizon_ms;
}

std::unique_ptr<OperatorState> DedupChanges::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> DedupChanges::process(OperatorState& state, std::size_t, const column::Chunk& chunk,
                                   Context& context) const {
  auto rows = take_in_time(chunk, context);
  if (!rows) return fail(rows);
  static_cast<State&>(state).add(chunk, *rows);
  return {};
}

Result<void> DedupChanges::advance(OperatorState& state, Watermark watermark,
                                   Context& context) const {
  auto& own = static_cast<State&>(state);
  if (auto updated = own.update(context); !updated) return fail(updated);
  own.settle(watermark);
  return {};
}

Result<void> DedupChanges::update(OperatorState& state, Context& context) const {
  return static_cast<State&>(state).update(context);
}

}  // namespace leat::operators
