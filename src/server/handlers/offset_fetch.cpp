// OffsetFetch: what one group has committed, or from version 8 on several.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::GroupError;
using broker::Groups;
using wire::OffsetFetchRequest;
using wire::OffsetFetchResponse;
using FetchCall = Call<OffsetFetchRequest>;
using Topics = std::vector<OffsetFetchResponse::Topic>;
using AskedTopics = std::optional<std::vector<OffsetFetchRequest::Topic>>;

OffsetFetchResponse::Partition look_up(const Groups& groups, const std::string& group,
                                       const std::string& topic, std::int32_t partition,
                                       bool require_stable) {
  OffsetFetchResponse::Partition answer;
  answer.partition_index = partition;
  broker::FetchedOffset found = groups.fetch(group, topic, partition, require_stable);
  answer.error_code = to_wire(found.error);
  answer.metadata = "";
  if (!found.value) return answer;
  answer.committed_offset = found.value->offset;
  answer.committed_leader_epoch = found.value->leader_epoch;
  answer.metadata = std::move(found.value->metadata);
  return answer;
}

Topics all_of(const Groups& groups, const std::string& group, bool require_stable) {
  Topics topics;
  const Groups::Entry* entry = groups.find(group);
  if (entry == nullptr) return topics;
  for (const auto& [name, partitions] : entry->offsets.topics()) {
    OffsetFetchResponse::Topic topic;
    topic.name = name;
    for (const auto& [number, committed] : partitions) {
      bool is_unstable = require_stable && committed.undecided > 0;
      if (!committed.value && !is_unstable) continue;
      topic.partitions.push_back(look_up(groups, group, name, number, require_stable));
    }
    if (!topic.partitions.empty()) topics.push_back(std::move(topic));
  }
  return topics;
}

Topics look_up(const Groups& groups, const std::string& group, const AskedTopics& asked,
               bool require_stable) {
  if (!asked) return all_of(groups, group, require_stable);
  Topics topics;
  for (const auto& topic : *asked) {
    auto& answered = topics.emplace_back();
    answered.name = topic.name;
    for (std::int32_t partition : topic.partition_indexes) {
      answered.partitions.push_back(look_up(groups, group, topic.name, partition, require_stable));
    }
  }
  return topics;
}

/// Before version 2 an answer has no error of its own.
Topics refused(const AskedTopics& asked, GroupError error) {
  Topics topics;
  if (!asked) return topics;
  for (const auto& topic : *asked) {
    auto& answered = topics.emplace_back();
    answered.name = topic.name;
    for (std::int32_t partition : topic.partition_indexes) {
      auto& answer = answered.partitions.emplace_back();
      answer.partition_index = partition;
      answer.metadata = "";
      answer.error_code = to_wire(error);
    }
  }
  return topics;
}

void fetch(FetchCall call, Groups& groups, GroupError error) {
  const OffsetFetchRequest& request = call.request();
  bool is_ok = error == GroupError::none;
  OffsetFetchResponse response;
  if (call.version() >= 8) {
    for (const auto& group : request.groups) {
      auto& answered = response.groups.emplace_back();
      answered.group_id = group.group_id;
      GroupError refused = error;
      if (is_ok) refused = groups.check_fetch(group.group_id, group.member_id, group.member_epoch);
      answered.error_code = to_wire(refused);
      if (refused != GroupError::none) continue;
      answered.topics = look_up(groups, group.group_id, group.topics, request.require_stable);
    }
    return call.answer(response);
  }
  response.error_code = to_wire(error);
  response.topics = is_ok
                        ? look_up(groups, request.group_id, request.topics, request.require_stable)
                        : refused(request.topics, error);
  call.answer(response);
}

}  // namespace

void handle(FetchCall call) {
  with_groups(std::move(call), fetch);
}

}  // namespace leat::server
