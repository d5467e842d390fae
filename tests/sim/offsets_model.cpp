#include "sim/offsets_model.h"

#include <algorithm>

#include <fmt/core.h>

namespace leat::sim {

std::int64_t OffsetsModel::commit(const Place& place, std::int64_t expires_ms) {
  Committed& at = offsets_[place];
  at.sent[++last_] = expires_ms;
  return last_;
}

void OffsetsModel::committed(const Place& place, std::int64_t number) {
  Committed& at = offsets_[place];
  if (number > at.gone) at.floor = std::max(at.floor, number);
}

void OffsetsModel::failed(const Place& place, std::int64_t number) {
  offsets_[place].failed.insert(number);
}

std::int64_t OffsetsModel::forget(const Place& place) {
  offsets_[place].deletions.push_back(++last_);
  return last_;
}

void OffsetsModel::forgotten(const Place& place, std::int64_t number) {
  Committed& at = offsets_[place];
  at.gone = std::max(at.gone, number);
  if (at.floor < number) at.floor = 0;
}

std::string OffsetsModel::told(const Place& place, std::optional<std::int64_t> offset,
                               std::int64_t now_ms) {
  Committed& at = offsets_[place];
  auto in = [&](const std::string& what) {
    return fmt::format("partition {} of {}: {}", place.second, place.first, what);
  };
  if (!offset) {
    bool was_deleted = std::ranges::any_of(at.deletions, [&](auto d) { return d > at.floor; });
    bool may_be_none = at.floor == 0 || was_deleted || now_ms >= at.sent[at.floor];
    if (!may_be_none) return in(fmt::format("the commit {} is lost", at.floor));
    at.gone = std::max(at.gone, at.floor);
    at.floor = 0;
    return {};
  }
  if (*offset < at.floor) return in(fmt::format("{} went back to {}", at.floor, *offset));
  if (*offset <= at.gone && !at.failed.contains(*offset))
    return in(fmt::format("{} was forgotten, and is back", *offset));
  if (!at.sent.contains(*offset)) return in(fmt::format("nobody committed {}", *offset));
  at.floor = *offset;
  return {};
}

}  // namespace leat::sim
