#include "broker/own_topics.h"

#include <algorithm>

#include "base/assert.h"
#include "base/random.h"

namespace leat::broker {
namespace {

// Bytes 0 to 5 and 10 to 15 are the name's; those between are 0.
constexpr std::size_t name_bytes_max = 12;
constexpr std::size_t head_bytes = 6;
constexpr std::size_t tail_begin = 10;
constexpr std::string_view prefix = "leat-";
/// Behind the prefix, of ids that are drawn.
constexpr std::uint8_t drawn = '*';

}  // namespace

Uuid own_topic_id(std::string_view name) {
  ASSERT(name.starts_with(prefix) && name.size() > head_bytes && name.size() <= name_bytes_max);
  Uuid id;
  std::copy_n(name.begin(), head_bytes, id.bytes.begin());
  std::copy(name.begin() + head_bytes, name.end(), id.bytes.begin() + tail_begin);
  return id;
}

Uuid draw_own_topic_id(Random& random) {
  Uuid id = Uuid::random(random);
  std::copy(prefix.begin(), prefix.end(), id.bytes.begin());
  id.bytes[prefix.size()] = drawn;
  std::fill(id.bytes.begin() + head_bytes, id.bytes.begin() + tail_begin, std::uint8_t{0});
  return id;
}

bool is_own_topic_id(const Uuid& id) {
  auto is_zero = [](std::uint8_t byte) { return byte == 0; };
  return std::equal(prefix.begin(), prefix.end(), id.bytes.begin()) &&
         std::all_of(id.bytes.begin() + head_bytes, id.bytes.begin() + tail_begin, is_zero);
}

bool is_fixed_topic_id(const Uuid& id) {
  return is_own_topic_id(id) && id.bytes[prefix.size()] != drawn;
}

TopicPartition pipeline_partition() {
  return {own_topic_id("leat-deploys"), PartitionId{0}};
}

}  // namespace leat::broker
