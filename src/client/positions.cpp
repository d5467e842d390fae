#include "client/positions.h"

#include <algorithm>

#include "wire/list_offsets.h"

namespace leat::client {

using wire::ErrorCode;

namespace {

/// What the coordinator says of itself, or of who asks, rather than of a partition.
bool is_about_member(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::illegal_generation:
    case ErrorCode::unknown_member_id:
    case ErrorCode::fenced_instance_id:
    case ErrorCode::rebalance_in_progress: return true;
    default: return false;
  }
}

/// Sorts an error into the outcome; `place` is null where it is one of all.
void sort(ErrorCode code, const Positions::Place* place, Positions::Outcome& outcome) {
  if (is_about_member(code)) {
    outcome.about_member = code;
    outcome.retry = true;
  } else if (wire::retriable(code) && code != ErrorCode::unknown_topic_or_partition) {
    outcome.retry = true;
  } else {
    outcome.refused.push_back({place ? *place : Positions::Place(), code});
  }
}

}  // namespace

Positions::Positions(std::string group, std::optional<std::int64_t> reset, bool is_automatic)
    : group_(std::move(group)), reset_(reset), is_automatic_(is_automatic) {}

Positions::Partition* Positions::find(const Place& place) {
  auto known = partitions_.find(place);
  return known == partitions_.end() ? nullptr : &known->second;
}

const Positions::Partition* Positions::find(const Place& place) const {
  auto known = partitions_.find(place);
  return known == partitions_.end() ? nullptr : &known->second;
}

void Positions::add(const Place& place) {
  partitions_[place] = Partition();
}

void Positions::add_at(const Place& place, std::int64_t offset) {
  begin_at(partitions_[place] = Partition(), offset, -1);
}

void Positions::remove(const Place& place) {
  partitions_.erase(place);
}

void Positions::begin_at(Partition& partition, std::int64_t offset, std::int32_t leader_epoch) {
  partition.where = Where::known;
  partition.asked = 0;
  partition.given = {offset, leader_epoch};
  partition.done = is_automatic_ ? partition.given : Offset();
}

bool Positions::reset(Partition& partition) {
  partition.where = reset_ ? Where::ask_leader : Where::unknown;
  partition.asked = 0;
  partition.timestamp = reset_.value_or(0);
  return reset_.has_value();
}

// Where reading begins.

std::optional<wire::OffsetFetchRequest> Positions::fetch_request() {
  if (fetch_ticket_ != 0) return std::nullopt;
  std::vector<wire::OffsetFetchRequest::Topic> topics;
  std::uint64_t ticket = ++last_ticket_;
  for (auto& [place, partition] : partitions_) {
    if (partition.where != Where::ask_group) continue;
    if (topics.empty() || topics.back().name != place.topic) topics.push_back({place.topic, {}});
    topics.back().partition_indexes.push_back(place.partition);
    partition.asked = ticket;
  }
  if (topics.empty()) return std::nullopt;
  fetch_ticket_ = ticket;
  wire::OffsetFetchRequest request;
  request.group_id = group_;
  request.topics = topics;
  request.groups.push_back({group_, std::nullopt, -1, std::move(topics)});
  // What a transaction is about to commit is waited for.
  request.require_stable = true;
  return request;
}

Positions::Outcome Positions::take(const wire::OffsetFetchResponse& response) {
  Outcome outcome;
  bool is_batched = !response.groups.empty();
  ErrorCode code = is_batched ? response.groups[0].error_code : response.error_code;
  if (code != ErrorCode::none) {
    sort(code, nullptr, outcome);
  } else {
    for (const auto& topic : is_batched ? response.groups[0].topics : response.topics) {
      for (const auto& answer : topic.partitions) {
        take_committed({topic.name, answer.partition_index}, answer, outcome);
      }
    }
  }
  fetch_ticket_ = 0;
  return outcome;
}

void Positions::take_committed(const Place& place,
                               const wire::OffsetFetchResponse::Partition& answer,
                               Outcome& outcome) {
  Partition* partition = find(place);
  bool is_meant = partition && partition->where == Where::ask_group && fetch_ticket_ != 0 &&
                  partition->asked == fetch_ticket_;
  if (!is_meant) return;
  if (answer.error_code != ErrorCode::none) {
    sort(answer.error_code, &place, outcome);
    bool is_final = !outcome.refused.empty() && outcome.refused.back().place == place;
    if (is_final) partition->where = Where::unknown;
    return;
  }
  if (answer.committed_offset >= 0) {
    partition->committed = answer.committed_offset;
    return begin_at(*partition, answer.committed_offset, answer.committed_leader_epoch);
  }
  if (!reset(*partition)) outcome.refused.push_back({place, ErrorCode::offset_out_of_range});
}

std::vector<Positions::LookUp> Positions::take_look_ups() {
  std::vector<LookUp> all;
  for (auto& [place, partition] : partitions_) {
    if (partition.where != Where::ask_leader || partition.asked != 0) continue;
    partition.asked = ++last_ticket_;
    all.push_back({place, partition.timestamp, partition.asked});
  }
  return all;
}

void Positions::looked_up(const LookUp& look_up, std::int64_t offset, std::int32_t leader_epoch) {
  Partition* partition = find(look_up.place);
  bool is_meant =
      partition && partition->where == Where::ask_leader && partition->asked == look_up.ticket;
  if (!is_meant) return;
  if (offset >= 0) return begin_at(*partition, offset, leader_epoch);
  partition->timestamp = wire::latest_timestamp;
  partition->asked = 0;
}

