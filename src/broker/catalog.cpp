#include "broker/catalog.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "broker/own_topics.h"
#include "record/batch.h"
#include "record/builder.h"
#include "record/record.h"

namespace leat::broker {
namespace {

constexpr std::uint8_t value_version = 1;
enum class Kind : std::uint8_t { topic = 1, cluster = 2, producer_ids = 3 };

/// Bytes read at once when the catalog is replayed.
constexpr std::uint64_t replay_read_bytes = 1 << 20;

BytesView key_bytes(const Uuid& id) {
  return std::as_bytes(std::span(id.bytes));
}

std::optional<Uuid> read_uuid(BytesView bytes) {
  if (bytes.size() != 16) return std::nullopt;
  Uuid id;
  std::memcpy(id.bytes.data(), bytes.data(), 16);
  return id;
}

void write_text16(ByteWriter& writer, std::string_view text) {
  writer.write(static_cast<std::int16_t>(text.size()));
  writer.write_bytes(as_bytes(text));
}

std::string read_text(ByteReader& reader, std::int64_t size) {
  if (size < 0) reader.fail();
  return std::string(as_text(reader.read_bytes(static_cast<std::size_t>(size))));
}

Bytes encode(const TopicInfo& topic) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(value_version);
  writer.write(static_cast<std::uint8_t>(Kind::topic));
  write_text16(writer, topic.name);
  writer.write(topic.partitions);
  writer.write(topic.created_ms);
  writer.write(static_cast<std::int32_t>(topic.configs.size()));
  for (const auto& [name, value] : topic.configs) {
    write_text16(writer, name);
    writer.write(static_cast<std::int32_t>(value.size()));
    writer.write_bytes(as_bytes(value));
  }
  return out;
}

Bytes encode_cluster(const Uuid& id) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(value_version);
  writer.write(static_cast<std::uint8_t>(Kind::cluster));
  writer.write_bytes(key_bytes(id));
  return out;
}

/// The key of what is known of producer ids: no random id is like it.
Uuid producer_ids_key() {
  Uuid key;
  key.bytes.back() = 1;
  return key;
}

Bytes encode_producer_ids(ProducerId end) {
  Bytes out;
  ByteWriter writer(out);
  writer.write(value_version);
  writer.write(static_cast<std::uint8_t>(Kind::producer_ids));
  writer.write(end.value());
  return out;
}

TopicInfo decode_topic(const Uuid& id, ByteReader& reader) {
  TopicInfo topic;
  topic.id = id;
  topic.name = read_text(reader, reader.read<std::int16_t>());
  topic.partitions = reader.read<std::int32_t>();
  topic.created_ms = reader.read<std::int64_t>();
  auto count = reader.read<std::int32_t>();
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) {
    std::string name = read_text(reader, reader.read<std::int16_t>());
    topic.configs[name] = read_text(reader, reader.read<std::int32_t>());
  }
  return topic;
}

}  // namespace

TopicPartition catalog_partition() {
  return {own_topic_id("leat-catalog"), PartitionId{0}};
}

Result<std::unique_ptr<Catalog>> Catalog::open(log::Log& log, const Clock& clock,
                                               Executor& executor) {
  std::unique_ptr<Catalog> catalog(new Catalog(log, clock, executor));
  if (auto replayed = catalog->replay(); !replayed) {
    return fail(replayed.error().code,
                fmt::format("the catalog of topics cannot be read: {}", replayed.error().what));
  }
  return catalog;
}

Result<void> Catalog::replay() {
  std::shared_ptr<const log::LogView> view = log_.view();
  Offset next = view->start_offset;
  while (next < view->high_watermark) {
    auto slice = view->read(next, replay_read_bytes);
    if (!slice) return fail(slice);
    Bytes bytes(slice->bytes);
    auto size = slice->file->read_at(slice->position, bytes);
    if (!size) return fail(size);
    BytesView rest(bytes.data(), *size);
    while (!rest.empty()) {
      auto batch = record::BatchView::parse(rest);
      if (!batch) return fail(batch);
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        if (!record->key) return fail(Errc::corrupt_message, "a record without a key");
        if (auto applied = apply(*record->key, record->value); !applied) return applied;
      }
      if (const Error* error = records.error()) return fail(error->code, error->what);
      rest = rest.subspan(batch->size_bytes());
    }
    next = slice->next_offset;
  }
  return {};
}

