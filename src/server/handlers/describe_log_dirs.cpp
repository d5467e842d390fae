// DescribeLogDirs: the one data directory and the size of each partition in it.
#include <utility>

#include "server/handlers.h"

namespace leat::server {
namespace {

using wire::DescribeLogDirsRequest;
using wire::DescribeLogDirsResponse;

/// Leaves out what does not exist, as Kafka does.
void describe(const broker::Topic& topic, std::int32_t partition,
              DescribeLogDirsResponse::Topic& out) {
  auto found = topic.partition(PartitionId{partition});
  if (!found) return;
  auto& entry = out.partitions.emplace_back();
  entry.partition_index = partition;
  entry.partition_size = static_cast<std::int64_t>(found->view()->size_bytes());
}

void describe_all(broker::Broker& broker, DescribeLogDirsResponse::Directory& directory) {
  auto topics = broker.topics();
  for (const broker::TopicPtr& found : topics->topics()) {
    auto& topic = directory.topics.emplace_back();
    topic.name = found->info.name;
    for (std::int32_t i = 0; i < found->info.partitions; ++i) describe(*found, i, topic);
  }
}

void describe_some(broker::Broker& broker, const DescribeLogDirsRequest& request,
                   DescribeLogDirsResponse::Directory& directory) {
  for (const auto& asked : *request.topics) {
    broker::TopicPtr found = broker.find_topic(asked.topic);
    if (!found) continue;
    DescribeLogDirsResponse::Topic topic;
    topic.name = asked.topic;
    for (std::int32_t partition : asked.partitions) describe(*found, partition, topic);
    if (!topic.partitions.empty()) directory.topics.push_back(std::move(topic));
  }
}

}  // namespace

void handle(Call<DescribeLogDirsRequest> call) {
  broker::Broker& broker = call.broker();
  DescribeLogDirsResponse response;
  DescribeLogDirsResponse::Directory& directory = response.results.emplace_back();
  directory.log_dir = broker.options().store.directory;
  if (broker.store().failure()) directory.error_code = wire::ErrorCode::kafka_storage_error;
  if (auto free = broker.files().free_bytes(directory.log_dir)) {
    directory.usable_bytes = static_cast<std::int64_t>(*free);
  }
  if (call.request().topics) {
    describe_some(broker, call.request(), directory);
  } else {
    describe_all(broker, directory);
  }
  call.answer(response);
}

}  // namespace leat::server
