// What to do about a segment whose sync failed: nobody knows what of it is on disk, and a second
// sync would say nothing. But the journal still tells what was appended.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "file/file.h"
#include "log/journal.h"
#include "log/layout.h"
#include "log/segment.h"
#include "log/state.h"

namespace leat::log {

/// Writes the bytes of `segment` below `end` that the frames in `span` appended once more, as
/// recovery would after a crash, and syncs them. Those that the journal does not hold itself are
/// taken from the page cache if they are whole. Blocks. An error: they may not be on disk.
Result<void> write_again(file::FileSystem& files, const Layout& layout, const JournalSpan& span,
                         const TopicPartition& id, const Segment& segment, std::uint64_t end);

}  // namespace leat::log
