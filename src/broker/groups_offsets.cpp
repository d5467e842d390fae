// What groups have committed: taken, written, given out, forgotten, and decided by transactions.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/logging.h"
#include "broker/broker.h"
#include "broker/groups.h"

namespace leat::broker {
namespace {

/// One commit is one batch. This bounds it.
constexpr std::size_t commit_bytes_max = std::size_t{16} << 20;
/// Tombstones go in batches of about so many bytes.
constexpr std::size_t tombstone_batch_bytes = std::size_t{1} << 20;
/// A new offset takes about so much memory.
constexpr std::uint64_t offset_bytes = 256;
/// Groups that are looked at in one turn for what has expired.
constexpr int groups_a_turn = 100;

bool has_expired(const Groups::Entry& entry, const OffsetRecord& offset, bool is_simple,
                 std::int64_t now_ms, std::int64_t retention_ms) {
  if (offset.expire_ms >= 0) return now_ms >= offset.expire_ms;
  std::int64_t since = offset.commit_ms;
  if (!is_simple) since = std::max(since, entry.state_ms);
  return now_ms - since >= retention_ms;
}

}  // namespace

/// Keys that are being taken out, batch by batch.
struct Groups::Tombstones {
  std::string group_id;
  std::vector<GroupPartition> partitions;
  bool with_group = false;
  Done done;
  std::size_t next = 0;
};

void Groups::post(CommitDone done, std::vector<GroupError> errors) {
  broker_.executor().post(
      [done = std::move(done), errors = std::move(errors)]() mutable { done(std::move(errors)); });
}

void Groups::commit(CommitRequest request, CommitDone done) {
  commit(std::move(request), std::nullopt, std::move(done));
}

void Groups::commit_in_transaction(CommitRequest request, const TransactionProducer& producer,
                                   CommitDone done) {
  commit(std::move(request), producer, std::move(done));
}

std::vector<GroupError> Groups::check_commit(Entry& entry, const CommitRequest& request,
                                             bool is_transactional) {
  GroupError error =
      entry.consumers
          ? entry.consumers->check_commit(request.member, is_transactional, request.knows_epochs)
          : entry.group.check_commit(request.member, is_transactional, now());
  std::vector<GroupError> errors(request.partitions.size(), error);
  if (error != GroupError::none) return errors;
  auto topics = broker_.topics();
  std::uint64_t room =
      options_.memory_bytes_max - std::min(memory_bytes_, options_.memory_bytes_max);
  std::size_t batch_bytes = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const PartitionCommit& partition = request.partitions[i];
    TopicPtr topic = topics->find(partition.topic);
    batch_bytes +=
        partition.topic.size() + request.group_id.size() + partition.metadata.size() + 64;
    if (!topic || !topic->partition(PartitionId{partition.partition})) {
      errors[i] = GroupError::unknown_topic_or_partition;
    } else if (partition.metadata.size() > options_.offset_metadata_bytes_max) {
      errors[i] = GroupError::offset_metadata_too_large;
    } else if (entry.offsets.find(partition.topic, partition.partition) == nullptr) {
      if (room < offset_bytes) errors[i] = GroupError::invalid_commit_offset_size;
      room -= std::min(room, offset_bytes);
    }
  }
  if (batch_bytes > commit_bytes_max) {
    std::fill(errors.begin(), errors.end(), GroupError::invalid_commit_offset_size);
  }
  return errors;
}

