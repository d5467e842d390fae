#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "operators/chunk_maker.h"
#include "operators/saved_rows.h"
#include "operators/sorted_rows.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;
using column::Type;

namespace {

const std::vector<Type> types{
    {Type::Kind::bigint},   {Type::Kind::text},     column::array_of({Type::Kind::text}),
    column::decimal(20, 2), {Type::Kind::interval}, {Type::Kind::double_precision}};

constexpr std::size_t chunk_row_bytes = 150;

/// A row as the test knows it: what decides about its order, and a number that says all cells.
struct Known {
  std::int64_t time_ms;
  std::uint64_t origin;
  std::int64_t place;
  std::string rest;
  std::int64_t number;
  auto order() const { return std::tie(time_ms, origin, place, rest); }
};

/// Rows of two partitions in random chunks. Their bytes are gone when the chunk is.
class Maker {
 public:
  /// A chunk says of so many bytes for each row that it keeps them in memory; of 0 it says nothing.
  explicit Maker(std::uint64_t seed, std::size_t record_bytes = 0)
      : random_(seed), record_bytes_(record_bytes) {}

  std::pair<column::Chunk, std::vector<Known>> make(std::int64_t time_ms, std::size_t count) {
    auto context = std::make_shared<column::RowContext>();
    auto texts = std::make_shared<column::TextArena>();
    static const Bytes records(std::size_t{4096} * 512);
    REQUIRE(count * record_bytes_ <= records.size());
    context->buffers.push_back({texts, 0, BytesView(records).first(count * record_bytes_)});
    std::vector<std::shared_ptr<column::Vector>> columns;
    for (const auto& type : types) {
      columns.push_back(std::make_shared<column::Vector>(type));
      columns.back()->resize(count);
    }
    std::vector<Known> known;
    std::uint32_t row = 0;
    for (std::int32_t partition : {0, 1}) {
      std::size_t end = partition == 0 ? random_.below(count + 1) : count;
      if (end > row) {
        context->runs.push_back({static_cast<std::uint32_t>(end), partition, 0, 7});
      }
      for (; row < end; ++row) {
        std::string rest(random_.below(3), "\0ab"[random_.below(3)]);
        known.push_back({time_ms + random_.between(0, 20), column::origin_of(7, partition),
                         random_.between(0, 3) * 1'000'000 + number_, rest, number_});
        fill(columns, row, *texts);
        ++number_;
      }
    }
    for (const auto& one : known) {
      context->event_times_ms.push_back(one.time_ms);
      context->places.push_back(one.place);
      context->rests.push_back(keep(one.rest, *texts));
    }
    column::Chunk chunk;
    chunk.columns = {columns.begin(), columns.end()};
    chunk.rows = count;
    chunk.selection = column::Selection::all(count);
    chunk.context = context;
    return {chunk, known};
  }

 private:
  static std::string_view keep(const std::string& text, column::TextArena& texts) {
    char* room = texts.reserve(text.size());
    std::copy(text.begin(), text.end(), room);
    texts.keep(text.size());
    return {room, text.size()};
  }
  void fill(std::vector<std::shared_ptr<column::Vector>>& columns, std::uint32_t row,
            column::TextArena& texts) {
    columns[0]->set_integer(row, number_);
    columns[1]->set_text(row, keep(fmt::format("text of row {}", number_), texts));
    auto begin = static_cast<std::uint32_t>(columns[2]->items().size());
    auto items = static_cast<std::uint32_t>(number_ % 3);
    columns[2]->items().resize(begin + items);
    for (std::uint32_t i = 0; i < items; ++i) {
      columns[2]->items().set_text(begin + i, keep(fmt::format("item {}", number_ + i), texts));
    }
    columns[2]->set_list(row, {begin, items});
    columns[3]->set_decimal(row, column::Int128{number_} << 70);
    columns[4]->set_interval(row, {number_, 2, 3});
    if (number_ % 2 == 0)
      columns[5]->set_null(row);
    else
      columns[5]->set_real(row, static_cast<double>(number_) / 8);
  }

