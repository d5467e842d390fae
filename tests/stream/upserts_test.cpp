// What changes leave of each key, as small stories.
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "operators/watermark.h"
#include "stream/upserts.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using column::RowKind;

namespace {

RowKind kind_of(char mark) {
  switch (mark) {
    case '+': return RowKind::insert;
    case '<': return RowKind::update_before;
    case '>': return RowKind::update_after;
    default: return RowKind::erase;
  }
}

/// Rows `mark key value`: `+` comes, `-` goes, `<` is replaced, `>` replaces; with `@place` behind
/// where it is not the value.
column::Chunk chunk_of(const std::string& rows) {
  auto keys = std::make_shared<column::Vector>(column::Type(column::Type::Kind::bigint));
  auto values = std::make_shared<column::Vector>(column::Type(column::Type::Kind::bigint));
  auto context = std::make_shared<column::RowContext>();
  column::Chunk chunk;
  std::istringstream in(rows);
  char mark = 0;
  for (std::int64_t key = 0, value = 0; in >> mark >> key >> value; ++chunk.rows) {
    std::int64_t place = value;
    if ((in >> std::ws).peek() == '@') in.ignore(1) >> place;
    keys->resize(chunk.rows + 1);
    values->resize(chunk.rows + 1);
    keys->set_integer(chunk.rows, key);
    values->set_integer(chunk.rows, value);
    context->event_times_ms.push_back(0);
    context->places.push_back(place);
    context->kinds.push_back(kind_of(mark));
  }
  context->runs = {{static_cast<std::uint32_t>(chunk.rows), 0, operators::watermark_min, 0}};
  chunk.columns = {keys, values};
  chunk.selection = column::Selection::all(chunk.rows);
  chunk.context = context;
  return chunk;
}

/// What is left of these chunks of changes.
std::string left_of(const std::vector<std::string>& changes) {
  std::vector<column::Chunk> chunks;
  for (const auto& rows : changes) chunks.push_back(chunk_of(rows));
  const std::size_t keys[] = {0};
  std::string text;
  for (const auto& chunk : as_upserts(chunks, keys)) {
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      bool is_gone = chunk.context->kinds[row] == RowKind::erase;
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", chunk.columns[0]->integer(row),
                          is_gone ? "-" : std::to_string(chunk.columns[1]->integer(row)));
    }
  }
  return text;
}

}  // namespace

TEST_CASE("of a row that is replaced under its key the next version is left") {
  CHECK(left_of({"+ 1 10 < 2 20 > 2 21 < 3 30 > 3 31"}) == "1=10 2=21 3=31");
}

TEST_CASE("a key whose row is replaced by that of another key has none") {
  CHECK(left_of({"< 1 10 > 2 20"}) == "2=20 1=-");
  CHECK(left_of({"< 1 10", "> 2 20"}) == "2=20 1=-");
}

TEST_CASE("a key whose next version is not there has no row") {
  CHECK(left_of({"< 1 10 < 2 20 > 2 21"}) == "2=21 1=-");
  CHECK(left_of({"< 1 10"}) == "1=-");
}

TEST_CASE("a key whose row goes has none, unless another one comes, whichever is told first") {
  CHECK(left_of({"- 1 10 + 2 20"}) == "2=20 1=-");
  CHECK(left_of({"- 1 10 + 1 11"}) == "1=11");
  CHECK(left_of({"+ 1 11", "- 1 10"}) == "1=11");
}

TEST_CASE("a row that moves among ranks stays") {
  // 1, 2 become 2, 3; 1, 2 become 2.
  CHECK(left_of({"< 1 10 > 2 20 < 2 20 > 3 30"}) == "2=20 3=30 1=-");
  CHECK(left_of({"< 1 10 > 2 20 - 2 20"}) == "2=20 1=-");
  CHECK(left_of({"< 1 10 > 2 20 + 1 10"}) == "2=20 1=10");
}

TEST_CASE("a version that comes and goes is not given") {
  CHECK(left_of({"+ 1 10 - 1 10"}) == "");
  CHECK(left_of({"+ 1 10 < 1 10 > 1 11@10 - 1 11@10"}) == "");
  CHECK(left_of({"+ 1 10 - 1 10 + 1 12"}) == "1=12");
  CHECK(left_of({"+ 1 10 + 1 20 < 1 20 > 2 21@20"}) == "1=10 2=21");
  CHECK(left_of({"+ 1 10 < 1 10 > 2 11@10 < 2 11@10 > 3 12@10"}) == "3=12");
}

TEST_SUITE_END();
