// Admin: what users ask for and are told, over what admin.h and group_admin.h of the inside do.
#include "leat/admin.h"

#include <algorithm>
#include <utility>

#include "client/admin.h"
#include "client/admin_handle.h"
#include "client/check_options.h"
#include "client/cluster.h"
#include "client/delete_records.h"
#include "client/group_admin.h"
#include "client/operation.h"

namespace leat {

namespace {

using client::Caller;
using client::Effect;
using client::Result;
using net::Task;

TopicDescription to_public(const client::TopicMetadata& topic) {
  std::string id = topic.id.is_zero() ? "" : topic.id.to_hex();
  TopicDescription description{topic.name, std::move(id), topic.is_internal, {}};
  for (const client::PartitionMetadata& partition : topic.partitions)
    description.partitions.push_back(
        {partition.leader, partition.leader_epoch, partition.replicas, partition.in_sync_replicas});
  return description;
}

Task<Result<std::vector<TopicDescription>>> list(Caller caller) {
  auto topics = co_await client::list_topics(caller);
  if (!topics) co_return fail(topics);
  std::vector<TopicDescription> descriptions;
  for (const client::TopicMetadata& topic : *topics) descriptions.push_back(to_public(topic));
  co_return descriptions;
}

Task<Result<TopicDescription>> describe(Caller caller, std::string topic) {
  auto described = co_await client::describe_topic(caller, topic);
  if (!described) co_return fail(described);
  co_return to_public(*described);
}

Task<Result<std::vector<ConfigEntry>>> configs_of(Caller caller, std::string topic) {
  auto configs = co_await client::topic_configs(caller, topic);
  if (!configs) co_return fail(configs);
  std::vector<ConfigEntry> entries;
  for (client::TopicConfig& config : *configs)
    entries.push_back({std::move(config.name), std::move(config.value), config.is_default});
  co_return entries;
}

std::int64_t wire_time(const OffsetQuery& query) {
  switch (query.kind) {
    case OffsetQuery::Kind::start: return client::at_start;
    case OffsetQuery::Kind::end:
    case OffsetQuery::Kind::stable_end: return client::at_end;
    case OffsetQuery::Kind::time: return query.time.time_since_epoch().count();
  }
  return client::at_end;
}

/// Brokers are told for a whole request whether it is about committed records.
Task<Result<std::vector<client::OffsetFound>>> find_offsets(Caller caller,
                                                            std::vector<OffsetQuery> queries) {
  std::vector<client::OffsetFound> found(queries.size());
  for (bool stable : {false, true}) {
    std::vector<client::OffsetQuery> asked;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < queries.size(); ++i) {
      if ((queries[i].kind == OffsetQuery::Kind::stable_end) != stable) continue;
      const Partition& partition = queries[i].partition;
      asked.push_back({partition.topic, partition.number, wire_time(queries[i])});
      places.push_back(i);
    }
    if (asked.empty()) continue;
    auto answered = co_await client::list_offsets(caller, asked, stable);
    if (!answered) co_return fail(answered);
    for (std::size_t i = 0; i < places.size(); ++i) found[places[i]] = (*answered)[i];
  }
  co_return found;
}

Task<Result<ClusterDescription>> brokers_of(Caller caller) {
  auto described = co_await client::describe_cluster(caller);
  if (!described) co_return fail(described);
  ClusterDescription description{described->id, described->controller, {}};
  for (const auto& [id, address] : described->brokers)
    description.brokers.push_back({id, address.host, address.port});
  co_return description;
}

Task<Result<std::vector<GroupListing>>> groups_of(Caller caller) {
  auto groups = co_await client::list_groups(caller);
  if (!groups) co_return fail(groups);
  std::vector<GroupListing> listings;
  for (client::ListedGroup& group : *groups)
    listings.push_back(
        {std::move(group.id), std::move(group.protocol_type), std::move(group.state)});
  co_return listings;
}

Task<Result<GroupDescription>> describe_members(Caller caller, std::string group) {
  auto described = co_await client::describe_group(caller, group);
  if (!described) co_return fail(described);
  GroupDescription description{
      described->id, described->state, described->protocol_type, described->protocol, {}};
  for (const auto& from : described->members) {
    MemberDescription member{from.id, from.instance_id, from.client_id, from.client_host, {}};
    for (const auto& [topic, partitions] : from.assignment)
      for (std::int32_t partition : partitions) member.assignment.push_back({topic, partition});
    description.members.push_back(std::move(member));
  }
  co_return description;
}

Task<Result<std::vector<CommittedOffset>>> offsets_of(Caller caller, std::string group) {
  auto offsets = co_await client::group_offsets(caller, group);
  if (!offsets) co_return fail(offsets);
  std::vector<CommittedOffset> committed;
  for (client::GroupOffset& offset : *offsets)
    committed.push_back(
        {{std::move(offset.topic), offset.partition}, offset.offset, std::move(offset.metadata)});
  co_return committed;
}

Task<Result<void>> set_offsets(Caller caller, std::string group,
                               std::vector<CommittedOffset> offsets) {
  if (auto wrong = client::check(offsets)) co_return tl::unexpected(*wrong);
  // A request names a topic once.
  std::sort(offsets.begin(), offsets.end(),
            [](const auto& a, const auto& b) { return a.partition < b.partition; });
  std::vector<client::GroupOffset> to_commit;
  for (CommittedOffset& offset : offsets)
    to_commit.push_back({std::move(offset.partition.topic), offset.partition.number, offset.offset,
                         std::move(offset.metadata)});
  auto committed = co_await client::commit_group_offsets(caller, group, to_commit);
  co_return committed;
}

}  // namespace