  Random random_;
  std::size_t record_bytes_;
  std::int64_t number_ = 0;
};

/// The cells of a row that has this number.
std::vector<column::Value> cells_of(std::int64_t number) {
  column::Array array;
  for (std::int64_t i = 0; i < number % 3; ++i) {
    array.items.emplace_back(fmt::format("item {}", number + i));
  }
  return {number,
          fmt::format("text of row {}", number),
          array,
          column::Decimal{column::Int128{number} << 70, 2},
          column::Interval{number, 2, 3},
          number % 2 == 0 ? column::Value() : column::Value(static_cast<double>(number) / 8)};
}

void check_row(const StoredRow& row, const Known& known) {
  CHECK(row.time_ms() == known.time_ms);
  CHECK(row.position() == column::Position{known.origin, known.place, known.rest});
  auto cells = cells_of(known.number);
  for (std::size_t c = 0; c < types.size(); ++c) CHECK(row.column(c).value(row.row) == cells[c]);
}

void restart(SortedRows& rows) {
  StateWriter writer;
  rows.snapshot(writer);
  Bytes bytes = writer.finish();
  auto reader = StateReader::open(bytes);
  REQUIRE(reader.has_value());
  SortedRows restored(types);
  restored.restore(*reader);
  REQUIRE(reader->finish().has_value());
  rows = std::move(restored);
}

std::vector<std::uint32_t> all(std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = static_cast<std::uint32_t>(i);
  return rows;
}

}  // namespace

TEST_CASE("rows come back once each in the order of time, whatever their chunks were") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Maker maker(seed);
    SortedRows rows(types);
    std::vector<Known> waiting;
    std::int64_t time = 0;
    for (int step = 0; step < 60; ++step) {
      auto [chunk, known] = maker.make(time, random.between(1, random.one_in(10) ? 3'000 : 50));
      rows.add(chunk, all(chunk.rows));
      waiting.insert(waiting.end(), known.begin(), known.end());
      time += random.between(0, 15);
      if (random.one_in(5)) restart(rows);
      if (random.one_in(3)) continue;
      bool last = step + 1 == 60;
      std::int64_t watermark = last ? watermark_max : time - 2;
      std::sort(waiting.begin(), waiting.end(),
                [](const Known& a, const Known& b) { return a.order() < b.order(); });
      auto end = std::partition_point(waiting.begin(), waiting.end(),
                                      [&](const Known& k) { return k.time_ms < watermark; });
      std::vector<RowId> taken = rows.take(watermark);
      REQUIRE(taken.size() == static_cast<std::size_t>(end - waiting.begin()));
      for (std::size_t i = 0; i < taken.size(); ++i) {
        check_row(rows.store().row(taken[i]), waiting[i]);
        rows.store().release(taken[i]);
      }
      waiting.erase(waiting.begin(), end);
      CHECK(rows.waiting() == waiting.size());
      CHECK(rows.store().size() == waiting.size());
      if (waiting.empty()) CHECK(rows.bytes() == rows.store().bytes());
    }
  }
}

TEST_CASE("rows that stay while others go keep their cells, and memory goes back") {
  Random random(4);
  Maker maker(4);
  RowStore store(types);
  std::map<RowId, Known> kept;
  std::size_t largest = 0;
  for (int step = 0; step < 300; ++step) {
    auto [chunk, known] = maker.make(step, 400);
    std::vector<RowId> ids;
    store.add(chunk, all(chunk.rows), ids);
    for (std::size_t i = 0; i < ids.size(); ++i) kept.emplace(ids[i], known[i]);
    // One of a hundred stays for long.
    for (auto it = kept.begin(); it != kept.end();) {
      bool stays = it->second.number % 100 == 0 && it->second.number + 50'000 > step * 400;
      if (!stays) store.release(it->first);
      it = stays ? std::next(it) : kept.erase(it);
    }
    CHECK(store.size() == kept.size());
    largest = std::max(largest, store.bytes());
  }
  for (const auto& [id, known] : kept) check_row(store.row(id), known);
  // Without moving, 500 rows of 50,000 would hold the memory of all, 15 MB.
  CHECK(largest < 3'000'000);
  for (const auto& [id, known] : kept) store.release(id);
  CHECK(store.size() == 0);
}

