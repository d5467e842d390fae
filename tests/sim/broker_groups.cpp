// What a simulated broker's clients commit, and what they are told that they have committed. Each
// commits for a group of its own, over one connection at a time, so that what it sent first counts
// first: no answer may go back behind what was acknowledged or told before.
#include <algorithm>

#include "sim/broker_simulation.h"

namespace leat::sim {
namespace {

using wire::ErrorCode;

constexpr std::size_t unanswered_max = 12;

std::string group_of(int client) {
  return fmt::format("g{}", client);
}

}  // namespace

bool BrokerSimulation::is_excused_commit(ErrorCode code, const TopicPartition& id) {
  if (code == ErrorCode::unknown_topic_or_partition) return !history_.is_certain(id);
  return code == ErrorCode::coordinator_not_available &&
         (disk_limited_ || sync_failed_ || writes_failed_);
}

void BrokerSimulation::commit_offsets() {
  Client& client = draw_client();
  if (client.connection && client.connection->unanswered() > unanswered_max) return;
  wire::OffsetCommitRequest request;
  request.group_id = group_of(client.number);
  std::map<TopicPartition, std::int64_t> parts;
  std::int64_t count = random_.between(1, 4);
  for (std::int64_t i = 0; i < count; ++i) {
    auto id = draw_partition();
    if (!id || parts.contains(*id)) continue;
    // Every commit is another number, by which it is known again.
    std::int64_t value = ++last_commit_;
    parts[*id] = value;
    commits_sent_[value] = {client.number, *id, name_of(id->topic_id)};
    auto& topic = request.topics.emplace_back();
    topic.name = name_of(id->topic_id);
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = id->partition.value();
    partition.committed_offset = value;
    partition.committed_metadata = std::to_string(value);
  }
  if (parts.empty()) return;
  trace("client {} commits {} to {}", client.number, parts.size(), last_commit_);
  auto use = [this, number = client.number, parts](wire::OffsetCommitResponse& response) {
    for (const auto& [id, value] : parts) {
      auto answered = std::ranges::find_if(response.topics, [&](const auto& topic) {
        return topic.name == name_of(id.topic_id) &&
               topic.partitions.at(0).partition_index == id.partition.value();
      });
      if (answered == response.topics.end()) return object("not an answer to this commit");
      committed(number, id, value, answered->partitions.at(0).error_code);
    }
  };
  ask<wire::OffsetCommitRequest>(client, request, draw_version<wire::OffsetCommitRequest>(), use);
}

void BrokerSimulation::committed(int client, const TopicPartition& id, std::int64_t value,
                                 ErrorCode code) {
  if (code != ErrorCode::none) {
    trace("commit {} is refused: {}", value, wire::name(code));
    if (!is_excused_commit(code, id)) {
      object(fmt::format("commit {} is refused: {}", value, wire::name(code)));
    }
    return;
  }
  if (!history_.is_certain(id)) return;
  std::int64_t& floor = committed_[{client, id}];
  floor = std::max(floor, value);
}

void BrokerSimulation::fetch_offsets(Client& client, const TopicPartition& id) {
  wire::OffsetFetchRequest request;
  request.group_id = group_of(client.number);
  wire::OffsetFetchRequest::Topic topic{name_of(id.topic_id), {id.partition.value()}};
  request.topics.emplace().push_back(topic);
  request.groups.push_back({request.group_id, {}, -1, request.topics});
  request.require_stable = random_.one_in(2);
  auto version = draw_version<wire::OffsetFetchRequest>();
  std::int64_t floor = committed_[{client.number, id}];
  auto use = [this, number = client.number, id, floor, version](wire::OffsetFetchResponse& answer) {
    bool has_groups = version >= 8;
    ErrorCode code = has_groups ? answer.groups.at(0).error_code : answer.error_code;
    if (code != ErrorCode::none) return object(fmt::format("OffsetFetch: {}", wire::name(code)));
    const auto& topics = has_groups ? answer.groups.at(0).topics : answer.topics;
    const auto& told = topics.at(0).partitions.at(0);
    if (told.error_code != ErrorCode::none) {
      return object(fmt::format("OffsetFetch: {}", wire::name(told.error_code)));
    }
    told_committed(number, id, floor, told);
  };
  ask<wire::OffsetFetchRequest>(client, request, version, use);
}

void BrokerSimulation::fetch_offsets() {
  Client& client = draw_client();
  if (client.connection && client.connection->unanswered() > unanswered_max) return;
  if (auto id = draw_partition()) fetch_offsets(client, *id);
}

/// `floor` is what was known when it was asked for; 0 is nothing.
void BrokerSimulation::told_committed(int client, const TopicPartition& id, std::int64_t floor,
                                      const wire::OffsetFetchResponse::Partition& told) {
  if (!history_.is_certain(id)) return;
  auto in = [&](const std::string& what) {
    object(fmt::format("{} of {}-{}: {}", group_of(client), name_of(id.topic_id),
                       id.partition.value(), what));
  };
  std::int64_t value = std::max<std::int64_t>(told.committed_offset, 0);
  if (value < floor) return in(fmt::format("offset {} went back to {}", floor, value));
  if (value == 0) return;
  auto sent = commits_sent_.find(value);
  if (sent == commits_sent_.end()) return in(fmt::format("nobody committed {}", value));
  const SentCommit& commit = sent->second;
  bool is_same = commit.client == client && commit.name == name_of(id.topic_id) &&
                 commit.to.partition == id.partition;
  if (!is_same) return in(fmt::format("{} was committed elsewhere", value));
  if (told.metadata != std::to_string(value)) in("the metadata is another commit's");
  // A topic that has another one's name must not have its offsets.
  bool is_settled = committed_.contains({client, commit.to}) &&
                    committed_[{client, commit.to}] >= value && commit.to != id;
  if (is_settled) return in(fmt::format("{} is of a topic that was deleted", value));
  committed_[{client, id}] = value;
}

/// Without a sync before the answer, a power cut can take back what was committed.
void BrokerSimulation::forget_commits() {
  for (auto& [of, floor] : committed_) floor = 0;
}

void BrokerSimulation::verify_commits() {
  for (const auto& [of, floor] : std::map(committed_)) {
    const auto& [client, id] = of;
    bool is_asked = alive() && history_.is_usable(id.topic_id) && history_.is_certain(id);
    if (!is_asked) continue;
    fetch_offsets(*clients_.at(static_cast<std::size_t>(client)), id);
    executor_.run_for(std::chrono::seconds(1));
  }
}

}  // namespace leat::sim
