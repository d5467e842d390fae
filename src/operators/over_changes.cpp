#include "operators/over_changes.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "operators/cell_codec.h"
#include "operators/gather.h"
#include "operators/known_rows.h"

namespace leat::operators {

//   state  := section "over changes" known result *     known as known_rows.h has it; a result for
//                                                       each of its rows, key by key
//   result := 0x00 | 0x01 cell* | 0x02 reason:text      nothing yet, what was given, why nothing is
class OverChanges::State : public OperatorState {
 public:
  explicit State(const OverParts& parts) : parts_(parts), known_(parts, false) {}

  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    std::vector<RowId> ids;
    known_.store(chunk, rows, ids);
    std::vector<KnownRows::Number> numbers = known_.keys_of(ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      RowId id = ids[i];
      given_.resize(std::max<std::size_t>(given_.size(), id + 1));
      given_[id] = {};
      KnownRows::Number number = numbers[i];
      known_.insert(number, id);
      KnownRows::Key& key = known_.key(number);
      if (key.changed_from_ms == watermark_max) changed_.push_back(number);
      key.changed_from_ms = std::min(key.changed_from_ms, known_.time_of(id));
    }
  }

  /// Gives what has changed.
  Result<void> update(Context& context) {
    std::vector<RowId> judged;
    for (KnownRows::Number number : changed_) judge(known_.key(number), judged);
    changed_.clear();
    if (judged.empty()) return {};
    return give(judged, known_.frames().run(judged.size()), context);
  }

  Result<void> advance(Watermark watermark, Context& context) {
    if (auto updated = update(context); !updated) return fail(updated);
    OverRows over;
    std::vector<RowId> rows;
    for (auto failed = failed_.begin(); failed != failed_.end();) {
      if (known_.time_of(failed->first) >= watermark) {
        ++failed;
        continue;
      }
      over.results.failures[static_cast<std::uint32_t>(rows.size())] = {0, failed->second};
      rows.push_back(failed->first);
      failed = failed_.erase(failed);
    }
    over.rows = rows;
    over.results.columns = new_columns(rows.size());
    over.results.texts = std::make_shared<column::TextArena>();
    if (auto pushed = push_over(parts_, known_.rows(), over, context); !pushed) {
      return fail(pushed);
    }
    known_.pass(watermark);
    return {};
  }

