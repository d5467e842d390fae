#include "broker/group_records.h"

#include <string_view>

#include <fmt/core.h>

namespace leat::broker {
namespace {

constexpr std::int16_t offset_key_version = 1;
constexpr std::int16_t group_key_version = 2;
constexpr std::int16_t value_version = 3;
constexpr std::int16_t expiring_offset_version = 1;
constexpr std::int16_t flexible_version = 4;

void write_text(ByteWriter& writer, std::string_view text) {
  writer.write(static_cast<std::int16_t>(text.size()));
  writer.write_bytes(as_bytes(text));
}

void write_text(ByteWriter& writer, const std::optional<std::string>& text) {
  if (text) return write_text(writer, std::string_view(*text));
  writer.write(std::int16_t{-1});
}

void write_blob(ByteWriter& writer, BytesView bytes) {
  writer.write(static_cast<std::int32_t>(bytes.size()));
  writer.write_bytes(bytes);
}

/// Reads the fields of a value of either kind, compact or not.
class FieldReader {
 public:
  explicit FieldReader(BytesView bytes) : reader_(bytes), version_(reader_.read<std::int16_t>()) {
    if (version_ < 0) reader_.fail();
  }

  std::int16_t version() const { return version_; }
  bool ok() const { return reader_.ok(); }
  template <class T>
  T read() {
    return reader_.read<T>();
  }
  std::optional<std::string> read_nullable() {
    std::int64_t size = is_flexible() ? compact_size() : reader_.read<std::int16_t>();
    if (size == -1) return std::nullopt;
    // What a compact length allows, the form that we write could not say.
    if (size > INT16_MAX) reader_.fail();
    return std::string(as_text(read_sized(size)));
  }
  std::string read_text() {
    auto text = read_nullable();
    if (!text) reader_.fail();
    return text.value_or("");
  }
  Bytes read_blob() {
    BytesView bytes = read_sized(read_count());
    return Bytes(bytes.begin(), bytes.end());
  }
  std::int64_t read_count() {
    std::int64_t count = is_flexible() ? compact_size() : reader_.read<std::int32_t>();
    if (count < 0) reader_.fail();
    return count;
  }
  /// Behind each struct of a flexible version; we know none of them.
  void skip_tags() {
    if (!is_flexible()) return;
    std::uint32_t count = reader_.read_uvarint();
    for (std::uint32_t i = 0; i < count && reader_.ok(); ++i) {
      reader_.read_uvarint();
      reader_.read_bytes(reader_.read_uvarint());
    }
  }

 private:
  bool is_flexible() const { return version_ >= flexible_version; }
  std::int64_t compact_size() { return std::int64_t{reader_.read_uvarint()} - 1; }
  BytesView read_sized(std::int64_t size) {
    if (size < 0) reader_.fail();
    return reader_.read_bytes(reader_.ok() ? static_cast<std::size_t>(size) : 0);
  }

  ByteReader reader_;
  std::int16_t version_;
};

Error cut_short(std::string_view what) {
  return {Errc::corrupt_message, fmt::format("{} that is cut short", what)};
}

Result<void> check_version(const FieldReader& reader, std::string_view what) {
  if (reader.version() <= flexible_version) return {};
  return fail(
      Errc::unsupported_format,
      fmt::format("{} of version {}, which is newer than this program", what, reader.version()));
}

MemberRecord read_member(FieldReader& reader) {
  MemberRecord member;
  member.member_id = reader.read_text();
  if (reader.version() >= 3) member.instance_id = reader.read_nullable();
  member.client_id = reader.read_text();
  member.client_host = reader.read_text();
  if (reader.version() >= 1) member.rebalance_timeout_ms = reader.read<std::int32_t>();
  member.session_timeout_ms = reader.read<std::int32_t>();
  // Until they were told apart, the one was also the other.
  if (reader.version() < 1) member.rebalance_timeout_ms = member.session_timeout_ms;
  member.subscription = reader.read_blob();
  member.assignment = reader.read_blob();
  reader.skip_tags();
  return member;
}

}  // namespace

Bytes encode(const OffsetKey& key) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(offset_key_version);
  write_text(writer, std::string_view(key.group));
  write_text(writer, std::string_view(key.topic));
  writer.write(key.partition);
  return out;
}

