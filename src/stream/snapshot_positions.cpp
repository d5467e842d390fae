#include "stream/snapshot_positions.h"

#include <cstdint>

#include "base/state.h"
#include "operators/watermark.h"

namespace leat::stream {

// What comes first of what Task::snapshot() and TaskInputs::snapshot() write.
Result<std::vector<Offset>> positions_in(BytesView snapshot) {
  auto reader = StateReader::open(snapshot);
  if (!reader) return fail(reader);
  if (auto ok = reader->section("task", 5); !ok) return fail(ok);
  reader->read_text();
  reader->read<operators::Watermark>();
  constexpr std::size_t bytes_each = 4 + 4 + 8 + 8 + 1;
  auto partitions = reader->read_count(bytes_each);
  std::vector<Offset> positions;
  for (std::uint32_t i = 0; i < partitions; ++i) {
    reader->read<std::uint32_t>();
    reader->read<std::int32_t>();
    positions.emplace_back(reader->read<std::int64_t>());
    reader->read<operators::Watermark>();
    reader->read<std::uint8_t>();
  }
  if (!reader->ok()) return fail(Errc::corrupt_message, "the snapshot ends in its partitions");
  return positions;
}

}  // namespace leat::stream
