// State, as section "sessions" version 1:
//
//   body  := keys:u32 aggregates:u32 watermark:i64 told:i64 list list told*
//   told  := given:u32 given* changed:u8 late:u8 bad        one for each session of the second list
//   given := start:i64 end:i64 cell*                        a cell for each aggregate
//   bad   := 0x00 | 0x01 reason:text
//
// Times are in milliseconds. The lists, of what is on time and of all, are as session_list.h has
// them, cells as cell_codec.h.
#include "operators/session_state.h"

#include <iterator>
#include <utility>

namespace leat::operators {

void SessionState::note_change(SessionId id) {
  if (std::exchange(told[id].is_changed, true)) return;
  changed.push_back(id);
}

void SessionState::follow_joins() {
  for (const auto& [into, from] : all.joins()) {
    ToldSession gone = std::exchange(told[from], {});
    ToldSession& stays = told[into];
    stays.is_late = stays.is_late || gone.is_late;
    if (gone.is_changed || gone.bad || !gone.given.empty()) note_change(into);
    stays.given.insert(stays.given.end(), std::make_move_iterator(gone.given.begin()),
                       std::make_move_iterator(gone.given.end()));
  }
}

void SessionState::snapshot(StateWriter& writer) const {
  writer.section("sessions", 2);
  writer.write(static_cast<std::uint32_t>(node_.key_types.size()));
  writer.write(static_cast<std::uint32_t>(node_.accumulators.size()));
  writer.write(watermark);
  writer.write(told_ms);
  on_time.snapshot(writer);
  all.snapshot(writer);
  for (SessionId id = 0; id < all.id_end(); ++id) {
    const ToldSession& one = told[id];
    writer.write(static_cast<std::uint32_t>(one.given.size()));
    for (const auto& given : one.given) {
      writer.write(given.span.start_ms);
      writer.write(given.span.end_ms);
      write_values(writer, given.values, node_.result_types);
    }
    writer.write(static_cast<std::uint8_t>(one.is_changed ? 1 : 0));
    writer.write(static_cast<std::uint8_t>(one.is_late ? 1 : 0));
    writer.write(static_cast<std::uint8_t>(one.bad ? 1 : 0));
    if (one.bad) writer.write_text(*one.bad);
  }
}

Result<void> SessionState::restore(StateReader& reader) {
  if (auto ok = reader.section("sessions", 2); !ok) return ok;
  if (reader.read<std::uint32_t>() != node_.key_types.size() ||
      reader.read<std::uint32_t>() != node_.accumulators.size()) {
    return fail(Errc::snapshot_mismatch, "the snapshot is of sessions with other columns");
  }
  watermark = reader.read<std::int64_t>();
  told_ms = reader.read<std::int64_t>();
  if (auto ok = on_time.restore(reader); !ok) return ok;
  if (auto ok = all.restore(reader); !ok) return ok;
  told.resize(all.id_end());
  for (SessionId id = 0; id < told.size(); ++id) {
    for (auto given = reader.read_count(2 * sizeof(std::int64_t)); given > 0; --given) {
      Span span{reader.read<std::int64_t>(), reader.read<std::int64_t>()};
      told[id].given.push_back({span, read_values(reader, node_.result_types)});
    }
    if (reader.read<std::uint8_t>() != 0) note_change(id);
    told[id].is_late = reader.read<std::uint8_t>() != 0;
    if (reader.read<std::uint8_t>() != 0) told[id].bad = reader.read_text();
  }
  return {};
}

std::size_t SessionState::bytes() const {
  std::size_t bytes = sizeof *this + on_time.bytes() + all.bytes();
  for (const auto& one : told) {
    bytes += sizeof one;
    for (const auto& given : one.given) {
      bytes += sizeof given + given.values.size() * sizeof(column::Value);
    }
  }
  return bytes;
}

}  // namespace leat::operators