void Groups::commit(CommitRequest request, const std::optional<TransactionProducer>& producer,
                    CommitDone done) {
  std::size_t count = request.partitions.size();
  auto refuse = [&](GroupError error) {
    post(std::move(done), std::vector<GroupError>(count, error));
  };
  Entry* known = find_entry(request.group_id);
  // Who claims to be of a generation cannot be, where there is no group.
  if (known == nullptr && request.member.generation >= 0) {
    return refuse(request.knows_epochs ? GroupError::group_id_not_found
                                       : GroupError::illegal_generation);
  }
  Entry& entry = known != nullptr ? *known : find_or_make(request.group_id);
  Written written{std::move(request), {}, broker_.clock().wall_ms()};
  written.errors = check_commit(entry, written.request, producer.has_value());
  for (std::size_t i = 0; i < count; ++i) {
    if (written.errors[i] != GroupError::none) continue;
    const PartitionCommit& partition = written.request.partitions[i];
    Bytes key = encode(OffsetKey{written.request.group_id, partition.topic, partition.partition});
    Bytes value = encode(value_of(written, partition));
    builder_.append(written.commit_ms, BytesView(key), BytesView(value));
    CommittedOffset& committed = entry.offsets.at(partition.topic, partition.partition);
    ++committed.writes;
    if (producer) ++committed.undecided;
  }
  if (builder_.empty()) {
    post(std::move(done), std::move(written.errors));
    return settle(entry);
  }
  record::BatchOptions options;
  if (producer) {
    written.producer = producer->id;
    options.producer_id = producer->id;
    options.producer_epoch = producer->epoch;
    options.is_transactional = true;
  }
  written.done = std::move(done);
  ++entry.writes;
  auto shared = std::make_shared<Written>(std::move(written));
  append(
      options, [this, shared](const Result<Offset>& base) { end_commit(*shared, base); },
      [this, shared](Offset base) { keep_undecided(*shared, base); });
}

OffsetRecord Groups::value_of(const Written& written, const PartitionCommit& partition) {
  std::int64_t retention_ms = written.request.retention_ms;
  std::int64_t expire_ms = retention_ms < 0 ? -1 : written.commit_ms + retention_ms;
  return {partition.offset, partition.leader_epoch, partition.metadata, written.commit_ms,
          expire_ms};
}

void Groups::keep_undecided(Written& written, Offset base) {
  const CommitRequest& request = written.request;
  written.is_kept = true;
  std::int64_t delta = 0;
  for (std::size_t i = 0; i < request.partitions.size(); ++i) {
    if (written.errors[i] != GroupError::none) continue;
    const PartitionCommit& partition = request.partitions[i];
    undecided_[*written.producer].push_back({request.group_id, partition.topic, partition.partition,
                                             value_of(written, partition), base + delta++});
  }
}

void Groups::end_commit(Written& written, const Result<Offset>& base) {
  const CommitRequest& request = written.request;
  Entry* entry = find_entry(request.group_id);
  ASSERT(entry != nullptr);
  --entry->writes;
  if (!base) log_warning("a commit of group '{}' failed: {}", request.group_id, base.error().what);
  std::int64_t delta = 0;
  for (std::size_t i = 0; i < request.partitions.size(); ++i) {
    if (written.errors[i] != GroupError::none) continue;
    const PartitionCommit& partition = request.partitions[i];
    CommittedOffset& committed = entry->offsets.at(partition.topic, partition.partition);
    --committed.writes;
    if (base && !written.producer) {
      entry->offsets.set(partition.topic, partition.partition, value_of(written, partition),
                         *base + delta++);
    }
    if (base) continue;
    if (written.producer && !written.is_kept) --committed.undecided;
    written.errors[i] = GroupError::coordinator_not_available;
    entry->offsets.drop_unneeded(partition.topic, partition.partition);
  }
  settle(*entry);
  written.done(std::move(written.errors));
}

void Groups::end_transaction(ProducerId producer, bool is_committed, Offset marker) {
  auto found = undecided_.find(producer);
  if (found == undecided_.end()) return;
  auto is_before = [marker](const Undecided& offset) { return offset.log_offset < marker; };
  std::vector<Undecided>& all = found->second;
  auto behind = std::find_if_not(all.begin(), all.end(), is_before);
  std::vector<Undecided> decided(std::make_move_iterator(all.begin()),
                                 std::make_move_iterator(behind));
  all.erase(all.begin(), behind);
  if (all.empty()) undecided_.erase(found);
  for (Undecided& offset : decided) {
    Entry* entry = find_entry(offset.group);
    ASSERT(entry != nullptr);
    --entry->offsets.at(offset.topic, offset.partition).undecided;
    if (is_committed) {
      entry->offsets.set(offset.topic, offset.partition, std::move(offset.value),
                         offset.log_offset);
    }
    entry->offsets.drop_unneeded(offset.topic, offset.partition);
    settle(*entry);
  }
}

