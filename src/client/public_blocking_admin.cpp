#include <boost/asio/use_future.hpp>

#include <utility>

#include "client/background.h"
#include "leat/blocking.h"
#include "leat/client.h"

namespace leat::blocking {

namespace {

const auto in_future = with_diagnostics(boost::asio::use_future);

}  // namespace

struct Admin::Inside {
  explicit Inside(ClientOptions options)
      : admin(background.context().get_executor(), std::move(options)) {}

  client::Background background;
  leat::Admin admin;
};

Admin::Admin(ClientOptions options) : inside_(std::make_unique<Inside>(std::move(options))) {}
Admin::~Admin() = default;
Admin::Admin(Admin&&) noexcept = default;
Admin& Admin::operator=(Admin&&) noexcept = default;

void Admin::create_topic(NewTopic topic) {
  inside_->admin.async_create_topic(std::move(topic), in_future).get();
}

void Admin::delete_topic(std::string topic) {
  inside_->admin.async_delete_topic(std::move(topic), in_future).get();
}

void Admin::create_partitions(std::string topic, std::int32_t count) {
  inside_->admin.async_create_partitions(std::move(topic), count, in_future).get();
}

std::vector<TopicDescription> Admin::list_topics() {
  return inside_->admin.async_list_topics(in_future).get();
}

TopicDescription Admin::describe_topic(std::string topic) {
  return inside_->admin.async_describe_topic(std::move(topic), in_future).get();
}

std::vector<ConfigEntry> Admin::topic_configs(std::string topic) {
  return inside_->admin.async_topic_configs(std::move(topic), in_future).get();
}

void Admin::alter_topic_configs(std::string topic, std::vector<ConfigChange> changes) {
  inside_->admin.async_alter_topic_configs(std::move(topic), std::move(changes), in_future).get();
}

std::vector<std::optional<std::int64_t>> Admin::list_offsets(std::vector<OffsetQuery> queries) {
  return inside_->admin.async_list_offsets(std::move(queries), in_future).get();
}

std::vector<std::int64_t> Admin::delete_records(std::vector<PartitionOffset> before) {
  return inside_->admin.async_delete_records(std::move(before), in_future).get();
}

ClusterDescription Admin::describe_cluster() {
  return inside_->admin.async_describe_cluster(in_future).get();
}

std::vector<GroupListing> Admin::list_groups() {
  return inside_->admin.async_list_groups(in_future).get();
}

GroupDescription Admin::describe_group(std::string group) {
  return inside_->admin.async_describe_group(std::move(group), in_future).get();
}

std::vector<CommittedOffset> Admin::group_offsets(std::string group) {
  return inside_->admin.async_group_offsets(std::move(group), in_future).get();
}

void Admin::alter_group_offsets(std::string group, std::vector<CommittedOffset> offsets) {
  inside_->admin.async_alter_group_offsets(std::move(group), std::move(offsets), in_future).get();
}

void Admin::delete_group(std::string group) {
  inside_->admin.async_delete_group(std::move(group), in_future).get();
}

}  // namespace leat::blocking