void Positions::look_up_failed(const LookUp& look_up) {
  Partition* partition = find(look_up.place);
  if (partition && partition->asked == look_up.ticket) partition->asked = 0;
}

std::vector<Positions::Start> Positions::take_starts() {
  std::vector<Start> all;
  for (auto& [place, partition] : partitions_) {
    if (partition.where != Where::known) continue;
    partition.where = Where::told;
    all.push_back({place, partition.given.value, partition.given.leader_epoch});
  }
  return all;
}

/// It is of no use any more, though reading begins before it; nor is what is being committed.
void Positions::forget_committed(Partition& partition) {
  partition.committed.reset();
  partition.committing = 0;
}

bool Positions::out_of_range(const Place& place) {
  Partition* partition = find(place);
  if (!partition) return true;
  forget_committed(*partition);
  return reset(*partition);
}

bool Positions::cut_off(const Place& place, std::int64_t offset, std::int32_t leader_epoch) {
  Partition* partition = find(place);
  if (!partition || partition->where != Where::told) return true;
  bool is_given = partition->given.value > offset;
  if (is_given && !reset_) {
    partition->where = Where::unknown;
    return false;
  }
  partition->where = Where::known;
  if (!is_given) return true;
  partition->given = {offset, leader_epoch};
  if (partition->done.value > offset) partition->done = partition->given;
  forget_committed(*partition);
  return true;
}

void Positions::seek(const Place& place, std::int64_t offset) {
  if (Partition* partition = find(place)) begin_at(*partition, offset, -1);
}

void Positions::seek_to_time(const Place& place, std::int64_t timestamp) {
  Partition* partition = find(place);
  if (!partition) return;
  partition->where = Where::ask_leader;
  partition->asked = 0;
  partition->timestamp = timestamp;
}

// What is read and done.

void Positions::given(const Place& place, std::int64_t next_offset, std::int32_t leader_epoch) {
  if (Partition* partition = find(place)) partition->given = {next_offset, leader_epoch};
}

void Positions::all_done() {
  for (auto& [place, partition] : partitions_) partition.done = partition.given;
}

std::optional<std::int64_t> Positions::position(const Place& place) const {
  const Partition* partition = find(place);
  bool is_known =
      partition && (partition->where == Where::known || partition->where == Where::told);
  return is_known ? std::optional(partition->given.value) : std::nullopt;
}

// What the group is told.

bool Positions::is_behind(const Partition& partition) {
  if (partition.wanted) return true;
  return partition.done.value > std::max(partition.committed.value_or(-1), partition.refused);
}

std::optional<wire::OffsetCommitRequest> Positions::commit_request(const MemberIdentity& identity) {
  if (commit_ticket_ != 0 || !is_behind()) return std::nullopt;
  commit_ticket_ = ++last_ticket_;
  wire::OffsetCommitRequest request;
  request.group_id = group_;
  request.generation_id = identity.generation;
  request.member_id = identity.id;
  request.group_instance_id = identity.instance_id;
  for (auto& [place, partition] : partitions_) {
    if (!is_behind(partition)) continue;
    partition.sent = partition.wanted.value_or(partition.done);
    partition.committing = commit_ticket_;
    if (request.topics.empty() || request.topics.back().name != place.topic) {
      request.topics.push_back({place.topic, {}});
    }
    wire::OffsetCommitRequest::Partition asked;
    asked.partition_index = place.partition;
    asked.committed_offset = partition.sent.value;
    asked.committed_leader_epoch = partition.sent.leader_epoch;
    asked.committed_metadata = partition.sent.metadata;
    request.topics.back().partitions.push_back(std::move(asked));
  }
  return request;
}

Positions::Outcome Positions::take(const wire::OffsetCommitResponse& response) {
  Outcome outcome;
  std::uint64_t ticket = std::exchange(commit_ticket_, 0);
  for (const auto& topic : response.topics) {
    for (const auto& answer : topic.partitions) {
      Place place{topic.name, answer.partition_index};
      Partition* partition = find(place);
      bool is_meant = partition && ticket != 0 && partition->committing == ticket;
      if (!is_meant) continue;
      if (answer.error_code != ErrorCode::none) {
        std::size_t refused = outcome.refused.size();
        sort(answer.error_code, &place, outcome);
        if (outcome.refused.size() == refused) continue;
        partition->refused = partition->sent.value;
      } else {
        partition->committed = partition->sent.value;
      }
      if (partition->wanted == partition->sent) partition->wanted.reset();
    }
  }
  return outcome;
}

bool Positions::commit_at(const Place& place, std::int64_t offset, std::string metadata) {
  Partition* partition = find(place);
  if (!partition) return false;
  partition->wanted = {offset, -1, std::move(metadata)};
  // What lies behind it may be done all the same, but nobody says so any more.
  partition->done = {offset, -1};
  return true;
}

bool Positions::is_behind(const TopicPartitions& partitions) const {
  for (const auto& [topic, numbers] : partitions) {
    for (std::int32_t number : numbers) {
      const Partition* partition = find({topic, number});
      if (partition && is_behind(*partition)) return true;
    }
  }
  return false;
}

bool Positions::is_behind() const {
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [](const auto& entry) { return is_behind(entry.second); });
}

std::optional<std::int64_t> Positions::committed(const Place& place) const {
  const Partition* partition = find(place);
  return partition ? partition->committed : std::nullopt;
}

}  // namespace leat::client
