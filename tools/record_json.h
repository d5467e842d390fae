// Records as JSON, one line each, in a form that keeps every byte:
//
//   {"topic":T,"partition":P,"offset":O,"timestamp":MS,"key":K,"value":V,"headers":[H…]}
//   H := {"key":NAME,"value":V}
//
// A key or value is a string, or null. One that is not UTF-8 stands in base64 under its name with
// "_base64" behind it: "value_base64":"/w==". A timestamp is in milliseconds since 1970; null is
// none. Read back, topic, partition and offset mean nothing, a timestamp may also be RFC 3339 or
// missing, and of the rest only the value must be there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/records.h"

namespace leat::tools {

/// Bytes that must be readable behind every text that is read here, whatever they hold.
inline constexpr std::size_t json_padding_bytes = 64;

/// Appends `record` without a line end.
void append_record_json(std::string& out, const InRecord& record);

/// Appends `text` as a JSON string; what is not UTF-8 in it becomes U+FFFD.
void append_json_text(std::string& out, std::string_view text);

/// What a line says of a record. Borrowed from the line and the reader.
struct LineRecord {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::vector<Header> headers;
  std::optional<Timestamp> timestamp;
};

/// Reads JSON lines. What it returns is valid until the next call. REQUIRES, of every line:
/// json_padding_bytes readable behind it. Not thread-safe.
class JsonLineReader {
 public:
  JsonLineReader();
  ~JsonLineReader();

  /// A record as append_record_json() writes it.
  Result<const LineRecord*> read_record(std::string_view line);
  /// The line itself is the value; key and timestamp are fields of it. A field that is asked for
  /// must be there. The key may be null, or anything: of what is no string, its JSON text.
  Result<const LineRecord*> read_fields(std::string_view line,
                                        const std::optional<std::string>& key_field,
                                        const std::optional<std::string>& timestamp_field);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::tools
