#include "operators/table_join.h"

#include "expression/operand.h"
#include "operators/gather_stored.h"
#include "operators/hashed_keys.h"
#include "operators/latest_rows.h"
#include "operators/row_tools.h"
#include "operators/saved_rows.h"

namespace leat::operators {

using plan::Join;

namespace {

// A column of stored cells, and what their texts are in.
struct Borrowed {
  std::shared_ptr<const column::Vector> vector;
  std::vector<std::shared_ptr<const void>> texts;
};

std::shared_ptr<const column::Vector> column_of(const std::vector<StoredRow>& rows,
                                                const column::Type& type, std::size_t column) {
  auto owned = expression::OwnedVector::make(type, rows.size());
  gather_stored(owned->vector, rows, column);
  auto borrowed = std::make_shared<Borrowed>();
  borrowed->vector = expression::OwnedVector::release(std::move(owned));
  const RowBlock* last = nullptr;
  for (const auto& row : rows) {
    if (row.block == nullptr || row.block == last) continue;
    last = row.block;
    borrowed->texts.push_back(row.block->texts);
  }
  return {borrowed, borrowed->vector.get()};
}

}  // namespace

//   state := section "table_join" rows numbers                  see saved_rows.h
class TableJoin::State : public OperatorState {
 public:
  explicit State(const TableJoin& join)
      : columns_(join.columns_),
        store_(columns_.right.types),
        left_key_(columns_.left_keys),
        right_key_(columns_.right.keys) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("table_join", 2);
    SavedRows(writer, store_).write(latest_.rows());
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("table_join", 2); !section) return fail(section);
    RestoredRows restored(reader, store_);
    for (RowId id : restored.take_some()) {
      right_key_.with(store_.row(id), [&](auto key) { return latest_.set(key, id); });
    }
    restored.finish();
    return {};
  }

  std::size_t bytes() const override { return store_.bytes() + latest_.bytes(); }

  void learn(const column::Chunk& chunk) {
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) rows.push_back(chunk.selection[i]);
    std::vector<RowId> ids;
    store_.add(columns_.right.of(chunk), rows, ids);
    for (RowId id : ids) learn(id);
  }

  Result<void> look_up(const column::Chunk& chunk, Context& context) {
    find_all(chunk);
    std::vector<StoredRow> partners(columns_.gives_pairs() ? chunk.rows : 0);
    bool gives_all = columns_.how == Join::How::left;
    bool wanted = columns_.how != Join::How::anti;
    std::vector<std::uint32_t> given(found_.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      bool matched = found_[i] != no_row;
      given[count] = row;
      count += gives_all || matched == wanted ? 1 : 0;
      if (matched && columns_.gives_pairs()) partners[row] = store_.row(found_[i]);
    }
    if (count == 0) return {};
    given.resize(count);
    column::Chunk out = count == found_.size() ? chunk : select(chunk, std::move(given));
    for (const auto& column : columns_.right_given) {
      out.columns.push_back(column_of(partners, column.type, column.kept));
    }
    return context.push(out);
  }

 private:
  // Sets found_ to what each selected row has as its partner.
  void find_all(const column::Chunk& chunk) {
    found_.resize(chunk.selection.size());
    auto cells_of = [&](std::size_t i) { return ChunkRow{&chunk, chunk.selection[i]}; };
    hashed_.for_each(latest_, found_.size(), cells_of, [&](std::size_t i, const auto& key) {
      found_[i] = left_key_.has_null(cells_of(i)) ? no_row : latest_.find(key);
    });
  }

  void learn(RowId id) {
    right_key_.with(store_.row(id), [&](auto key) { learn(key, id); });
  }
  template <class Key>
  void learn(Key key, RowId id) {
    StoredRow row = store_.row(id);
    RowId before = latest_.find(key);
    if (before != no_row && row.position() < store_.row(before).position()) {
      return store_.release(id);  // of another partition, and has come later
    }
    if (row.kind() == column::RowKind::erase) {
      latest_.forget(key);
      store_.release(id);
    } else {
      latest_.set(key, id);
    }
    if (before != no_row) store_.release(before);
  }

  const JoinColumns& columns_;
  RowStore store_;
  KeyWriter left_key_;
  KeyWriter right_key_;
  LatestRows latest_;
  HashedKeys hashed_{columns_.left_keys};
  std::vector<RowId> found_;  // of the chunk's rows that are looked up; kept for its memory
};

TableJoin::TableJoin(const plan::BoundPlan& plan, std::size_t node) : columns_(plan, node) {}

std::unique_ptr<OperatorState> TableJoin::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> TableJoin::process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                                Context& context) const {
  auto& own = static_cast<State&>(state);
  if (input == 0) return own.look_up(chunk, context);
  own.learn(chunk);
  return {};
}

std::vector<std::size_t> TableJoin::gathers_by(std::size_t input) const {
  return input == 0 ? columns_.left_keys : columns_.right_keys;
}

}  // namespace leat::operators
