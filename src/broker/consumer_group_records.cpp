#include "broker/consumer_group_records.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace leat::broker {
namespace {

using Kind = ConsumerGroupKey::Kind;

constexpr std::array<std::pair<Kind, std::int16_t>, 5> kinds = {{{Kind::group, 3},
                                                                 {Kind::member, 5},
                                                                 {Kind::target_epoch, 6},
                                                                 {Kind::target, 7},
                                                                 {Kind::current, 8}}};
constexpr std::int16_t value_version = 0;
constexpr std::uint32_t topics_hash_tag = 0;

bool is_of_member(Kind kind) {
  return kind != Kind::group && kind != Kind::target_epoch;
}

class ValueWriter {
 public:
  explicit ValueWriter(Bytes& out) : writer_(out) { writer_.write(value_version); }

  template <class T>
  void write(T value) {
    writer_.write(value);
  }
  void write_count(std::size_t count) {
    writer_.write_uvarint(static_cast<std::uint32_t>(count) + 1);
  }
  void write_text(std::string_view text) {
    write_count(text.size());
    writer_.write_bytes(as_bytes(text));
  }
  void write_text(const std::optional<std::string>& text) {
    if (text) return write_text(std::string_view(*text));
    writer_.write_uvarint(0);
  }
  void write_partitions(const Assignment& assignment) {
    write_count(assignment.size());
    for (const auto& [topic, partitions] : assignment) {
      writer_.write_bytes(std::as_bytes(std::span(topic.bytes)));
      write_count(partitions.size());
      for (std::int32_t partition : partitions) writer_.write(partition);
      write_no_tags();
    }
  }
  void write_no_tags() { writer_.write_uvarint(0); }
  void write_tag(std::uint32_t tag, std::int64_t value) {
    writer_.write_uvarint(1);
    writer_.write_uvarint(tag);
    writer_.write_uvarint(sizeof value);
    writer_.write(value);
  }

 private:
  ByteWriter writer_;
};

class ValueReader {
 public:
  explicit ValueReader(BytesView bytes) : reader_(bytes), version_(reader_.read<std::int16_t>()) {
    if (version_ < 0) reader_.fail();
  }

  template <class T>
  T read() {
    return reader_.read<T>();
  }
  /// -1 for null.
  std::int64_t read_count() {
    std::int64_t count = std::int64_t{reader_.read_uvarint()} - 1;
    // Everything that is counted takes a byte at least.
    if (count > static_cast<std::int64_t>(reader_.remaining())) reader_.fail();
    return reader_.ok() ? count : -1;
  }
  std::optional<std::string> read_nullable() {
    std::int64_t size = read_count();
    if (size < 0) return std::nullopt;
    return std::string(as_text(reader_.read_bytes(static_cast<std::size_t>(size))));
  }
  std::string read_text() {
    auto text = read_nullable();
    if (!text) reader_.fail();
    return text.value_or("");
  }
  Assignment read_partitions() {
    Assignment assignment;
    std::int64_t topics = read_count();
    if (topics < 0) reader_.fail();
    for (std::int64_t i = 0; i < topics && reader_.ok(); ++i) {
      Uuid topic;
      BytesView id = reader_.read_bytes(topic.bytes.size());
      if (!reader_.ok()) break;
      std::copy(id.begin(), id.end(), std::as_writable_bytes(std::span(topic.bytes)).begin());
      std::int64_t count = read_count();
      if (count < 0) reader_.fail();
      for (std::int64_t p = 0; p < count && reader_.ok(); ++p) {
        assignment[topic].insert(reader_.read<std::int32_t>());
      }
      skip_tags();
    }
    return assignment;
  }
  void skip_tags() {
    read_tags([](std::uint32_t, BytesView) {});
  }
  template <class Use>
  void read_tags(Use use) {
    std::uint32_t count = reader_.read_uvarint();
    for (std::uint32_t i = 0; i < count && reader_.ok(); ++i) {
      std::uint32_t tag = reader_.read_uvarint();
      use(tag, reader_.read_bytes(reader_.read_uvarint()));
    }
  }
  void fail() { reader_.fail(); }

  /// `value`, if all was well.
  template <class T>
  Result<T> finish(T value, std::string_view what) const {
    if (version_ > value_version) {
      return leat::fail(
          Errc::unsupported_format,
          fmt::format("{} of version {}, which is newer than this program", what, version_));
    }
    if (!reader_.ok()) {
      return leat::fail(Errc::corrupt_message, fmt::format("{} that is cut short", what));
    }
    return value;
  }

 private:
  ByteReader reader_;
  std::int16_t version_;
};

void write_key_text(ByteWriter& writer, std::string_view text) {
  writer.write(static_cast<std::int16_t>(text.size()));
  writer.write_bytes(as_bytes(text));
}

std::string read_key_text(ByteReader& reader) {
  auto size = reader.read<std::int16_t>();
  if (size < 0) reader.fail();
  return std::string(as_text(reader.read_bytes(reader.ok() ? static_cast<std::size_t>(size) : 0)));
}

}  // namespace

Bytes encode(const ConsumerGroupKey& key) {
  Bytes out;
  ByteWriter writer(out);
  auto known = std::find_if(kinds.begin(), kinds.end(),
                            [&](const auto& entry) { return entry.first == key.kind; });
  writer.write(known->second);
  write_key_text(writer, key.group);
  if (is_of_member(key.kind)) write_key_text(writer, key.member);
  return out;
}

Bytes encode(const ConsumerGroupRecord& value) {
  Bytes out;
  ValueWriter writer(out);
  writer.write(value.epoch);
  if (value.topics_hash == 0) {
    writer.write_no_tags();
  } else {
    writer.write_tag(topics_hash_tag, value.topics_hash);
  }
  return out;
}

