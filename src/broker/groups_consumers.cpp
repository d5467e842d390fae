// Groups of the new protocol: their heartbeats, their records, and how a group becomes one of them,
// or one of the classic ones.
#include <utility>

#include "base/logging.h"
#include "broker/broker.h"
#include "broker/groups.h"
#include "broker/topic_name.h"

namespace leat::broker {
namespace {

/// Changes go in batches of about so many bytes.
constexpr std::size_t change_batch_bytes = std::size_t{1} << 20;

std::uint64_t memory_of(const ConsumerHeartbeat& request) {
  std::uint64_t bytes = request.topic_regex.value_or("").size() + request.group_id.size();
  for (const std::string& topic : request.topics.value_or(std::vector<std::string>{})) {
    bytes += 64 + topic.size();
  }
  return bytes;
}

}  // namespace

void Groups::heartbeat(ConsumerHeartbeat request, bool has_id, ConsumerGroup::Done done) {
  auto refuse = [&](ConsumerHeartbeatResult result) {
    result.member_id = request.member_id;
    result.epoch = request.epoch;
    broker_.executor().post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  };
  ConsumerHeartbeatResult checked = ConsumerGroup::check(request, has_id);
  if (checked.error != GroupError::none) return refuse(std::move(checked));
  bool is_joining = request.epoch == ConsumerHeartbeat::join;
  bool asks_for_memory = is_joining || request.topics || request.topic_regex;
  if (asks_for_memory && memory_bytes_ + memory_of(request) > options_.memory_bytes_max) {
    return refuse({GroupError::group_max_size_reached,
                   "All groups together have as much memory as they may."});
  }
  Entry* known = find_entry(request.group_id);
  if (!is_joining && (known == nullptr || !known->consumers)) {
    return refuse({GroupError::group_id_not_found, known == nullptr
                                                       ? "There is no such group."
                                                       : "The group uses the classic protocol."});
  }
  if (request.member_id.empty()) request.member_id = Uuid::random(random_).to_hex();
  Entry& entry = find_or_make(request.group_id);
  if (make_consumers(entry) != GroupError::none) {
    return refuse({GroupError::inconsistent_group_protocol,
                   "The group has members of the classic protocol. It can change to this one "
                   "when they have left."});
  }
  entry.consumers->heartbeat(std::move(request), group_topics(), now(), std::move(done));
  settle(entry);
}

GroupError Groups::make_consumers(Entry& entry) {
  if (entry.consumers) return GroupError::none;
  if (!entry.group.is_idle()) return GroupError::inconsistent_group_protocol;
  std::string id = entry.group.id();
  if (!entry.group.is_blank()) {
    entry.group = Group(id, options_);
    write_changes(entry, {{encode(GroupKey{id}), std::nullopt}}, [](bool) {});
  }
  entry.consumers = std::make_shared<ConsumerGroup>(id, options_);
  return GroupError::none;
}

GroupError Groups::make_classic(Entry& entry) {
  if (!entry.consumers) return GroupError::none;
  if (!entry.is_empty()) return GroupError::inconsistent_group_protocol;
  write_changes(entry, entry.consumers->tombstones(), [](bool) {});
  entry.consumers.reset();
  return GroupError::none;
}

void Groups::save_consumers(Entry& entry) {
  std::shared_ptr<ConsumerGroup> group = entry.consumers;
  if (auto save = group->take_save()) {
    write_changes(entry, std::move(save->changes),
                  [this, &entry, group, number = save->number](bool is_written) {
                    group->saved(number, is_written);
                    // It may not be the entry's any more.
                    post_answers(group->take_answers());
                    if (is_written) entry.state_ms = broker_.clock().wall_ms();
                  });
  }
  post_answers(group->take_answers());
}

void Groups::write_changes(Entry& entry, std::vector<RecordChange> changes,
                           UniqueFunction<void(bool)> done) {
  std::int64_t now_ms = broker_.clock().wall_ms();
  auto shared = std::make_shared<UniqueFunction<void(bool)>>(std::move(done));
  auto has_failed = std::make_shared<bool>(false);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& [key, value] = changes[i];
    std::optional<BytesView> content;
    if (value) content = BytesView(*value);
    builder_.append(now_ms, BytesView(key), content);
    bool is_last = i + 1 == changes.size();
    if (!is_last && builder_.size_bytes() < change_batch_bytes) continue;
    ++entry.writes;
    append({}, [this, &entry, shared, has_failed, is_last](const Result<Offset>& base) {
      --entry.writes;
      if (!base) {
        *has_failed = true;
        log_warning("group '{}' cannot be written: {}", entry.group.id(), base.error().what);
      }
      if (is_last) (*shared)(!*has_failed);
      settle(entry);
    });
  }
}

GroupError Groups::check_fetch(std::string_view group_id,
                               const std::optional<std::string>& member_id,
                               std::int32_t epoch) const {
  const Entry* entry = find(group_id);
  if (entry == nullptr || !entry->consumers) return GroupError::none;
  return entry->consumers->check_fetch(member_id, epoch);
}

const GroupTopics& Groups::group_topics() {
  auto table = broker_.topics();
  if (group_topics_of_.lock() == table) return group_topics_;
  group_topics_of_ = table;
  ++group_topics_.version;
  group_topics_.by_name.clear();
  for (const TopicPtr& topic : table->topics()) {
    group_topics_.by_name[topic->info.name] = {topic->info.id,
                                               static_cast<std::int32_t>(topic->partitions.size()),
                                               is_internal_topic(topic->info.name)};
  }
  return group_topics_;
}

}  // namespace leat::broker
