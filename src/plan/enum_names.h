// How enumerators are spelled in plans: as in the code.
#pragma once

#include <array>
#include <string_view>

#include "plan/plan.h"

namespace leat::plan {

constexpr std::array<std::string_view, 3> names_of(Mode::Type) {
  return {"stream", "micro_batch", "batch"};
}
constexpr std::array<std::string_view, 3> names_of(BadRows::Policy) {
  return {"fail", "skip", "dead_letter"};
}
constexpr std::array<std::string_view, 7> names_of(SourceColumn::From) {
  return {"value", "key", "header", "timestamp", "offset", "partition", "topic"};
}
constexpr std::array<std::string_view, 3> names_of(Source::Format) {
  return {"json", "csv", "raw"};
}
constexpr std::array<std::string_view, 2> names_of(Sink::Format) {
  return {"json", "csv"};
}
constexpr std::array<std::string_view, 2> names_of(Sink::Changes) {
  return {"upsert", "all"};
}
constexpr std::array<std::string_view, 4> names_of(WindowShape::Kind) {
  return {"tumbling", "hopping", "cumulate", "session"};
}
constexpr std::array<std::string_view, 3> names_of(Window::Emit) {
  return {"close", "update", "every"};
}
constexpr std::array<std::string_view, 3> names_of(Emission) {
  return {"at_once", "watermark", "update"};
}
constexpr std::array<std::string_view, 2> names_of(Dedup::Keep) {
  return {"first", "last"};
}
constexpr std::array<std::string_view, 4> names_of(Join::Kind) {
  return {"interval", "window", "table", "as_of"};
}
constexpr std::array<std::string_view, 4> names_of(Join::How) {
  return {"inner", "left", "semi", "anti"};
}

}  // namespace leat::plan
