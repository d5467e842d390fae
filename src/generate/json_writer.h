// JSON objects, written field by field.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace leat::generate {

/// Appends to a text, without blanks. REQUIRES, of names and texts: nothing in them that JSON would
/// want escaped.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void open() { begin(); }
  void open(std::string_view name) {
    write_name(name);
    begin();
  }
  void close() {
    out_ += '}';
    is_first_ = false;
  }
  void text(std::string_view name, std::string_view value);
  void texts(std::string_view name, std::span<const std::string> values);
  void null(std::string_view name) { token(name, "null"); }
  void number(std::string_view name, std::int64_t value);
  /// RFC 3339.
  void time(std::string_view name, std::int64_t time_ms);
  /// The day of that time, in UTC.
  void date(std::string_view name, std::int64_t time_ms);
  /// A value as it is to stand there.
  void token(std::string_view name, std::string_view token);

 private:
  void begin() {
    out_ += '{';
    is_first_ = true;
  }
  void write_name(std::string_view name);
  void write_text(std::string_view value);

  std::string& out_;
  bool is_first_ = true;
};

}  // namespace leat::generate
