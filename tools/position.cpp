#include "tools/position.h"

#include <algorithm>

#include <fmt/core.h>

namespace leat::tools {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::size_t find_split(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != ':') continue;
    if (at == 0 || at + 1 == text.size()) return at;
    char next = text[at + 1];
    if (next == '@' || next == '+' || next == '-' || is_letter(next)) return at;
    if (is_digit(next) && is_number(text.substr(0, at))) return at;
  }
  return std::string_view::npos;
}

}  // namespace

Result<Range> Range::parse(std::string_view text, std::int64_t now_ms) {
  std::size_t split = find_split(text);
  Range range;
  if (split != 0) {
    Result<Position> begin = Position::parse(text.substr(0, split), now_ms);
    if (!begin) return fail(begin);
    range.begin = *begin;
  }
  if (split == std::string_view::npos || split + 1 == text.size()) return range;
  Result<Position> end = Position::parse(text.substr(split + 1), now_ms);
  if (!end) return fail(end);
  range.end = *end;
  return range;
}

Result<PartitionRange> resolve(const Range& range, const PartitionEnds& ends, bool stop_at_end) {
  PartitionRange resolved;
  resolved.begin = range.begin.in(ends.start_offset, ends.end_offset, ends.begin_time_offset);
  if (range.begin.kind == Position::Kind::time) resolved.time_begin_ms = range.begin.number;
  if (resolved.begin < ends.start_offset || resolved.begin > ends.end_offset)
    return fail(Errc::offset_out_of_range,
                fmt::format("offset {} is outside what the partition holds, [{}, {})",
                            resolved.begin, ends.start_offset, ends.end_offset));
  if (range.end) {
    bool is_time = range.end->kind == Position::Kind::time;
    if (is_time) resolved.time_end_ms = range.end->number;
    resolved.end = range.end->in(ends.start_offset, ends.end_offset, ends.end_time_offset);
  }
  if (stop_at_end) resolved.end = std::min(resolved.end.value_or(ends.end_offset), ends.end_offset);
  return resolved;
}

}  // namespace leat::tools
