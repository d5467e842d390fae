// Members and their groups. Offsets are in groups_offsets.cpp, the start in groups_reader.cpp.
#include "broker/groups.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "broker/broker.h"
#include "broker/own_topics.h"
#include "broker/topic_name.h"

namespace leat::broker {
namespace {

/// Of a group without members and offsets, about.
constexpr std::uint64_t group_bytes = 1024;
/// Whoever keeps the id of a group: the table, and groups of both kinds.
constexpr std::uint64_t id_copies = 3;
/// A client's name goes into its member id up to here.
constexpr std::size_t id_prefix_bytes_max = 200;

std::uint64_t memory_of(const JoinRequest& request) {
  std::uint64_t bytes = group_bytes + request.group_id.size();
  for (const auto& protocol : request.protocols) {
    bytes += protocol.name.size() + protocol.metadata.size();
  }
  return bytes;
}

}  // namespace

TopicPartition group_partition() {
  return {own_topic_id("leat-groups"), PartitionId{0}};
}

bool Groups::Entry::is_empty() const {
  return consumers ? consumers->members().empty() : group.state() == GroupState::empty;
}

std::string_view Groups::Entry::state_name() const {
  return consumers ? name(consumers->state()) : name(group.state());
}

std::string_view Groups::Entry::protocol_type() const {
  return consumers ? "consumer" : std::string_view(group.protocol_type());
}

std::size_t Groups::Entry::member_count() const {
  return consumers ? consumers->members().size() : group.members().size();
}

std::optional<std::set<std::string>> Groups::Entry::subscribed_topics() const {
  return consumers ? consumers->subscribed_topics() : group.subscribed_topics();
}

Groups::Groups(Broker& broker, const GroupOptions& options, Random random)
    : broker_(broker), options_(options), random_(random) {}

Groups::~Groups() {
  for (auto& [id, entry] : groups_) {
    if (entry.timer != 0) broker_.executor().cancel(entry.timer);
  }
  if (expiry_timer_ != 0) broker_.executor().cancel(expiry_timer_);
}

void Groups::when_ready(UniqueFunction<void(GroupError)> work) {
  if (is_ready_) return work(load_error_);
  waiting_.push_back(std::move(work));
}

Group::Time Groups::now() const {
  return broker_.clock().monotonic();
}

const Groups::Entry* Groups::find(std::string_view group_id) const {
  auto found = groups_.find(group_id);
  return found == groups_.end() ? nullptr : &found->second;
}

Groups::Entry* Groups::find_entry(std::string_view group_id) {
  return const_cast<Entry*>(find(group_id));
}

Groups::Entry& Groups::find_or_make(const std::string& group_id) {
  return groups_.try_emplace(group_id, Entry{Group(group_id, options_)}).first->second;
}

std::string Groups::new_member_id(const Entry& entry, const JoinRequest& request) {
  std::string prefix =
      request.instance_id.value_or(request.client_id).substr(0, id_prefix_bytes_max);
  // Chance may repeat itself, where a generator is seeded alike.
  while (true) {
    std::string id = fmt::format("{}-{}", prefix, Uuid::random(random_).to_hex());
    if (!entry.group.members().contains(id)) return id;
  }
}

std::uint64_t Groups::join(JoinRequest request, Group::JoinDone done) {
  std::uint64_t ticket = next_ticket_++;
  auto refuse = [&](GroupError error) {
    JoinResult result;
    result.error = error;
    result.member_id = request.member_id;
    broker_.executor().post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
    return ticket;
  };
  if (request.group_id.empty()) return refuse(GroupError::invalid_group_id);
  if (request.session_timeout < options_.session_timeout_min ||
      request.session_timeout > options_.session_timeout_max) {
    return refuse(GroupError::invalid_session_timeout);
  }
  if (request.rebalance_timeout.count() <= 0) request.rebalance_timeout = request.session_timeout;
  if (memory_bytes_ + memory_of(request) > options_.memory_bytes_max) {
    return refuse(GroupError::group_max_size_reached);
  }
  if (!request.member_id.empty() && find(request.group_id) == nullptr) {
    return refuse(GroupError::unknown_member_id);
  }
  Entry& entry = find_or_make(request.group_id);
  if (GroupError error = make_classic(entry); error != GroupError::none) return refuse(error);
  std::string new_id;
  if (request.member_id.empty()) new_id = new_member_id(entry, request);
  entry.group.join(std::move(request), std::move(new_id), ticket, now(), std::move(done));
  settle(entry);
  return ticket;
}

std::uint64_t Groups::sync(SyncRequest request, Group::SyncDone done) {
  std::uint64_t ticket = next_ticket_++;
  auto refuse = [&](GroupError error) {
    broker_.executor().post([done = std::move(done), error]() mutable { done(SyncResult{error}); });
    return ticket;
  };
  Entry* entry = find_entry(request.group_id);
  if (entry == nullptr) return refuse(GroupError::unknown_member_id);
  std::uint64_t bytes = 0;
  for (const MemberAssignment& assignment : request.assignments) {
    bytes += assignment.assignment.size();
  }
  if (memory_bytes_ + bytes > options_.memory_bytes_max) {
    return refuse(GroupError::group_max_size_reached);
  }
  entry->group.sync(std::move(request), ticket, now(), std::move(done));
  settle(*entry);
  return ticket;
}

void Groups::give_up(const std::string& group_id, std::uint64_t ticket) {
  Entry* entry = find_entry(group_id);
  if (entry == nullptr) return;
  entry->group.give_up(ticket, now());
  settle(*entry);
}

GroupError Groups::heartbeat(std::string_view group_id, const MemberIdentity& member) {
  Entry* entry = find_entry(group_id);
  if (entry == nullptr) return GroupError::unknown_member_id;
  // A sign of life asks for nothing that would have to be settled: it only puts an end off.
  return entry->group.heartbeat(member, now());
}

std::vector<GroupError> Groups::leave(std::string_view group_id,
                                      const std::vector<MemberIdentity>& members) {
  std::vector<GroupError> errors(members.size(), GroupError::unknown_member_id);
  Entry* entry = find_entry(group_id);
  if (entry == nullptr) return errors;
  for (std::size_t i = 0; i < members.size(); ++i) {
    errors[i] = entry->group.leave(members[i], now());
  }
  settle(*entry);
  return errors;
}

void Groups::post_answers(std::vector<Work> answers) {
  if (answers.empty()) return;
  broker_.executor().post([answers = std::move(answers)]() mutable {
    for (Work& answer : answers) answer();
  });
}

void Groups::settle(Entry& entry) {
  if (auto number = entry.group.take_save()) save(entry, *number);
  post_answers(entry.group.take_answers());
  if (entry.consumers) save_consumers(entry);
  count_memory(entry);
  set_timer(entry);
  bool is_blank =
      entry.consumers ? entry.consumers->epoch() == 0 && entry.is_empty() : entry.group.is_blank();
  if (!is_blank || !entry.offsets.empty() || entry.writes > 0) return;
  memory_bytes_ -= entry.counted_bytes;
  if (entry.timer != 0) broker_.executor().cancel(entry.timer);
  groups_.erase(groups_.find(entry.group.id()));
}

void Groups::count_memory(Entry& entry) {
  std::uint64_t bytes = group_bytes + id_copies * entry.group.id().size();
  bytes += entry.group.memory_bytes() + entry.offsets.memory_bytes();
  if (entry.consumers) bytes += entry.consumers->memory_bytes();
  memory_bytes_ += bytes - entry.counted_bytes;
  entry.counted_bytes = bytes;
}

void Groups::set_timer(Entry& entry) {
  std::optional<Group::Time> due =
      entry.consumers ? entry.consumers->next_due() : entry.group.next_due();
  // One that is too early finds nothing to do, and is set again: mostly the end was put off.
  if (!due || (entry.timer != 0 && entry.timer_due <= *due)) return;
  Executor& executor = broker_.executor();
  if (entry.timer != 0) executor.cancel(entry.timer);
  entry.timer_due = *due;
  auto delay = std::max(*due - now(), Group::Time(0));
  entry.timer = executor.after(delay, [this, &entry] {
    entry.timer = 0;
    entry.group.tick(now());
    if (entry.consumers) entry.consumers->tick(now());
    settle(entry);
  });
}

void Groups::save(Entry& entry, std::uint64_t number) {
  std::int64_t now_ms = broker_.clock().wall_ms();
  GroupRecord record = entry.group.record();
  record.state_ms = now_ms;
  Bytes key = encode(GroupKey{entry.group.id()});
  Bytes value = encode(record);
  builder_.append(now_ms, BytesView(key), BytesView(value));
  ++entry.writes;
  append({}, [this, &entry, number, now_ms](Result<Offset> base) {
    --entry.writes;
    if (base) {
      entry.state_ms = now_ms;
    } else {
      log_warning("group '{}' cannot be written: {}", entry.group.id(), base.error().what);
    }
    entry.group.saved(number, base.has_value(), now());
    settle(entry);
  });
}

Result<void> Groups::ensure_partition() {
  if (broker_.find_partition(group_partition().topic_id, PartitionId{0})) return {};
  NewTopic topic;
  topic.name = group_topic;
  topic.partitions = 1;
  topic.configs = {{"cleanup.policy", "compact"}, {"segment.bytes", "104857600"}};
  topic.id = group_partition().topic_id;
  if (auto checked = broker_.check_new_topic(topic); !checked) return fail(checked);
  broker_.create_topic(topic, [](Result<TopicInfo> made) {
    if (!made) log_warning("the topic of groups cannot be made: {}", made.error().what);
  });
  if (broker_.find_partition(group_partition().topic_id, PartitionId{0})) return {};
  return fail(Errc::coordinator_not_available, "the topic of groups cannot be made");
}

void Groups::append(const record::BatchOptions& options, AppendDone done, Partition::Kept kept) {
  std::int32_t count = builder_.record_count();
  std::int64_t max_timestamp_ms = builder_.max_timestamp_ms();
  auto bytes = std::make_shared<Bytes>(builder_.build(options));
  auto tell = [done = std::move(done),
               alive = std::weak_ptr<char>(alive_)](Result<Offset> base) mutable {
    if (!alive.expired()) done(std::move(base));
  };
  if (auto ready = ensure_partition(); !ready) {
    return broker_.executor().post(
        [tell = std::move(tell), error = ready.error()]() mutable { tell(tl::unexpected(error)); });
  }
  auto partition = broker_.find_partition(group_partition().topic_id, PartitionId{0});
  ASSERT(&partition->executor() == &broker_.executor());
  log::Batch batch{bytes, MutableBytes(*bytes), count, max_timestamp_ms};
  if (options.is_transactional) {
    auto keep = [kept = std::move(kept), alive = std::weak_ptr<char>(alive_)](Offset base) mutable {
      if (!alive.expired()) kept(base);
    };
    partition->append_in_transaction(std::move(batch), std::move(keep), std::move(tell));
  } else {
    partition->append_checked(std::move(batch), std::move(tell));
  }
}

}  // namespace leat::broker