TEST_CASE("rows of chunks that are kept have their cells, and few that are left are copied") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Maker maker(seed, 100);
    RowStore store(types, chunk_row_bytes);
    std::map<RowId, Known> kept;
    std::vector<std::weak_ptr<const void>> chunks;
    for (int step = 0; step < 40; ++step) {
      auto [chunk, known] = maker.make(step, random.one_in(4) ? 100 : 2'000);
      std::vector<RowId> ids;
      std::vector<std::uint32_t> rows;
      for (std::uint32_t row = 0; row < chunk.rows; ++row) {
        if (!random.one_in(5)) rows.push_back(row);
      }
      store.keep(chunk, rows, ids);
      REQUIRE(ids.size() == rows.size());
      for (std::size_t i = 0; i < ids.size(); ++i) kept.emplace(ids[i], known[rows[i]]);
      chunks.push_back(chunk.columns[0]);
      if (chunk.rows == 2'000) CHECK(store.bytes() > 2'000 * 100);
      // One of a hundred stays for long, the others for five steps at most.
      for (auto it = kept.begin(); it != kept.end();) {
        bool stays = it->second.number % 100 == 0 || it->second.time_ms > step + 15;
        if (!stays) store.release(it->first);
        it = stays ? std::next(it) : kept.erase(it);
      }
      CHECK(store.size() == kept.size());
      for (int i = 0; i < 50 && !kept.empty(); ++i) {
        auto one = kept.lower_bound(static_cast<RowId>(random.below(store.id_end())));
        if (one != kept.end()) check_row(store.row(one->first), one->second);
      }
    }
    for (const auto& [id, known] : kept) check_row(store.row(id), known);
    auto alive = std::count_if(chunks.begin(), chunks.end(),
                               [](const auto& chunk) { return !chunk.expired(); });
    CHECK(alive <= 8);
    for (const auto& [id, known] : kept) store.release(id);
    CHECK(store.size() == 0);
    CHECK(std::all_of(chunks.begin(), chunks.end(),
                      [](const auto& chunk) { return chunk.expired(); }));
  }
}