Bytes encode(const GroupKey& key) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(group_key_version);
  write_text(writer, std::string_view(key.group));
  return out;
}

Bytes encode(const OffsetRecord& value) {
  Bytes out;
  ByteWriter writer(out);
  bool expires = value.expire_ms >= 0;
  writer.write(expires ? expiring_offset_version : value_version);
  writer.write(value.offset);
  if (!expires) writer.write(value.leader_epoch);
  write_text(writer, std::string_view(value.metadata));
  writer.write(value.commit_ms);
  if (expires) writer.write(value.expire_ms);
  return out;
}

Bytes encode(const GroupRecord& value) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(value_version);
  write_text(writer, std::string_view(value.protocol_type));
  writer.write(value.generation);
  write_text(writer, value.protocol);
  write_text(writer, value.leader);
  writer.write(value.state_ms);
  writer.write(static_cast<std::int32_t>(value.members.size()));
  for (const MemberRecord& member : value.members) {
    write_text(writer, std::string_view(member.member_id));
    write_text(writer, member.instance_id);
    write_text(writer, std::string_view(member.client_id));
    write_text(writer, std::string_view(member.client_host));
    writer.write(member.rebalance_timeout_ms);
    writer.write(member.session_timeout_ms);
    write_blob(writer, member.subscription);
    write_blob(writer, member.assignment);
  }
  return out;
}

Result<GroupRecordKey> decode_group_key(BytesView bytes) {
  FieldReader reader(bytes);
  GroupRecordKey key;
  // Keys are never flexible, and each version of them is a kind of its own.
  if (reader.version() == group_key_version) {
    key = GroupKey{reader.read_text()};
  } else if (reader.version() == 0 || reader.version() == offset_key_version) {
    OffsetKey offset;
    offset.group = reader.read_text();
    offset.topic = reader.read_text();
    offset.partition = reader.read<std::int32_t>();
    key = std::move(offset);
  } else {
    auto of_consumers = decode_consumer_group_key(bytes);
    if (!of_consumers) return fail(of_consumers);
    if (*of_consumers) key = std::move(**of_consumers);
  }
  if (!reader.ok()) return tl::unexpected(cut_short("a key"));
  return key;
}

Result<OffsetRecord> decode_offset_record(BytesView bytes) {
  FieldReader reader(bytes);
  if (auto checked = check_version(reader, "a committed offset"); !checked) return fail(checked);
  OffsetRecord value;
  value.offset = reader.read<std::int64_t>();
  if (reader.version() >= 3) value.leader_epoch = reader.read<std::int32_t>();
  value.metadata = reader.read_text();
  value.commit_ms = reader.read<std::int64_t>();
  if (reader.version() == 1) value.expire_ms = reader.read<std::int64_t>();
  reader.skip_tags();
  if (!reader.ok()) return tl::unexpected(cut_short("a committed offset"));
  return value;
}

Result<GroupRecord> decode_group_record(BytesView bytes) {
  FieldReader reader(bytes);
  if (auto checked = check_version(reader, "a group"); !checked) return fail(checked);
  GroupRecord value;
  value.protocol_type = reader.read_text();
  value.generation = reader.read<std::int32_t>();
  value.protocol = reader.read_nullable();
  value.leader = reader.read_nullable();
  if (reader.version() >= 2) value.state_ms = reader.read<std::int64_t>();
  std::int64_t count = reader.read_count();
  for (std::int64_t i = 0; i < count && reader.ok(); ++i) {
    value.members.push_back(read_member(reader));
  }
  reader.skip_tags();
  if (!reader.ok()) return tl::unexpected(cut_short("a group"));
  return value;
}

std::optional<std::vector<std::string>> decode_subscribed_topics(BytesView subscription) {
  ByteReader reader(subscription);
  auto version = reader.read<std::int16_t>();
  auto count = reader.read<std::int32_t>();
  if (version < 0 || count < 0) return std::nullopt;
  std::vector<std::string> topics;
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) {
    auto size = reader.read<std::int16_t>();
    if (size < 0) return std::nullopt;
    topics.emplace_back(as_text(reader.read_bytes(static_cast<std::size_t>(size))));
  }
  if (!reader.ok()) return std::nullopt;
  return topics;
}

}  // namespace leat::broker
