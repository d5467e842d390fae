#include "broker/groups_reader.h"

#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "base/logging.h"
#include "broker/broker.h"
#include "broker/topic_name.h"
#include "record/record.h"

namespace leat::broker {
namespace {

/// So much is read and then applied in one turn.
constexpr std::uint64_t read_bytes = 256 << 10;
/// So long after the disk would not say what is known of producers, it is asked again.
constexpr std::chrono::milliseconds ask_retry_time{1000};

/// What the marker of a transaction says: version:i16 type:i16, 1 for a commit.
Result<bool> is_commit_marker(const record::Record& record) {
  ByteReader reader(record.key.value_or(BytesView{}));
  reader.read<std::int16_t>();
  auto type = reader.read<std::int16_t>();
  if (!reader.ok()) return fail(Errc::corrupt_message, "a marker that is cut short");
  return type == 1;
}

}  // namespace

GroupsReader::GroupsReader(Groups& groups, std::shared_ptr<const log::LogView> view)
    : groups_(groups), alive_(groups.alive_), view_(std::move(view)), next_(view_->start_offset) {}

void GroupsReader::read_next() {
  if (next_ >= view_->high_watermark) return groups_.finish_load(std::nullopt);
  auto self = shared_from_this();
  Broker& broker = groups_.broker_;
  broker.files().offload([self] { self->outcome_ = self->read(); }, broker.executor(),
                         [self] {
                           if (self->alive_.expired()) return;
                           if (self->outcome_) self->outcome_ = self->apply_batches();
                           if (!self->outcome_)
                             return self->groups_.finish_load(self->outcome_.error());
                           self->read_next();
                         });
}

Result<void> GroupsReader::read() {
  auto slice = view_->read(next_, read_bytes);
  if (!slice) return fail(slice);
  bytes_.resize(slice->bytes);
  auto size = slice->file->read_at(slice->position, bytes_);
  if (!size) return fail(size);
  bytes_.resize(*size);
  next_ = slice->next_offset;
  return {};
}

Result<void> GroupsReader::apply_batches() {
  BytesView rest = bytes_;
  while (!rest.empty()) {
    auto batch = record::BatchView::parse(rest);
    if (!batch) return fail(batch);
    if (auto applied = apply(*batch); !applied) return applied;
    rest = rest.subspan(batch->size_bytes());
  }
  return {};
}

Result<void> GroupsReader::apply(const record::BatchView& batch) {
  std::optional<ProducerId> producer;
  if (batch.is_transactional() && !batch.is_control()) producer = batch.producer_id();
  record::RecordIterator records(batch);
  while (const record::Record* record = records.next()) {
    if (batch.is_control()) {
      auto is_committed = is_commit_marker(*record);
      if (!is_committed) return fail(is_committed);
      groups_.end_transaction(batch.producer_id(), *is_committed, record->offset);
      continue;
    }
    if (!record->key) return fail(Errc::corrupt_message, "a record without a key");
    auto key = decode_group_key(*record->key);
    if (!key) return fail(key);
    if (const auto* group = std::get_if<GroupKey>(&*key)) {
      std::optional<GroupRecord> value;
      if (record->value) {
        auto decoded = decode_group_record(*record->value);
        if (!decoded) return fail(decoded);
        value = std::move(*decoded);
      }
      groups_.apply(*group, value);
    } else if (const auto* offset = std::get_if<OffsetKey>(&*key)) {
      std::optional<OffsetRecord> value;
      if (record->value) {
        auto decoded = decode_offset_record(*record->value);
        if (!decoded) return fail(decoded);
        value = std::move(*decoded);
      }
      groups_.apply(*offset, std::move(value), record->offset, producer);
    } else if (const auto* of_consumers = std::get_if<ConsumerGroupKey>(&*key)) {
      auto applied = groups_.apply(*of_consumers, record->value, record->timestamp_ms);
      if (!applied) return applied;
    }
  }
  if (const Error* error = records.error()) return fail(error->code, error->what);
  return {};
}

void Groups::load() {
  schedule_expiry();
  auto partition = broker_.find_partition(group_partition().topic_id, PartitionId{0});
  if (!partition || partition->view()->high_watermark == partition->view()->start_offset) {
    is_ready_ = true;
    return;
  }
  topics_at_load_ = broker_.topics();
  std::make_shared<GroupsReader>(*this, partition->view())->start();
}

void Groups::apply(const GroupKey& key, const std::optional<GroupRecord>& value) {
  Entry& entry = find_or_make(key.group);
  entry.group = value ? Group(key.group, options_, *value, now()) : Group(key.group, options_);
  entry.state_ms = value ? value->state_ms : -1;
  // Of the two kinds of groups under one name the later one is the truth.
  if (value) stored_.erase(key.group);
}

Result<void> Groups::apply(const ConsumerGroupKey& key, std::optional<BytesView> value,
                           std::int64_t written_ms) {
  if (!value && !stored_.contains(key.group)) return {};
  StoredConsumerGroup& stored = stored_[key.group];
  if (auto applied = stored.apply(key, value); !applied) return applied;
  if (!stored.group && stored.members.empty()) {
    stored_.erase(key.group);
    return {};
  }
  Entry& entry = find_or_make(key.group);
  if (!entry.group.is_blank()) entry.group = Group(key.group, options_);
  entry.state_ms = written_ms;
  return {};
}

void Groups::apply(const OffsetKey& key, std::optional<OffsetRecord> value, Offset log_offset,
                   std::optional<ProducerId> producer) {
  Entry& entry = find_or_make(key.group);
  if (!value) return forget(entry, {key.topic, key.partition});
  if (!producer) {
    return entry.offsets.set(key.topic, key.partition, std::move(*value), log_offset);
  }
  ++entry.offsets.at(key.topic, key.partition).undecided;
  undecided_[*producer].push_back(
      {key.group, key.topic, key.partition, std::move(*value), log_offset});
}

void Groups::finish_load(const std::optional<Error>& error) {
  is_ready_ = true;
  if (error) {
    // Going on without would set consumers back, or make them skip, in silence.
    load_error_ = GroupError::coordinator_not_available;
    log_error("groups are not available, because {} cannot be read: {}; leat fsck says more",
              group_topic, error->what);
  }
  // A topic's offsets are forgotten when it is deleted, which a crash may have prevented.
  std::vector<std::pair<std::string, std::vector<GroupPartition>>> orphans;
  for (const auto& [id, entry] : groups_) {
    std::vector<GroupPartition> partitions;
    for (const auto& [topic, of_topic] : entry.offsets.topics()) {
      if (topics_at_load_->find(topic)) continue;
      for (const auto& [partition, committed] : of_topic) partitions.push_back({topic, partition});
    }
    if (!partitions.empty()) orphans.emplace_back(id, std::move(partitions));
  }
  topics_at_load_.reset();
  if (!error) {
    for (auto& [id, partitions] : orphans) {
      write_tombstones(id, std::move(partitions), false, [](GroupError) {});
    }
  }
  for (auto& [id, stored] : std::exchange(stored_, {})) {
    find_or_make(id).consumers =
        std::make_shared<ConsumerGroup>(id, options_, std::move(stored), now());
  }
  for (auto at = groups_.begin(); at != groups_.end();) {
    Entry& entry = (at++)->second;
    entry.group.restart_sessions(now());
    if (load_error_ == GroupError::none) settle(entry);
  }
  ask_who_ends();
  for (auto& work : std::exchange(waiting_, {})) work(load_error_);
}

/// Who fetches offsets waits until they are decided, and nobody else may ask.
void Groups::ask_who_ends() {
  auto partition = broker_.find_partition(group_partition().topic_id, PartitionId{0});
  if (undecided_.empty() || !partition) return;
  std::weak_ptr<char> alive = alive_;
  partition->load_producers([this, alive](const Result<void>& loaded) {
    if (loaded || alive.expired()) return;
    broker_.executor().after(ask_retry_time, [this, alive] {
      if (!alive.expired()) ask_who_ends();
    });
  });
}

}  // namespace leat::broker