FetchedOffset Groups::fetch(std::string_view group_id, std::string_view topic,
                            std::int32_t partition, bool require_stable) const {
  const Entry* entry = find(group_id);
  const CommittedOffset* committed =
      entry == nullptr ? nullptr : entry->offsets.find(topic, partition);
  if (committed == nullptr) return {};
  if (require_stable && committed->undecided > 0) return {GroupError::unstable_offset_commit};
  return {GroupError::none, committed->value};
}

void Groups::forget_offsets(const std::string& group_id, std::vector<GroupPartition> partitions,
                            CommitDone done) {
  std::vector<GroupError> errors(partitions.size(), GroupError::none);
  const Entry* entry = find(group_id);
  auto refuse = [&](GroupError error) {
    std::fill(errors.begin(), errors.end(), error);
    post(std::move(done), std::move(errors));
  };
  if (entry == nullptr) return refuse(GroupError::group_id_not_found);
  std::optional<std::set<std::string>> subscribed = std::set<std::string>{};
  if (!entry->is_empty()) {
    bool is_of_consumers = entry->protocol_type() == "consumer";
    subscribed = is_of_consumers ? entry->subscribed_topics() : std::nullopt;
    if (!subscribed) return refuse(GroupError::non_empty_group);
  }
  std::vector<GroupPartition> to_forget;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (subscribed->contains(partitions[i].topic)) {
      errors[i] = GroupError::group_subscribed_to_topic;
    } else {
      // Even where nothing is known: a commit that failed may stand in the log after a crash.
      to_forget.push_back(std::move(partitions[i]));
    }
  }
  if (to_forget.empty()) return post(std::move(done), std::move(errors));
  write_tombstones(group_id, std::move(to_forget), false,
                   [done = std::move(done), errors](GroupError error) mutable {
                     for (GroupError& one : errors) {
                       if (one == GroupError::none) one = error;
                     }
                     done(std::move(errors));
                   });
}

void Groups::remove(const std::string& group_id, Done done) {
  const Entry* entry = find(group_id);
  auto answer = [&](GroupError error) {
    broker_.executor().post([done = std::move(done), error]() mutable { done(error); });
  };
  if (entry == nullptr) return answer(GroupError::group_id_not_found);
  if (!entry->is_empty()) return answer(GroupError::non_empty_group);
  std::vector<GroupPartition> all;
  for (const auto& [topic, partitions] : entry->offsets.topics()) {
    for (const auto& [partition, committed] : partitions) all.push_back({topic, partition});
  }
  write_tombstones(group_id, std::move(all), true, std::move(done));
}

void Groups::forget_topic(const std::string& topic) {
  when_ready([this, topic](GroupError error) {
    if (error != GroupError::none) return;
    std::vector<std::pair<std::string, std::vector<GroupPartition>>> found;
    for (const auto& [id, entry] : groups_) {
      auto partitions = entry.offsets.topics().find(topic);
      if (partitions == entry.offsets.topics().end()) continue;
      auto& of_group = found.emplace_back(id, std::vector<GroupPartition>{}).second;
      for (const auto& [partition, committed] : partitions->second) {
        of_group.push_back({topic, partition});
      }
    }
    for (auto& [id, partitions] : found) {
      write_tombstones(id, std::move(partitions), false, [](GroupError) {});
    }
  });
}

void Groups::write_tombstones(const std::string& group_id, std::vector<GroupPartition> partitions,
                              bool with_group, Done done) {
  auto tombstones = std::make_shared<Tombstones>(
      Tombstones{group_id, std::move(partitions), with_group, std::move(done)});
  write_next_tombstones(tombstones);
}