Bytes encode(const ConsumerMemberRecord& value) {
  Bytes out;
  ValueWriter writer(out);
  writer.write_text(value.instance_id);
  writer.write_text(value.rack_id);
  writer.write_text(std::string_view(value.client_id));
  writer.write_text(std::string_view(value.client_host));
  writer.write_count(value.topics.size());
  for (const std::string& topic : value.topics) writer.write_text(std::string_view(topic));
  writer.write_text(value.topic_regex);
  writer.write(value.rebalance_timeout_ms);
  writer.write_text(value.assignor);
  writer.write_no_tags();
  return out;
}

Bytes encode_target_epoch(std::int32_t epoch) {
  Bytes out;
  ValueWriter writer(out);
  writer.write(epoch);
  writer.write_no_tags();
  return out;
}

Bytes encode(const Assignment& target) {
  Bytes out;
  ValueWriter writer(out);
  writer.write_partitions(target);
  writer.write_no_tags();
  return out;
}

Bytes encode(const CurrentAssignment& value) {
  Bytes out;
  ValueWriter writer(out);
  writer.write(value.epoch);
  writer.write(value.previous_epoch);
  writer.write(static_cast<std::int8_t>(value.state));
  writer.write_partitions(value.assigned);
  writer.write_partitions(value.revoking);
  writer.write_no_tags();
  return out;
}

Result<std::optional<ConsumerGroupKey>> decode_consumer_group_key(BytesView bytes) {
  ByteReader reader(bytes);
  auto number = reader.read<std::int16_t>();
  auto known = std::find_if(kinds.begin(), kinds.end(),
                            [&](const auto& entry) { return entry.second == number; });
  if (known == kinds.end()) return std::optional<ConsumerGroupKey>();
  ConsumerGroupKey key;
  key.kind = known->first;
  key.group = read_key_text(reader);
  if (is_of_member(key.kind)) key.member = read_key_text(reader);
  if (!reader.ok()) return fail(Errc::corrupt_message, "a key that is cut short");
  return std::optional(std::move(key));
}

Result<ConsumerGroupRecord> decode_consumer_group_record(BytesView bytes) {
  ValueReader reader(bytes);
  ConsumerGroupRecord value;
  value.epoch = reader.read<std::int32_t>();
  reader.read_tags([&](std::uint32_t tag, BytesView field) {
    if (tag != topics_hash_tag) return;
    if (field.size() != sizeof value.topics_hash) return reader.fail();
    value.topics_hash = load_big_endian<std::int64_t>(field.data());
  });
  return reader.finish(value, "a consumer group");
}

Result<ConsumerMemberRecord> decode_consumer_member_record(BytesView bytes) {
  ValueReader reader(bytes);
  ConsumerMemberRecord value;
  value.instance_id = reader.read_nullable();
  value.rack_id = reader.read_nullable();
  value.client_id = reader.read_text();
  value.client_host = reader.read_text();
  std::int64_t count = reader.read_count();
  if (count < 0) reader.fail();
  for (std::int64_t i = 0; i < count; ++i) value.topics.insert(reader.read_text());
  value.topic_regex = reader.read_nullable();
  value.rebalance_timeout_ms = reader.read<std::int32_t>();
  value.assignor = reader.read_nullable();
  reader.skip_tags();
  return reader.finish(std::move(value), "a member of a consumer group");
}

Result<std::int32_t> decode_target_epoch(BytesView bytes) {
  ValueReader reader(bytes);
  auto epoch = reader.read<std::int32_t>();
  reader.skip_tags();
  return reader.finish(epoch, "the epoch of a target");
}

Result<Assignment> decode_target(BytesView bytes) {
  ValueReader reader(bytes);
  Assignment target = reader.read_partitions();
  reader.skip_tags();
  return reader.finish(std::move(target), "the target of a member");
}

Result<CurrentAssignment> decode_current_assignment(BytesView bytes) {
  ValueReader reader(bytes);
  CurrentAssignment value;
  value.epoch = reader.read<std::int32_t>();
  value.previous_epoch = reader.read<std::int32_t>();
  auto state = reader.read<std::int8_t>();
  if (state < 0 || state > 2) reader.fail();
  value.state = static_cast<ReconcileState>(state);
  value.assigned = reader.read_partitions();
  value.revoking = reader.read_partitions();
  reader.skip_tags();
  return reader.finish(std::move(value), "the assignment of a member");
}

Result<void> StoredConsumerGroup::apply(const ConsumerGroupKey& key,
                                        std::optional<BytesView> value) {
  // Takes in what `decode` makes of the value, or what stands for none.
  auto take = [&](auto& to, auto decode) -> Result<void> {
    to = {};
    if (!value) return {};
    auto decoded = decode(*value);
    if (!decoded) return fail(decoded);
    to = std::move(*decoded);
    return {};
  };
  if (key.kind == Kind::group) return take(group, decode_consumer_group_record);
  if (key.kind == Kind::target_epoch) return take(target_epoch, decode_target_epoch);
  Member& member = members[key.member];
  Result<void> taken;
  if (key.kind == Kind::member) taken = take(member.about, decode_consumer_member_record);
  if (key.kind == Kind::target) taken = take(member.target, decode_target);
  if (key.kind == Kind::current) taken = take(member.current, decode_current_assignment);
  bool is_gone = !member.about && member.target.empty() && member.current == CurrentAssignment{};
  if (is_gone) members.erase(key.member);
  return taken;
}

}  // namespace leat::broker
