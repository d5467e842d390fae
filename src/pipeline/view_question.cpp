#include "pipeline/view_question.h"

#include <charconv>

#include <fmt/format.h>

#include "pipeline/log_position.h"

namespace leat::pipeline {

namespace {

std::optional<std::uint64_t> to_epoch(std::string_view text) {
  std::uint64_t epoch = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  bool is_one = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return is_one ? std::optional(epoch) : std::nullopt;
}

}  // namespace

Result<ViewTime> ViewTime::parse(const std::string& text, std::int64_t now_ms) {
  ViewTime at;
  if (text == "end") return at;
  if (text.starts_with('@')) {
    auto position = LogPosition::parse(text, now_ms);
    if (!position) return fail(position);
    at.time_ms = position->number;
    return at;
  }
  std::size_t comma = text.find(',');
  at.epoch = to_epoch(text.substr(0, comma));
  if (comma != text.npos) at.live_epoch = to_epoch(text.substr(comma + 1));
  if (at.epoch && (comma == text.npos || at.live_epoch)) return at;
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is no moment of a view: an epoch's number, end, and @TIME are "
                          "(@2026-03-02T10:00:00Z, @1772445600000, @-2h)",
                          text));
}

}  // namespace leat::pipeline