/// All batches are appended at once, so that nothing comes between them.
void Groups::write_next_tombstones(const std::shared_ptr<Tombstones>& tombstones) {
  Entry& entry = *find_entry(tombstones->group_id);
  std::int64_t now_ms = broker_.clock().wall_ms();
  std::size_t first = tombstones->next;
  std::size_t& next = tombstones->next;
  for (; next < tombstones->partitions.size(); ++next) {
    if (builder_.size_bytes() > tombstone_batch_bytes) break;
    const GroupPartition& partition = tombstones->partitions[next];
    Bytes key = encode(OffsetKey{tombstones->group_id, partition.topic, partition.partition});
    builder_.append(now_ms, BytesView(key), std::nullopt);
  }
  std::size_t end = next;
  bool is_last = end == tombstones->partitions.size();
  if (is_last && tombstones->with_group) {
    Bytes key = encode(GroupKey{tombstones->group_id});
    builder_.append(now_ms, BytesView(key), std::nullopt);
    if (entry.consumers) {
      for (const RecordChange& change : entry.consumers->tombstones()) {
        builder_.append(now_ms, BytesView(change.key), std::nullopt);
      }
    }
  }
  ++entry.writes;
  append({}, [this, &entry, tombstones, first, end, is_last](Result<Offset> base) {
    --entry.writes;
    if (base) {
      for (std::size_t i = first; i < end; ++i) forget(entry, tombstones->partitions[i]);
    }
    // Somebody may have come in meanwhile. Then the group lives on.
    bool is_gone = base && is_last && tombstones->with_group;
    if (is_gone && entry.is_empty()) {
      entry.group = Group(tombstones->group_id, options_);
      entry.consumers.reset();
    }
    settle(entry);
    if (is_last) {
      tombstones->done(base ? GroupError::none : GroupError::coordinator_not_available);
    }
  });
  if (!is_last) write_next_tombstones(tombstones);
}

void Groups::forget(Entry& entry, const GroupPartition& partition) {
  CommittedOffset* committed = entry.offsets.find(partition.topic, partition.partition);
  if (committed == nullptr) return;
  entry.offsets.reset(partition.topic, partition.partition);
  if (committed->undecided > 0) {
    // They stand before the tombstone in the log, so a marker behind it does not bring them back.
    for (auto& [producer, offsets] : undecided_) {
      committed->undecided -=
          static_cast<std::uint32_t>(std::erase_if(offsets, [&](const Undecided& offset) {
            return offset.partition == partition.partition && offset.topic == partition.topic &&
                   offset.group == entry.group.id();
          }));
    }
  }
  entry.offsets.drop_unneeded(partition.topic, partition.partition);
}

std::vector<GroupPartition> Groups::expired_offsets(const Entry& entry) const {
  std::vector<GroupPartition> expired;
  bool is_simple = entry.protocol_type().empty();
  std::optional<std::set<std::string>> subscribed = std::set<std::string>{};
  if (!entry.is_empty()) {
    // Of a group that is at work only what nobody in it wants any more.
    bool is_known = entry.consumers || entry.group.state() == GroupState::stable;
    bool is_of_consumers = entry.protocol_type() == "consumer";
    subscribed = is_known && is_of_consumers ? entry.subscribed_topics() : std::nullopt;
    if (!subscribed) return {};
    is_simple = true;  // by the times of the commits
  }
  std::int64_t now_ms = broker_.clock().wall_ms();
  for (const auto& [topic, partitions] : entry.offsets.topics()) {
    if (subscribed->contains(topic)) continue;
    for (const auto& [partition, committed] : partitions) {
      if (!committed.value || committed.writes > 0 || committed.undecided > 0) continue;
      if (has_expired(entry, *committed.value, is_simple, now_ms,
                      options_.offsets_retention.count())) {
        expired.push_back({topic, partition});
      }
    }
  }
  return expired;
}

void Groups::schedule_expiry() {
  expiry_timer_ = broker_.executor().after(options_.expiry_check_interval, [this] {
    expiry_timer_ = 0;
    expire("");
  });
}

void Groups::expire(std::string after) {
  int left = groups_a_turn;
  for (auto at = groups_.upper_bound(after); at != groups_.end(); ++at) {
    if (left-- == 0) {
      // The rest in other turns, so that nobody has to wait.
      expiry_timer_ = broker_.executor().after(std::chrono::nanoseconds(0),
                                               [this, after = std::move(after)] { expire(after); });
      return;
    }
    after = at->first;
    const Entry& entry = at->second;
    std::vector<GroupPartition> expired = expired_offsets(entry);
    std::size_t all = 0;
    for (const auto& [topic, partitions] : entry.offsets.topics()) all += partitions.size();
    bool is_over = entry.is_empty() && entry.writes == 0 && expired.size() == all;
    if (!expired.empty() || is_over) {
      write_tombstones(after, std::move(expired), is_over, [](GroupError) {});
    }
  }
  schedule_expiry();
}

}  // namespace leat::broker