Result<void> Catalog::apply(BytesView key, std::optional<BytesView> value) {
  auto id = read_uuid(key);
  if (!id) return fail(Errc::corrupt_message, "a key that is not a topic id");
  if (auto known = names_.find(*id); known != names_.end()) {
    topics_.erase(known->second);
    names_.erase(known);
  }
  if (!value) return {};
  ByteReader reader(*value);
  auto version = reader.read<std::uint8_t>();
  auto kind = static_cast<Kind>(reader.read<std::uint8_t>());
  if (version != value_version) {
    return fail(Errc::unsupported_format,
                fmt::format("a record of version {}, written by a newer leat", version));
  }
  if (kind == Kind::topic) {
    TopicInfo topic = decode_topic(*id, reader);
    if (!reader.ok()) return fail(Errc::corrupt_message, "a topic's record that is cut short");
    // A value that an older version took and this one does not must not keep the server down.
    if (auto checked = check_topic_configs(topic.configs); !checked) {
      log_warning("topic '{}': {}; the defaults are used", topic.name, checked.error().what);
      topic.configs.clear();
    }
    names_[*id] = topic.name;
    topics_[topic.name] = std::move(topic);
  } else if (kind == Kind::cluster) {
    auto cluster_id = read_uuid(reader.read_bytes(16));
    if (!cluster_id) return fail(Errc::corrupt_message, "a cluster's record that is cut short");
    cluster_id_ = *cluster_id;
  } else if (kind == Kind::producer_ids) {
    auto end = reader.read<std::int64_t>();
    if (!reader.ok()) return fail(Errc::corrupt_message, "a record of producer ids is cut short");
    producer_ids_end_ = std::max(producer_ids_end_, ProducerId{end});
  }
  return {};
}

void Catalog::set_cluster_id(const Uuid& id, Done done) {
  cluster_id_ = id;
  write(Uuid{}, encode_cluster(id), std::move(done));
}

void Catalog::reserve_producer_ids(ProducerId end, Done done) {
  write(producer_ids_key(), encode_producer_ids(end),
        [this, end, done = std::move(done)](Result<void> written) mutable {
          if (written) producer_ids_end_ = std::max(producer_ids_end_, end);
          done(std::move(written));
        });
}

const TopicInfo* Catalog::find(std::string_view name) const {
  auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : &found->second;
}

const TopicInfo* Catalog::find(const Uuid& id) const {
  auto found = names_.find(id);
  return found == names_.end() ? nullptr : find(found->second);
}

void Catalog::put(TopicInfo topic, Done done) {
  Uuid id = topic.id;
  change(id, std::move(topic), std::move(done));
}

void Catalog::remove(Uuid id, Done done) {
  ASSERT(names_.contains(id));
  change(id, std::nullopt, std::move(done));
}

void Catalog::change(const Uuid& id, std::optional<TopicInfo> topic, Done done) {
  auto [entry, is_first] = unsettled_.try_emplace(id);
  ++entry->second.writes;
  if (const TopicInfo* known = find(id); is_first && known != nullptr) {
    entry->second.durable = *known;
  }
  show(id, topic);
  std::optional<Bytes> value;
  if (topic) value = encode(*topic);
  write(id, std::move(value),
        [this, id, topic = std::move(topic), done = std::move(done)](Result<void> written) mutable {
          settle(id, topic, written.has_value());
          done(std::move(written));
        });
}

/// When a write fails, all behind it do. So the topic goes back to what is durable, whatever the
/// order in which the failures are told.
void Catalog::settle(const Uuid& id, const std::optional<TopicInfo>& topic, bool is_written) {
  auto entry = unsettled_.find(id);
  ASSERT(entry != unsettled_.end());
  if (is_written) {
    entry->second.durable = topic;
  } else {
    show(id, entry->second.durable);
  }
  if (--entry->second.writes == 0) unsettled_.erase(entry);
}

void Catalog::show(const Uuid& id, const std::optional<TopicInfo>& topic) {
  if (auto known = names_.find(id); known != names_.end()) {
    // In place, because others hold pointers to it until it is removed.
    if (topic) {
      topics_[known->second] = *topic;
      return;
    }
    topics_.erase(known->second);
    names_.erase(known);
  }
  // A topic made meanwhile under the same name keeps it.
  if (!topic || topics_.contains(topic->name)) return;
  names_[id] = topic->name;
  topics_[topic->name] = *topic;
}

void Catalog::write(const Uuid& key, std::optional<Bytes> value, Done done) {
  record::BatchBuilder builder;
  std::int64_t now_ms = clock_.wall_ms();
  builder.append(now_ms, key_bytes(key), value ? std::optional<BytesView>(*value) : std::nullopt);
  auto bytes = std::make_shared<Bytes>(builder.build());
  // Shared between the two ways in which an append can fail.
  auto shared_done = std::make_shared<Done>(std::move(done));
  auto appended =
      log_.append({bytes, MutableBytes(*bytes), 1, now_ms}, [shared_done](Result<Offset> result) {
        if (!result) return (*shared_done)(fail(result));
        (*shared_done)({});
      });
  if (appended) return;
  executor_.post(
      [shared_done, error = appended.error()] { (*shared_done)(tl::unexpected(error)); });
}

}  // namespace leat::broker
