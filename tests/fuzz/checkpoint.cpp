// A checkpoint file: what is understood of it says the same when it is written again, and one whole
// copy is enough.
#include <algorithm>

#include <xxhash.h>

#include "base/assert.h"
#include "fuzz/targets.h"
#include "log/checkpoint.h"

namespace leat::fuzz {
namespace {

bool same(const log::PartitionState& a, const log::PartitionState& b) {
  return a.id == b.id && a.leader_epoch == b.leader_epoch && a.start_offset == b.start_offset &&
         a.end_offset == b.end_offset && a.segments == b.segments && a.damage == b.damage &&
         std::equal(a.gaps.begin(), a.gaps.end(), b.gaps.begin(), b.gaps.end()) &&
         a.producers_from == b.producers_from;
}

bool same(const log::Checkpoint& a, const log::Checkpoint& b) {
  return a.head.salt == b.head.salt && a.head.sequence == b.head.sequence &&
         a.head.early_boot == b.head.early_boot && a.head.epoch_floor == b.head.epoch_floor &&
         std::equal(a.partitions.begin(), a.partitions.end(), b.partitions.begin(),
                    b.partitions.end(), [](const auto& x, const auto& y) { return same(x, y); });
}

}  // namespace

void checkpoint(BytesView input) {
  Result<log::Checkpoint> found = log::decode_checkpoint(input);
  if (!found) return;
  BytesView first = input.first(input.size() / 2);
  BytesView second = input.subspan(first.size());
  bool are_equal = std::equal(first.begin(), first.end(), second.begin(), second.end());
  ASSERT(found->flaw.empty() == are_equal);

  Bytes written = log::encode(*found);
  Result<log::Checkpoint> again = log::decode_checkpoint(written);
  ASSERT(again.has_value() && again->flaw.empty() && same(*found, *again));
  // Either copy alone gives the same.
  for (std::size_t at : {written.size() / 4, written.size() - written.size() / 4}) {
    Bytes broken = written;
    broken[at] ^= std::byte{1};
    Result<log::Checkpoint> rest = log::decode_checkpoint(broken);
    ASSERT(rest.has_value() && !rest->flaw.empty() && same(*found, *rest));
  }
}

void repair_checkpoint(Bytes& input) {
  constexpr std::size_t checksum_bytes = 8;
  std::size_t copy = input.size() / 2;
  if (copy < checksum_bytes) return;
  std::size_t body = copy - checksum_bytes;
  store_big_endian(input.data() + body, XXH3_64bits(input.data(), body));
  input.resize(2 * copy);
  std::copy_n(input.begin(), copy, input.begin() + static_cast<std::ptrdiff_t>(copy));
}

std::vector<Bytes> checkpoint_seeds() {
  log::Checkpoint empty;
  log::Checkpoint full{{1, 2, 3, LeaderEpoch{4}}, {}, {}};
  for (int i = 0; i < 3; ++i) {
    log::PartitionState state;
    state.id.topic_id.bytes[15] = static_cast<std::uint8_t>(i);
    state.leader_epoch = LeaderEpoch{i};
    state.start_offset = Offset{10 * i};
    state.end_offset = Offset{100};
    for (int j = 0; j < i; ++j) {
      state.segments.push_back({Offset{50 * j}, Offset{50 * j + 50}, 1000, 17, 18, 19, j == 0});
      state.damage.push_back({{Offset{50 * j}, Offset{50 * j + 5}}, Offset{50 * j}, 0, 100});
    }
    if (i == 2) state.gaps.push_back({Offset{1}, Offset{3}});
    full.partitions.push_back(std::move(state));
  }
  return {log::encode(empty), log::encode(full)};
}

}  // namespace leat::fuzz
