#include "client/group_protocol.h"

#include <string_view>
#include <utility>

namespace leat::client {
namespace {

constexpr std::int16_t subscription_version = 3;
/// All versions are alike, and some libraries want this one.
constexpr std::int16_t assignment_version = 0;
constexpr std::int32_t null_bytes = -1;
constexpr std::int16_t null_text = -1;
constexpr std::string_view note_magic = "leat";
constexpr std::int8_t note_version = 1;

void write_text(ByteWriter& writer, const std::string& text) {
  writer.write(static_cast<std::int16_t>(text.size()));
  writer.write_bytes(as_bytes(text));
}

void write_bytes(ByteWriter& writer, const std::optional<Bytes>& bytes) {
  if (!bytes) return writer.write(null_bytes);
  writer.write(static_cast<std::int32_t>(bytes->size()));
  writer.write_bytes(*bytes);
}

void write_partitions(ByteWriter& writer, const TopicPartitions& partitions) {
  writer.write(static_cast<std::int32_t>(partitions.size()));
  for (const auto& [topic, numbers] : partitions) {
    write_text(writer, topic);
    writer.write(static_cast<std::int32_t>(numbers.size()));
    for (std::int32_t number : numbers) writer.write(number);
  }
}

std::optional<std::string> read_nullable_text(ByteReader& reader) {
  auto size = reader.read<std::int16_t>();
  if (size < 0) return std::nullopt;
  return std::string(as_text(reader.read_bytes(static_cast<std::size_t>(size))));
}

std::string read_text(ByteReader& reader) {
  std::optional<std::string> text = read_nullable_text(reader);
  if (!text) reader.fail();
  return text.value_or("");
}

std::optional<Bytes> read_nullable_bytes(ByteReader& reader) {
  auto size = reader.read<std::int32_t>();
  if (size < 0) return std::nullopt;
  BytesView bytes = reader.read_bytes(static_cast<std::size_t>(size));
  return Bytes(bytes.begin(), bytes.end());
}

std::int32_t read_count(ByteReader& reader) {
  auto count = reader.read<std::int32_t>();
  if (count < 0) reader.fail();
  return count;
}

/// A topic may come in several pieces.
TopicPartitions read_partitions(ByteReader& reader) {
  TopicPartitions partitions;
  std::int32_t topics = read_count(reader);
  for (std::int32_t i = 0; i < topics && reader.ok(); ++i) {
    auto& numbers = partitions[read_text(reader)];
    std::int32_t count = read_count(reader);
    for (std::int32_t k = 0; k < count && reader.ok(); ++k) {
      numbers.push_back(reader.read<std::int32_t>());
    }
  }
  return partitions;
}

}  // namespace

Bytes encode_subscription(const Subscription& subscription) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(subscription_version);
  writer.write(static_cast<std::int32_t>(subscription.topics.size()));
  for (const std::string& topic : subscription.topics) write_text(writer, topic);
  write_bytes(writer, subscription.user_data);
  write_partitions(writer, subscription.owned);
  writer.write(subscription.generation);
  if (subscription.rack) {
    write_text(writer, *subscription.rack);
  } else {
    writer.write(null_text);
  }
  return out;
}

Bytes encode_assignment(const TopicPartitions& partitions, const SharedOut& shared_out) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(assignment_version);
  write_partitions(writer, partitions);
  if (shared_out.empty()) {
    writer.write(null_bytes);
    return out;
  }
  Bytes note;
  ByteWriter noting(note);
  noting.write_bytes(as_bytes(note_magic));
  noting.write(note_version);
  noting.write(static_cast<std::int32_t>(shared_out.size()));
  for (const auto& [topic, count] : shared_out) {
    write_text(noting, topic);
    noting.write(count);
  }
  write_bytes(writer, note);
  return out;
}

Result<Subscription> decode_subscription(BytesView bytes) {
  ByteReader reader(bytes);
  auto version = reader.read<std::int16_t>();
  Subscription subscription;
  std::int32_t count = read_count(reader);
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) {
    subscription.topics.push_back(read_text(reader));
  }
  subscription.user_data = read_nullable_bytes(reader);
  if (version >= 1) subscription.owned = read_partitions(reader);
  if (version >= 2) subscription.generation = reader.read<std::int32_t>();
  if (version >= 3) subscription.rack = read_nullable_text(reader);
  if (!reader.ok() || version < 0) {
    return fail(Errc::malformed, "a subscription that is cut short");
  }
  return subscription;
}

Result<TopicPartitions> decode_assignment(BytesView bytes) {
  if (bytes.empty()) return TopicPartitions();
  ByteReader reader(bytes);
  reader.read<std::int16_t>();
  TopicPartitions partitions = read_partitions(reader);
  if (!reader.ok()) return fail(Errc::malformed, "an assignment that is cut short");
  return partitions;
}

std::optional<SharedOut> decode_shared_out(BytesView assignment) {
  if (assignment.empty()) return std::nullopt;
  ByteReader reader(assignment);
  reader.read<std::int16_t>();
  read_partitions(reader);
  auto note = read_nullable_bytes(reader);
  if (!reader.ok() || !note) return std::nullopt;
  ByteReader noted(*note);
  bool is_ours = as_text(noted.read_bytes(note_magic.size())) == note_magic &&
                 noted.read<std::int8_t>() == note_version;
  if (!noted.ok() || !is_ours) return std::nullopt;
  SharedOut shared_out;
  std::int32_t count = read_count(noted);
  for (std::int32_t i = 0; i < count && noted.ok(); ++i) {
    std::string topic = read_text(noted);
    shared_out[topic] = noted.read<std::int32_t>();
  }
  return noted.ok() ? std::optional(std::move(shared_out)) : std::nullopt;
}

Bytes encode_possession(const Possession& possession) {
  Bytes out;
  ByteWriter writer(out);
  write_partitions(writer, possession.partitions);
  writer.write(possession.generation);
  return out;
}

Result<Possession> decode_possession(BytesView bytes) {
  ByteReader reader(bytes);
  Possession possession;
  possession.partitions = read_partitions(reader);
  bool has_generation = reader.remaining() > 0;
  if (has_generation) possession.generation = reader.read<std::int32_t>();
  if (!reader.ok()) return fail(Errc::malformed, "the user data of sticky that is cut short");
  return possession;
}

}  // namespace leat::client
