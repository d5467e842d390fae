// ConsumerGroupDescribe: who is in a consumer group, what each has and is to have.
#include <string>
#include <utility>

#include <fmt/core.h>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::GroupError;
using wire::ConsumerGroupDescribeResponse;
using DescribeCall = Call<wire::ConsumerGroupDescribeRequest>;

constexpr std::int8_t consumer_member = 1;

ConsumerGroupDescribeResponse::Assignment describe(const broker::Assignment& assignment,
                                                   const broker::TopicTable& topics) {
  ConsumerGroupDescribeResponse::Assignment out;
  for (const auto& [id, partitions] : assignment) {
    broker::TopicPtr topic = topics.find(id);
    // One that is deleted has no name, and nothing to be read.
    if (!topic) continue;
    out.topic_partitions.push_back({id, topic->info.name, {partitions.begin(), partitions.end()}});
  }
  return out;
}

void describe(const broker::ConsumerGroup& group, const broker::TopicTable& topics,
              ConsumerGroupDescribeResponse::Group& out) {
  out.group_state = name(group.state());
  out.group_epoch = group.epoch();
  out.assignment_epoch = group.target_epoch();
  out.assignor_name = name(group.assignor());
  for (const auto& [id, member] : group.members()) {
    auto& described = out.members.emplace_back();
    described.member_id = id;
    described.instance_id = member.about.instance_id;
    described.rack_id = member.about.rack_id;
    described.member_epoch = member.current.epoch;
    described.client_id = member.about.client_id;
    described.client_host = member.about.client_host;
    described.subscribed_topic_names.assign(member.about.topics.begin(), member.about.topics.end());
    described.subscribed_topic_regex = member.about.topic_regex;
    described.assignment = describe(member.current.assigned, topics);
    described.target_assignment = describe(member.target, topics);
    described.member_type = consumer_member;
  }
}

void describe_all(DescribeCall call, broker::Groups& groups, GroupError error) {
  ConsumerGroupDescribeResponse response;
  auto topics = call.broker().topics();
  for (const std::string& id : call.request().group_ids) {
    auto& out = response.groups.emplace_back();
    out.group_id = id;
    out.error_code = to_wire(error);
    if (error != GroupError::none) continue;
    const broker::Groups::Entry* entry = groups.find(id);
    if (entry == nullptr || !entry->consumers) {
      out.error_code = wire::ErrorCode::group_id_not_found;
      out.error_message = entry == nullptr
                              ? fmt::format("Group {:.200} not found.", id)
                              : fmt::format("Group {:.200} is not a consumer group.", id);
      continue;
    }
    if (call.request().include_authorized_operations) {
      out.authorized_operations = all_group_operations;
    }
    describe(*entry->consumers, *topics, out);
  }
  call.answer(response);
}

}  // namespace

void handle(DescribeCall call) {
  with_groups(std::move(call), describe_all);
}

}  // namespace leat::server