  void snapshot(StateWriter& writer) const override {
    writer.section("over changes", 2);
    known_.snapshot(writer);
    known_.for_each_row([&](RowId row) { write(writer, row); });
  }
  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("over changes", 2); !section) return fail(section);
    known_.restore(reader);
    given_.resize(known_.rows().id_end());
    known_.for_each_row([&](RowId row) { read(reader, row); });
    const KeyTable& table = known_.table();
    for (KeyTable::Number number = 0; number < table.number_end(); ++number) {
      if (!table.has(number)) continue;
      if (known_.key(number).changed_from_ms != watermark_max) changed_.push_back(number);
    }
    return {};
  }
  std::size_t bytes() const override {
    std::size_t bytes = known_.bytes() + given_.capacity() * sizeof(Given);
    for (const Given& given : given_) bytes += given.values.capacity() * sizeof(column::Value);
    return bytes;
  }

 private:
  struct Given {
    bool there = false;
    std::vector<column::Value> values;
  };
  /// A row of the output.
  struct Change {
    RowId row;
    column::RowKind kind;
    std::uint32_t cell = 0;               // of the new results
    std::vector<column::Value> old = {};  // or what is taken back
  };

  bool takes_back(const Change& change) const {
    return change.kind == column::RowKind::update_before || change.kind == column::RowKind::erase;
  }

  // Notes that the rows of a key from the first changed one on are judged anew.
  void judge(KnownRows::Key& key, std::vector<RowId>& judged) {
    auto first = std::partition_point(
        key.rows.begin(), key.rows.end(),
        [&](const KnownRows::Row& row) { return row.time_ms < key.changed_from_ms; });
    key.changed_from_ms = watermark_max;
    auto at = static_cast<std::size_t>(first - key.rows.begin());
    Frames& frames = known_.frames();
    Frame frame = frames.make();
    known_.fill(frame, key, known_.frame_begin(key, at), at);
    std::size_t given = at;
    for (; at < key.rows.size(); ++at) {
      frames.enter(frame, key.rows[at].id, [](RowId) {});
      // In frames of time, rows of one time count for each other.
      bool peer_follows = parts_.frame.range_ms && at + 1 < key.rows.size() &&
                          key.rows[at + 1].time_ms == key.rows[at].time_ms;
      if (peer_follows) continue;
      for (; given <= at; ++given) {
        frames.give(frame, static_cast<std::uint32_t>(judged.size()));
        judged.push_back(key.rows[given].id);
      }
    }
    frames.drop(frame);
  }

  Result<void> give(const std::vector<RowId>& judged, Frames::Results results, Context& context) {
    std::vector<Change> changes;
    for (std::size_t i = 0; i < judged.size(); ++i) {
      note_change(judged[i], static_cast<std::uint32_t>(i), results, changes);
    }
    if (changes.empty()) return {};
    std::vector<RowId> rows;
    std::vector<column::RowKind> kinds;
    for (const Change& change : changes) {
      rows.push_back(change.row);
      kinds.push_back(change.kind);
    }
    OverRows over{rows, {new_columns(rows.size()), results.texts, {}}, kinds};
    for (std::size_t c = 0; c < results.columns.size(); ++c) {
      column::Vector& column = *over.results.columns[c];
      for (std::size_t i = 0; i < changes.size(); ++i) {
        if (takes_back(changes[i]))
          column.set_value(i, changes[i].old[c]);
        else
          column.set_from(i, *results.columns[c], changes[i].cell);
      }
      own_texts(column, 0, changes.size(), *results.texts);
    }
    return push_over(parts_, known_.rows(), over, context);
  }

  // What a new result means for a row.
  void note_change(RowId row, std::uint32_t cell, const Frames::Results& results,
                   std::vector<Change>& changes) {
    using column::RowKind;
    Given& given = given_[row];
    auto failure = results.failures.find(cell);
    if (failure != results.failures.end()) {
      failed_[row] = failure->second.reason;
      if (given.there) changes.push_back({row, RowKind::erase, 0, std::move(given.values)});
      given = {};
      return;
    }
    failed_.erase(row);
    Given now{true, {}};
    for (const auto& column : results.columns) now.values.push_back(column->value(cell));
    if (!given.there) {
      changes.push_back({row, RowKind::insert, cell});
    } else if (now.values != given.values) {
      changes.push_back({row, RowKind::update_before, 0, std::move(given.values)});
      changes.push_back({row, RowKind::update_after, cell});
    }
    given = std::move(now);
  }

  std::vector<std::shared_ptr<column::Vector>> new_columns(std::size_t cells) const {
    std::vector<std::shared_ptr<column::Vector>> columns;
    for (const auto& aggregate : parts_.bound) {
      columns.push_back(std::make_shared<column::Vector>(aggregate.type));
      columns.back()->resize(cells);
      for (std::size_t i = 0; i < cells; ++i) columns.back()->set_null(i);
    }
    return columns;
  }

  void write(StateWriter& writer, RowId row) const {
    const Given& given = given_[row];
    auto failed = failed_.find(row);
    writer.write(static_cast<std::uint8_t>(given.there ? 1 : failed == failed_.end() ? 0 : 2));
    if (failed != failed_.end()) return writer.write_text(failed->second);
    auto columns = new_columns(1);
    for (std::size_t c = 0; given.there && c < columns.size(); ++c) {
      columns[c]->set_value(0, given.values[c]);
      write_cell(writer, *columns[c], 0);
    }
  }
  void read(StateReader& reader, RowId row) {
    Given& given = given_[row];
    auto what = reader.read<std::uint8_t>();
    if (what == 2) failed_[row] = reader.read_text();
    given.there = what == 1;
    if (!given.there) return;
    for (const auto& column : new_columns(1)) {
      read_cell(reader, *column, 0);
      given.values.push_back(column->value(0));
    }
  }

  const OverParts& parts_;
  KnownRows known_;
  std::vector<Given> given_;                // by row: what stands now
  std::map<RowId, std::string> failed_;     // rows that have no result now
  std::vector<KnownRows::Number> changed_;  // keys
};

std::unique_ptr<OperatorState> OverChanges::make_state() const {
  return std::make_unique<State>(parts_);
}

Result<void> OverChanges::take(OperatorState& state, const column::Chunk& chunk,
                               std::vector<std::uint32_t> rows, Context&) const {
  static_cast<State&>(state).add(chunk, rows);
  return {};
}

Result<void> OverChanges::advance(OperatorState& state, Watermark watermark,
                                  Context& context) const {
  return static_cast<State&>(state).advance(watermark, context);
}

Result<void> OverChanges::update(OperatorState& state, Context& context) const {
  return static_cast<State&>(state).update(context);
}

}  // namespace leat::operators