TEST_CASE("chunks that are kept hold no more memory than they may, and some say too little") {
  Maker maker(8, 512), unknown(8);
  RowStore store(types, chunk_row_bytes);
  std::vector<RowId> ids;
  std::vector<std::weak_ptr<const void>> chunks;
  auto alive = [&] {
    return std::count_if(chunks.begin(), chunks.end(),
                         [](const auto& chunk) { return !chunk.expired(); });
  };
  for (int step = 0; step < 40; ++step) {
    auto [chunk, known] = maker.make(step, 4'096);
    store.keep(chunk, all(chunk.rows), ids);
    chunks.push_back(chunk.columns[0]);
  }
  // Each is of 2 MiB of records, and less than 1 MiB of columns. The first one made room for the
  // last that was kept; then it was known that rows stay, and those behind were copied.
  CHECK(alive() > 20);
  CHECK(alive() <= 32);
  CHECK(store.bytes() < RowStore::kept_bytes_max * 2);
  chunks.clear();
  for (std::size_t rows : {4'096, 1'000}) {
    auto [chunk, known] = (rows == 1'000 ? maker : unknown).make(50, rows);
    store.keep(chunk, all(chunk.rows), ids);
    chunks.push_back(chunk.columns[0]);
  }
  auto [chunk, known] = maker.make(51, 4'096);
  std::vector<std::uint32_t> few = all(1'000);
  store.keep(chunk, few, ids);
  chunks.push_back(chunk.columns[0]);
  chunk = {};
  CHECK(alive() == 0);
}

TEST_CASE("records count once, however many chunks of them are kept, until the last one is gone") {
  Maker maker(9, 256);
  RowStore store(types, chunk_row_bytes);
  std::vector<RowId> ids;
  auto [chunk, known] = maker.make(0, 2'000);
  constexpr std::size_t record_bytes = std::size_t{2'000} * 256;
  std::size_t before = store.bytes();
  store.keep(chunk, all(chunk.rows), ids);
  std::size_t of_first = store.bytes() - before;
  CHECK(of_first > record_bytes + 2'000 * chunk_row_bytes);
  store.keep(chunk, all(chunk.rows), ids);
  std::size_t of_both = store.bytes() - before;
  CHECK(of_both < 2 * of_first - record_bytes / 2);
  for (std::size_t i = 0; i < 2'000; ++i) store.release(ids[i]);
  CHECK(store.bytes() - before > record_bytes);
  for (std::size_t i = 2'000; i < 4'000; ++i) store.release(ids[i]);
  CHECK(store.bytes() - before < record_bytes);
}

TEST_CASE("a chunk made of stored rows outlives them") {
  Maker maker(5);
  RowStore store(types);
  auto [chunk, known] = maker.make(0, 100);
  std::vector<RowId> ids;
  store.add(chunk, all(chunk.rows), ids);
  ChunkMaker out;
  std::vector<StoredRow> rows;
  for (RowId id : ids) {
    rows.push_back(store.row(id));
    out.add(rows.back());
  }
  for (std::size_t c = 0; c < types.size(); ++c) out.add_column(types[c], rows, c);
  column::Chunk made = out.finish();
  for (RowId id : ids) store.release(id);
  store.add(chunk, all(chunk.rows), ids);
  REQUIRE(made.rows == 100);
  column::RunCursor runs(*made.context);
  for (std::size_t i = 0; i < 100; ++i) {
    auto cells = cells_of(known[i].number);
    for (std::size_t c = 0; c < types.size(); ++c) CHECK(made.columns[c]->value(i) == cells[c]);
    CHECK(made.context->position(i, runs.run_of(i)) ==
          column::Position{known[i].origin, known[i].place, known[i].rest});
    CHECK(runs.run_of(i).watermark_ms == watermark_min);
  }
}

TEST_CASE("rows come back from a snapshot with all they had, whichever have gone") {
  Random random(6);
  for (std::size_t count : {0, 1, 300, 20'000}) {
    Maker maker(6);
    RowStore store(types);
    std::map<RowId, Known> kept;
    for (int step = 0; step < 5; ++step) {
      auto [chunk, known] = maker.make(step, count);
      std::vector<RowId> ids;
      store.add(chunk, all(chunk.rows), ids);
      for (std::size_t i = 0; i < ids.size(); ++i) kept.emplace(ids[i], known[i]);
      std::erase_if(kept, [&](const auto& row) {
        bool goes = random.below(3) == 0;
        if (goes) store.release(row.first);
        return goes;
      });
    }
    StateWriter writer;
    SavedRows saved(writer, store);
    std::vector<RowId> ids;
    for (const auto& [id, known] : kept) ids.push_back(id);
    std::span<const RowId> some = ids;
    saved.write(some.first(ids.size() / 2));
    for (RowId id : some.subspan(ids.size() / 2)) saved.write(id);
    Bytes bytes = writer.finish();
    auto reader = StateReader::open(bytes);
    REQUIRE(reader);
    RowStore other(types);
    RestoredRows restored(*reader, other);
    std::vector<RowId> back = restored.take_some();
    REQUIRE(back.size() == ids.size() / 2);
    while (back.size() < ids.size()) back.push_back(restored.take());
    restored.finish();
    REQUIRE(reader->finish().has_value());
    CHECK(other.size() == kept.size());
    for (std::size_t i = 0; i < ids.size(); ++i) check_row(other.row(back[i]), kept.at(ids[i]));
    // They are rows like others.
    auto [chunk, known] = maker.make(9, 100);
    std::vector<RowId> more;
    other.add(chunk, all(chunk.rows), more);
    for (std::size_t i = 0; i < more.size(); ++i) check_row(other.row(more[i]), known[i]);
    for (RowId id : back) other.release(id);
    CHECK(other.size() == more.size());
  }
}

TEST_CASE("a snapshot whose rows are missing, or taken twice, or by nobody, is refused") {
  Maker maker(7);
  RowStore store(types);
  auto [chunk, known] = maker.make(0, 10);
  std::vector<RowId> ids;
  store.add(chunk, all(chunk.rows), ids);
  auto taken = [&](const std::vector<std::uint32_t>& numbers) {
    StateWriter writer;
    SavedRows saved(writer, store);
    writer.write(static_cast<std::uint32_t>(numbers.size()));
    for (std::uint32_t number : numbers) writer.write(number);
    Bytes bytes = writer.finish();
    auto reader = StateReader::open(bytes);
    RowStore other(types);
    RestoredRows restored(*reader, other);
    std::vector<RowId> rows = restored.take_some();
    restored.finish();
    return reader->finish().has_value();
  };
  CHECK(taken({9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
  CHECK_FALSE(taken({0, 1, 2, 3, 4, 5, 6, 7, 8}));
  CHECK_FALSE(taken({0, 1, 2, 3, 4, 5, 6, 7, 8, 8}));
  CHECK_FALSE(taken({0, 1, 2, 3, 4, 5, 6, 7, 8, 10}));
  CHECK_FALSE(taken({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0}));
}

TEST_SUITE_END();
