#include "generate/json_writer.h"

#include <fmt/format.h>

#include "column/timestamp.h"

namespace leat::generate {

void JsonWriter::write_name(std::string_view name) {
  if (!is_first_) out_ += ',';
  is_first_ = false;
  write_text(name);
  out_ += ':';
}

void JsonWriter::write_text(std::string_view value) {
  out_ += '"';
  out_ += value;
  out_ += '"';
}

void JsonWriter::text(std::string_view name, std::string_view value) {
  write_name(name);
  write_text(value);
}

void JsonWriter::texts(std::string_view name, std::span<const std::string> values) {
  write_name(name);
  out_ += '[';
  for (const std::string& value : values) {
    if (&value != values.data()) out_ += ',';
    write_text(value);
  }
  out_ += ']';
}

void JsonWriter::number(std::string_view name, std::int64_t value) {
  fmt::format_int digits(value);
  token(name, {digits.data(), digits.size()});
}

void JsonWriter::time(std::string_view name, std::int64_t time_ms) {
  write_name(name);
  out_ += '"';
  column::append_timestamp(out_, column::Timestamp{time_ms});
  out_ += '"';
}

void JsonWriter::date(std::string_view name, std::int64_t time_ms) {
  constexpr std::size_t date_size = 10;  // 2026-03-02
  write_name(name);
  out_ += '"';
  std::size_t begin = out_.size();
  column::append_timestamp(out_, column::Timestamp{time_ms});
  out_.resize(begin + date_size);
  out_ += '"';
}

void JsonWriter::token(std::string_view name, std::string_view token) {
  write_name(name);
  out_ += token;
}

}  // namespace leat::generate
