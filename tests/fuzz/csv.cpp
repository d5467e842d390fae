// Lines of CSV, decoded into columns; the first may name them.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "column/csv_decoder.h"
#include "column/row_text.h"
#include "fuzz/targets.h"

namespace leat::fuzz {

namespace {

using column::Type;

const column::Schema schema{{"t", Type::text},
                            {"i", Type::bigint},
                            {"d", Type::double_precision},
                            {"n", column::decimal(9, 2)},
                            {"b", Type::boolean},
                            {"at", Type::timestamp},
                            {"day", Type::date}};

column::CsvDecoder make_decoder() {
  std::vector<column::CsvField> fields;
  for (const auto& field : schema) {
    fields.push_back({field.type, fields.size(), field.name, fields.size()});
  }
  return {fields, fields.size()};
}

std::vector<column::Vector> make_columns() {
  std::vector<column::Vector> columns;
  for (const auto& field : schema) columns.emplace_back(field.type).resize(1);
  return columns;
}

// What was decoded, written and decoded again is the same.
void check_written(const std::vector<column::Vector>& columns) {
  column::Chunk chunk;
  std::vector<std::size_t> all;
  for (const auto& column : columns) {
    all.push_back(all.size());
    chunk.columns.emplace_back(std::shared_ptr<void>(), &column);
  }
  std::string line;
  column::CsvRows(schema, all).append(line, chunk, 0);
  auto decoder = make_decoder();
  auto again = make_columns();
  ASSERT(decoder.decode(line, again, 0));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    ASSERT(columns[i].value(0) == again[i].value(0));
  }
}

}  // namespace

void csv(BytesView input) {
  std::string_view rest = as_text(input);
  auto decoder = make_decoder();
  auto columns = make_columns();
  bool names = rest.starts_with('#');
  if (names) rest.remove_prefix(1);
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    // With its own end, so that reading beyond it is seen.
    std::vector<char> exact(line.begin(), line.end());
    line = {exact.data(), exact.size()};
    if (std::exchange(names, false)) {
      decoder.read_names(line);
    } else if (decoder.decode(line, columns, 0)) {
      check_written(columns);
    } else {
      ASSERT(!decoder.reason().empty());
    }
  }
}

}  // namespace leat::fuzz
