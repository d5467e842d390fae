#include "log/batch_hash.h"

#include <xxhash.h>

#include "log/seal.h"

namespace leat::log {

void BatchHash::add(const BatchHead& head) {
  ByteWriter out(bytes_);
  out.write(head.base_offset.value());
  out.write(head.bytes);
  out.write(head.crc);
}

std::uint64_t BatchHash::digest() const {
  return XXH3_64bits(bytes_.data(), bytes_.size());
}

Result<bool> holds_batches(const file::File& file, const DataEntry& entry) {
  if (entry.hashes_bytes) {
    Result<std::uint64_t> found = hash_file(file, entry.position, entry.bytes);
    if (!found && found.error().code != Errc::corrupt_message) return fail(found);
    return found && *found == entry.hash;
  }
  BatchHash hash;
  BatchScanner scanner(file, {entry.base_offset, entry.position}, entry.position + entry.bytes,
                       BatchScanner::Check::crc);
  while (true) {
    Result<std::optional<ScannedBatch>> batch = scanner.next();
    if (!batch) return fail(batch);
    if (!*batch) break;
    if ((*batch)->head.leader_epoch != entry.leader_epoch) return false;
    hash.add((*batch)->head);
  }
  Place end{entry.next_offset, entry.position + entry.bytes};
  return scanner.place() == end && hash.digest() == entry.hash;
}

}  // namespace leat::log
