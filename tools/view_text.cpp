#include "tools/view_text.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "column/row_text.h"
#include "tools/http_api.h"
#include "tools/table.h"

namespace leat::tools {

namespace {

using plan::Json;

struct Cell {
  std::string text;
  bool is_number = false;
};
using Cells = std::vector<std::vector<Cell>>;

std::string joined(const Json& names) {
  std::vector<std::string> texts;
  for (const Json& name : items_of(names)) texts.push_back(text_of(name));
  return texts.empty() ? "-" : fmt::format("{}", fmt::join(texts, ","));
}

/// A cell's own text: of an array or an object its JSON.
Cell cell_text(const Json& json) {
  bool is_null = std::holds_alternative<std::nullptr_t>(json);
  bool is_nested = std::holds_alternative<plan::JsonArray>(json) ||
                   std::holds_alternative<plan::JsonObject>(json);
  Cell cell{is_null || is_nested ? "" : text_of(json),
            std::holds_alternative<plan::JsonNumber>(json)};
  if (is_nested) plan::append_json(cell.text, json);
  return cell;
}

/// The names of the columns first.
Cells cells_of(const Json& view) {
  const plan::JsonArray& columns = items_of(member(view, "columns"));
  Cells cells(1);
  for (const Json& column : columns) cells[0].push_back({text_of(column)});
  for (const Json& row : items_of(member(view, "rows"))) {
    auto& line = cells.emplace_back();
    for (const Json& column : columns) {
      line.push_back(cell_text(member(row, text_of(column).c_str())));
    }
  }
  return cells;
}

/// How many characters there are, for texts in UTF-8.
std::size_t width_of(const std::string& text) {
  auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

std::string rule(const std::vector<std::size_t>& widths, const char* left, const char* middle,
                 const char* right) {
  std::string line = left;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) line += middle;
    for (std::size_t n = 0; n < widths[i] + 2; ++n) line += "─";
  }
  return line + right + "\n";
}

std::string side_text(const Json& side) {
  std::vector<std::string> inputs;
  for (const Json& input : items_of(member(side, "inputs"))) {
    inputs.push_back(fmt::format("{}/{} up to {}", text_of(member(input, "topic")),
                                 text_of(member(input, "partition")),
                                 text_of(member(input, "offset"))));
  }
  return fmt::format("pipeline {} version {}, epoch {}, event time {}; {}",
                     cell_of(member(side, "pipeline")), cell_of(member(side, "version")),
                     cell_of(member(side, "epoch")), cell_of(member(side, "watermark")),
                     fmt::join(inputs, ", "));
}

}  // namespace

std::string views_text(const Json& list) {
  Table table({"VIEW", "KIND", "PIPELINE", "VERSION", "EPOCH", "ROWS", "KEYS"});
  for (const Json& view : items_of(member(list, "views"))) {
    bool is_union = text_of(member(view, "kind")) == "union";
    std::string sides =
        fmt::format("{},{}", cell_of(member(view, "batch")), cell_of(member(view, "live")));
    table.add({cell_of(member(view, "view")), cell_of(member(view, "kind")),
               is_union ? sides : cell_of(member(view, "pipeline")),
               cell_of(member(view, "version")), cell_of(member(view, "epoch")),
               cell_of(member(view, "rows")), joined(member(view, "keys"))});
  }
  return table.to_string();
}

std::string view_box(const Json& view) {
  Cells cells = cells_of(view);
  std::vector<std::size_t> widths(cells[0].size());
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(line[i].text));
    }
  }
  std::string out = rule(widths, "┌", "┬", "┐");
  for (std::size_t row = 0; row < cells.size(); ++row) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const Cell& cell = cells[row][i];
      std::string blanks(widths[i] - width_of(cell.text), ' ');
      out += cell.is_number ? "│ " + blanks + cell.text : "│ " + cell.text + blanks;
      out += ' ';
    }
    out += "│\n";
    if (row == 0) out += rule(widths, "├", "┼", "┤");
  }
  return out + rule(widths, "└", "┴", "┘");
}

std::string view_csv(const Json& view) {
  std::string out;
  const plan::JsonArray& columns = items_of(member(view, "columns"));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ',';
    column::append_csv_field(out, text_of(columns[i]));
  }
  out += '\n';
  for (const Json& row : items_of(member(view, "rows"))) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out += ',';
      const Json& cell = member(row, text_of(columns[i]).c_str());
      if (!std::holds_alternative<std::nullptr_t>(cell)) {
        column::append_csv_field(out, cell_text(cell).text);
      }
    }
    out += '\n';
  }
  return out;
}

std::string view_moment_text(const Json& view) {
  std::size_t rows = items_of(member(view, "rows")).size();
  std::string more = text_of(member(view, "next")).empty() ? "" : ", and there are more";
  std::string out = fmt::format("{}: {} rows{}", text_of(member(view, "view")), rows, more);
  if (text_of(member(view, "kind")) != "union") return out + "; " + side_text(view) + "\n";
  std::string boundary = cell_of(member(view, "boundary"));
  bool has_batch = !std::holds_alternative<std::nullptr_t>(member(view, "batch"));
  out += fmt::format("; moment {}\n", text_of(member(view, "moment")));
  out += has_batch ? fmt::format("before {}: {}\n", boundary, side_text(member(view, "batch")))
                   : "the batch has not come to an end yet\n";
  std::string from = boundary == "-" ? "from the beginning" : "from " + boundary;
  return out + fmt::format("{} on: {}\n", from, side_text(member(view, "live")));
}

}  // namespace leat::tools
