#include "column/csv_decoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "column/text_scalar.h"

namespace leat::column {

CsvDecoder::CsvDecoder(std::vector<CsvField> fields, std::size_t places)
    : fields_(std::move(fields)), places_(places) {}

// Behind the quote that ends the field whose text begins at `at`; npos if none does.
std::size_t CsvDecoder::take_quoted(std::string_view line, std::size_t at, Part& part) {
  std::size_t begin = at;
  part.quoted = true;
  while (true) {
    at = line.find('"', at);
    if (at == line.npos) return at;
    if (at + 1 == line.size() || line[at + 1] != '"') break;
    part.has_quotes = true;
    at += 2;
  }
  part.text = line.substr(begin, at - begin);
  return at + 1;
}

bool CsvDecoder::split(std::string_view line) {
  parts_.clear();
  for (std::size_t at = 0;; ++at) {
    Part& part = parts_.emplace_back();
    if (at < line.size() && line[at] == '"') {
      at = take_quoted(line, at + 1, part);
      if (at == line.npos) return wrong("a quoted field does not end");
      if (at < line.size() && line[at] != ',') return wrong("a quote within a field");
    } else {
      std::size_t begin = at;
      while (at < line.size() && line[at] != ',' && line[at] != '"') ++at;
      part.text = line.substr(begin, at - begin);
      if (at < line.size() && line[at] == '"') return wrong("a quote within a field");
    }
    if (at == line.size()) return true;
  }
}

std::string_view CsvDecoder::text_of(const Part& part) {
  if (!part.has_quotes) return part.text;
  char* room = texts_->reserve(part.text.size());
  char* to = room;
  for (std::size_t i = 0; i < part.text.size(); ++i) {
    *to++ = part.text[i];
    if (part.text[i] == '"') ++i;
  }
  auto size = static_cast<std::size_t>(to - room);
  texts_->keep(size);
  return {room, size};
}

void CsvDecoder::read_names(std::string_view line) {
  names_error_.clear();
  if (!split(line)) names_error_ = reason_;
  if (!names_error_.empty()) return;
  std::vector<std::string_view> names;
  for (const auto& part : parts_) names.push_back(text_of(part));
  for (auto& field : fields_) {
    auto found = std::find(names.begin(), names.end(), field.header);
    field.place = found == names.end() ? nowhere : static_cast<std::size_t>(found - names.begin());
  }
  places_ = names.size();
}

bool CsvDecoder::decode(std::string_view line, std::span<Vector> columns, std::size_t row) {
  if (!simdjson::validate_utf8(line.data(), line.size())) return wrong("not UTF-8");
  if (!split(line)) return false;
  if (!names_error_.empty()) return wrong(names_error_);
  if (parts_.size() != places_) {
    return wrong(fmt::format("{} fields, where {} are wanted", parts_.size(), places_));
  }
  for (const auto& field : fields_) {
    Vector& out = columns[field.column];
    const Part* part = field.place == nowhere ? nullptr : &parts_[field.place];
    if (part == nullptr || (part->text.empty() && !part->quoted)) {
      out.set_null(row);
    } else if (!set_from_text(text_of(*part), times_, out, row, reason_)) {
      return wrong(fmt::format("{}: {}", field.name, reason_));
    }
  }
  return true;
}

std::shared_ptr<const void> CsvDecoder::take_texts() {
  if (texts_->empty()) return nullptr;
  return std::exchange(texts_, std::make_shared<TextArena>());
}

}  // namespace leat::column
