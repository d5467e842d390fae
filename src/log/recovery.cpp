#include "log/recovery.h"

#include <xxhash.h>

#include "base/logging.h"
#include "log/checkpoint.h"
#include "log/journal.h"

namespace leat::log {

Result<Recovered> recover(file::FileSystem& files, const Clock& clock, const Layout& layout) {
  Recovered recovered;
  Result<Bytes> bytes = file::read_file(files, layout.checkpoint());
  if (bytes) {
    Result<Checkpoint> checkpoint = decode_checkpoint(*bytes);
    if (!checkpoint) return fail(checkpoint);
    recovered.salt = checkpoint->salt;
    recovered.sequence = checkpoint->sequence;
    recovered.partitions = std::move(checkpoint->partitions);
  } else {
    recovered.salt = static_cast<std::uint64_t>(clock.monotonic().count());
  }
  return recovered;
}

}  // namespace leat::log