Admin::Admin(boost::asio::any_io_executor executor, ClientOptions options)
    : handle_(std::make_shared<Handle>(std::move(executor), std::move(options))) {}

Admin::~Admin() {
  if (handle_) handle_->close();
}

Admin::Admin(Admin&&) noexcept = default;

Admin& Admin::operator=(Admin&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

void Admin::close() {
  handle_->close();
}

void Admin::create_topic(Handle& handle, Completion<> done, NewTopic topic) {
  client::launch<>(handle, std::move(done), Effect::possible, [&](Caller caller) {
    return client::create_topic(std::move(caller), std::move(topic));
  });
}

void Admin::delete_topic(Handle& handle, Completion<> done, std::string topic) {
  client::launch<>(handle, std::move(done), Effect::possible, [&](Caller caller) {
    return client::delete_topic(std::move(caller), std::move(topic));
  });
}

void Admin::create_partitions(Handle& handle, Completion<> done, std::string topic,
                              std::int32_t count) {
  client::launch<>(handle, std::move(done), Effect::possible, [&](Caller caller) {
    return client::create_partitions(std::move(caller), std::move(topic), count);
  });
}

void Admin::list_topics(Handle& handle, Completion<std::vector<TopicDescription>> done) {
  client::launch<std::vector<TopicDescription>>(handle, std::move(done), Effect::none, list);
}

void Admin::describe_topic(Handle& handle, Completion<TopicDescription> done, std::string topic) {
  client::launch<TopicDescription>(handle, std::move(done), Effect::none, [&](Caller caller) {
    return describe(std::move(caller), std::move(topic));
  });
}

void Admin::topic_configs(Handle& handle, Completion<std::vector<ConfigEntry>> done,
                          std::string topic) {
  client::launch<std::vector<ConfigEntry>>(
      handle, std::move(done), Effect::none,
      [&](Caller caller) { return configs_of(std::move(caller), std::move(topic)); });
}

void Admin::alter_topic_configs(Handle& handle, Completion<> done, std::string topic,
                                std::vector<ConfigChange> changes) {
  client::launch<>(handle, std::move(done), Effect::possible, [&](Caller caller) {
    return client::alter_topic(std::move(caller), std::move(topic), std::move(changes));
  });
}

void Admin::list_offsets(Handle& handle, Completion<std::vector<std::optional<std::int64_t>>> done,
                         std::vector<OffsetQuery> queries) {
  client::launch<std::vector<std::optional<std::int64_t>>>(
      handle, std::move(done), Effect::none,
      [&](Caller caller) { return find_offsets(std::move(caller), std::move(queries)); });
}

void Admin::delete_records(Handle& handle, Completion<std::vector<std::int64_t>> done,
                           std::vector<PartitionOffset> before) {
  client::launch<std::vector<std::int64_t>>(
      handle, std::move(done), Effect::possible,
      [&](Caller caller) { return client::delete_records(std::move(caller), std::move(before)); });
}

void Admin::describe_cluster(Handle& handle, Completion<ClusterDescription> done) {
  client::launch<ClusterDescription>(handle, std::move(done), Effect::none, brokers_of);
}

void Admin::list_groups(Handle& handle, Completion<std::vector<GroupListing>> done) {
  client::launch<std::vector<GroupListing>>(handle, std::move(done), Effect::none, groups_of);
}

void Admin::describe_group(Handle& handle, Completion<GroupDescription> done, std::string group) {
  client::launch<GroupDescription>(handle, std::move(done), Effect::none, [&](Caller caller) {
    return describe_members(std::move(caller), std::move(group));
  });
}

void Admin::group_offsets(Handle& handle, Completion<std::vector<CommittedOffset>> done,
                          std::string group) {
  client::launch<std::vector<CommittedOffset>>(
      handle, std::move(done), Effect::none,
      [&](Caller caller) { return offsets_of(std::move(caller), std::move(group)); });
}

void Admin::alter_group_offsets(Handle& handle, Completion<> done, std::string group,
                                std::vector<CommittedOffset> offsets) {
  client::launch<>(handle, std::move(done), Effect::possible, [&](Caller caller) {
    return set_offsets(std::move(caller), std::move(group), std::move(offsets));
  });
}

void Admin::delete_group(Handle& handle, Completion<> done, std::string group) {
  client::launch<>(handle, std::move(done), Effect::possible, [&](Caller caller) {
    return client::delete_group(std::move(caller), std::move(group));
  });
}

}  // namespace leat
