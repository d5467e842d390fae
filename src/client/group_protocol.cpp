#include "client/group_protocol.h"

#include <algorithm>

namespace leat::client {
namespace {

constexpr std::int16_t version = 0;
constexpr std::int32_t no_user_data = -1;

void write_text(ByteWriter& writer, const std::string& text) {
  writer.write(static_cast<std::int16_t>(text.size()));
  writer.write_bytes(as_bytes(text));
}

std::string read_text(ByteReader& reader) {
  auto size = reader.read<std::int16_t>();
  if (size < 0) reader.fail();
  return std::string(as_text(reader.read_bytes(size < 0 ? 0 : static_cast<std::size_t>(size))));
}

std::int32_t read_count(ByteReader& reader) {
  auto count = reader.read<std::int32_t>();
  if (count < 0) reader.fail();
  return count;
}

}  // namespace

Bytes encode_subscription(const Subscription& topics) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(version);
  writer.write(static_cast<std::int32_t>(topics.size()));
  for (const std::string& topic : topics) write_text(writer, topic);
  writer.write(no_user_data);
  return out;
}

Bytes encode_assignment(const TopicPartitions& partitions) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(version);
  writer.write(static_cast<std::int32_t>(partitions.size()));
  for (const auto& [topic, numbers] : partitions) {
    write_text(writer, topic);
    writer.write(static_cast<std::int32_t>(numbers.size()));
    for (std::int32_t number : numbers) writer.write(number);
  }
  writer.write(no_user_data);
  return out;
}

Result<Subscription> decode_subscription(BytesView bytes) {
  ByteReader reader(bytes);
  reader.read<std::int16_t>();
  std::int32_t count = read_count(reader);
  Subscription topics;
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) topics.push_back(read_text(reader));
  if (!reader.ok()) return fail(Errc::malformed, "a subscription that is cut short");
  return topics;
}

Result<TopicPartitions> decode_assignment(BytesView bytes) {
  TopicPartitions partitions;
  if (bytes.empty()) return partitions;
  ByteReader reader(bytes);
  reader.read<std::int16_t>();
  std::int32_t topics = read_count(reader);
  for (std::int32_t i = 0; i < topics && reader.ok(); ++i) {
    auto& numbers = partitions[read_text(reader)];
    std::int32_t count = read_count(reader);
    for (std::int32_t k = 0; k < count && reader.ok(); ++k) {
      numbers.push_back(reader.read<std::int32_t>());
    }
  }
  if (!reader.ok()) return fail(Errc::malformed, "an assignment that is cut short");
  return partitions;
}

std::map<std::string, TopicPartitions> assign_ranges(
    const std::map<std::string, Subscription>& members,
    const std::map<std::string, std::int32_t>& partition_counts) {
  std::map<std::string, TopicPartitions> assigned;
  for (const auto& [id, topics] : members) assigned[id];
  for (const auto& [topic, partitions] : partition_counts) {
    std::vector<std::string> takers;
    for (const auto& [id, topics] : members) {
      if (std::find(topics.begin(), topics.end(), topic) != topics.end()) takers.push_back(id);
    }
    if (takers.empty()) continue;
    auto count = static_cast<std::int32_t>(takers.size());
    std::int32_t next = 0;
    for (std::int32_t i = 0; i < count; ++i) {
      std::int32_t share = partitions / count + (i < partitions % count ? 1 : 0);
      for (std::int32_t k = 0; k < share; ++k) {
        assigned[takers[static_cast<std::size_t>(i)]][topic].push_back(next++);
      }
    }
  }
  return assigned;
}

}  // namespace leat::client
