#include "operators/dedup.h"

#include <utility>
#include <variant>

#include "operators/expiring_keys.h"
#include "operators/hashed_keys.h"
#include "operators/row_tools.h"
#include "operators/sorted_rows.h"
#include "operators/stored_output.h"

namespace leat::operators {

//   state := section "dedup" rows waiting keys:u32 known* given:numbers
//   known := key:text first:i64 number?                        a row only to keep the last one
//   given := rows that wait until nothing can come before them
//   rows, waiting, numbers: see sorted_rows.h and saved_rows.h
class Dedup::State : public OperatorState {
 public:
  explicit State(const Dedup& dedup)
      : dedup_(dedup), rows_(types_of(dedup.schema_)), hashed_(dedup.keys_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("dedup", 2);
    SavedRows saved(writer, rows_.store());
    rows_.snapshot(saved);
    const KeyTable& table = keys_.table();
    writer.write(static_cast<std::uint32_t>(table.size()));
    for (KeyTable::Number number = 0; number < table.number_end(); ++number) {
      if (!table.has(number)) continue;
      writer.write_text(table.key(number));
      writer.write(known_[number].first_ms);
      if (dedup_.keeps_last_) saved.write(known_[number].last);
    }
    saved.write(given_.rows());
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("dedup", 2); !section) return fail(section);
    RestoredRows restored(reader, rows_.store());
    rows_.restore(restored);
    std::uint32_t count = reader.read_count(sizeof(std::int64_t) + 1);
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
      auto number = keys_.table().find_or_add(reader.read_text()).first;
      begin(number, reader.read<std::int64_t>());
      if (dedup_.keeps_last_) known_[number].last = restored.take();
    }
    given_.add(rows_.store(), restored.take_some());
    restored.finish();
    return {};
  }

  std::size_t bytes() const override {
    return rows_.bytes() + keys_.bytes() + given_.bytes() + known_.capacity() * sizeof(Known);
  }

  /// The rows that are the first of their key, when they come.
  std::vector<std::uint32_t> firsts(const column::Chunk& chunk,
                                    std::span<const std::uint32_t> rows) {
    std::vector<std::uint32_t> firsts;
    auto cells_of = [&](std::size_t i) { return ChunkRow{&chunk, rows[i]}; };
    hashed_.for_each(keys_.table(), rows.size(), cells_of, [&](std::size_t i, const auto& key) {
      if (is_first(key, chunk.context->event_times_ms[rows[i]])) firsts.push_back(rows[i]);
    });
    return firsts;
  }

  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    rows_.add(chunk, rows);
  }

  Result<void> advance(Watermark watermark, Context& context) {
    StoredOutput out(dedup_.schema_, rows_.store());
    std::vector<RowId> passed = rows_.take(watermark);
    auto cells_of = [&](std::size_t i) { return rows_.store().row(passed[i]); };
    Result<void> judged;
    hashed_.for_each(keys_.table(), passed.size(), cells_of, [&](std::size_t i, const auto& key) {
      if (dedup_.keeps_last_)
        judge_last(passed[i], key);
      else if (judged)
        judged = judge_first(passed[i], key, out, context);
    });
    if (!judged) return fail(judged);
    keys_.forget(watermark, [&](KeyTable::Number number) {
      if (dedup_.keeps_last_) give(known_[number].last);
      return true;
    });
    if (!dedup_.keeps_last_) return out.finish(context);
    given_.add(rows_.store(), std::exchange(known_now_, {}));
    for (RowId id : given_.take(rows_.store(), dedup_.passes_on(watermark))) {
      if (auto added = out.add(id, context); !added) return fail(added);
      out.release_later(id);
    }
    return out.finish(context);
  }

 private:
  struct Known {
    std::int64_t first_ms = 0;
    RowId last = no_row;
  };

  bool is_same(KeyTable::Number number, std::int64_t time_ms) const {
    return !dedup_.horizon_ms_ || time_ms < known_[number].first_ms + *dedup_.horizon_ms_;
  }
  /// Whether a row of that time is the first one of its key, which then begins with it.
  bool is_first(const HashedKey& key, std::int64_t time_ms) {
    auto [number, is_new] = keys_.table().find_or_add(key);
    if (!is_new && is_same(number, time_ms)) return false;
    begin(number, time_ms);
    return true;
  }
  void begin(KeyTable::Number number, std::int64_t time_ms) {
    if (known_.size() <= number) known_.resize(number + 1);
    known_[number].first_ms = time_ms;
    if (dedup_.horizon_ms_) keys_.expire_at(number, time_ms + *dedup_.horizon_ms_);
  }
  void give(RowId id) { known_now_.push_back(id); }

  Result<void> judge_first(RowId id, const HashedKey& key, StoredOutput& out, Context& context) {
    out.release_later(id);
    if (!is_first(key, rows_.store().row(id).time_ms())) return {};
    return out.add(id, context);
  }

  void judge_last(RowId id, const HashedKey& key) {
    std::int64_t time_ms = rows_.store().row(id).time_ms();
    auto [number, is_new] = keys_.table().find_or_add(key);
    if (!is_new && is_same(number, time_ms)) {
      rows_.store().release(known_[number].last);
    } else {
      if (!is_new) give(known_[number].last);
      begin(number, time_ms);
    }
    known_[number].last = id;
  }

  const Dedup& dedup_;
  SortedRows rows_;
  HashedKeys hashed_;
  ExpiringKeys keys_;
  std::vector<Known> known_;  // by the keys' numbers
  TimeOrder given_;           // of rows_'s store
  // Within one call of advance(): last rows of keys that are over.
  std::vector<RowId> known_now_;
};

Dedup::Dedup(const plan::BoundNode& node) : schema_(node.schema), keys_(node.keys) {
  const auto& dedup = std::get<plan::Dedup>(node.node->body);
  keeps_last_ = dedup.keep == plan::Dedup::Keep::last;
  at_once_ = dedup.emit == plan::Emission::at_once;
  horizon_ms_ = dedup.horizon_ms;
}

std::unique_ptr<OperatorState> Dedup::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> Dedup::process(OperatorState& state, std::size_t, const column::Chunk& chunk,
                            Context& context) const {
  auto& own = static_cast<State&>(state);
  auto rows = take_in_time(chunk, context);
  if (!rows) return fail(rows);
  if (!at_once_) {
    own.add(chunk, *rows);
    return {};
  }
  auto firsts = own.firsts(chunk, *rows);
  if (firsts.empty()) return {};
  return context.push(select(chunk, std::move(firsts)));
}

Result<void> Dedup::advance(OperatorState& state, Watermark watermark, Context& context) const {
  return static_cast<State&>(state).advance(watermark, context);
}

Watermark Dedup::passes_on(Watermark watermark) const {
  return keeps_last_ ? earlier_by(watermark, *horizon_ms_ - 1) : watermark;
}

}  // namespace leat::operators
