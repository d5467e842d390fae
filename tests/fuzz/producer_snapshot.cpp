// A snapshot of a partition's producers: what is understood of it is what was written.
#include <algorithm>

#include <xxhash.h>

#include "base/assert.h"
#include "fuzz/targets.h"
#include "log/producer_snapshot.h"

namespace leat::fuzz {

void producer_snapshot(BytesView input) {
  Result<log::ProducerSnapshot> found = log::decode_producer_snapshot(input, 100);
  if (!found) {
    ASSERT(found.error().code == Errc::corrupt_message ||
           found.error().code == Errc::unsupported_format);
    return;
  }
  ASSERT(as_text(log::encode(*found)) == as_text(input));
}

void repair_producer_snapshot(Bytes& input) {
  constexpr std::size_t least = 64;
  input.resize(std::max(input.size(), least));
  std::size_t body = input.size() - sizeof(std::uint64_t);
  store_big_endian(input.data() + body, XXH3_64bits(input.data(), body));
}

std::vector<Bytes> producer_snapshot_seeds() {
  log::ProducerSnapshot snapshot;
  snapshot.offset = Offset{90};
  snapshot.leader_epoch = LeaderEpoch{2};
  snapshot.is_durable = true;
  log::Producer producer;
  producer.epoch = 3;
  producer.last_sequence = 11;
  producer.transaction = Offset{70};
  producer.batches[0] = {5, 11, Offset{70}, Offset{77}, 1234};
  producer.batch_count = 1;
  snapshot.table.restore(ProducerId{6}, producer);
  producer.transaction.reset();
  snapshot.table.restore(ProducerId{8}, producer);
  snapshot.aborted = {{ProducerId{8}, Offset{10}, Offset{20}, Offset{21}}};
  return {log::encode(snapshot)};
}

}  // namespace leat::fuzz
