// OffsetCommit: all partitions of a request in one batch, answered when that is durable.
#include <memory>
#include <utility>
#include <vector>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::GroupError;
using wire::OffsetCommitRequest;
using wire::OffsetCommitResponse;
using CommitCall = Call<OffsetCommitRequest>;

broker::CommitRequest to_broker(const CommitCall& call) {
  const OffsetCommitRequest& request = call.request();
  broker::CommitRequest commit;
  commit.knows_epochs = call.version() >= 9;
  commit.group_id = request.group_id;
  commit.member = {request.member_id, request.group_instance_id, request.generation_id};
  commit.retention_ms = request.retention_time_ms;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      commit.partitions.push_back({topic.name, partition.partition_index,
                                   partition.committed_offset, partition.committed_leader_epoch,
                                   partition.committed_metadata.value_or("")});
    }
  }
  return commit;
}

/// `errors` in the order of the request's partitions.
void answer(CommitCall& call, const std::vector<GroupError>& errors) {
  OffsetCommitResponse response;
  std::size_t next = 0;
  for (const auto& topic : call.request().topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      answered.partitions.push_back({partition.partition_index, to_wire(errors[next++])});
    }
  }
  call.answer(response);
}

void commit(CommitCall given, broker::Groups& groups, GroupError error) {
  broker::CommitRequest request = to_broker(given);
  if (error != GroupError::none) {
    return answer(given, std::vector<GroupError>(request.partitions.size(), error));
  }
  auto call = std::make_shared<CommitCall>(std::move(given));
  groups.commit(std::move(request),
                [call](const std::vector<GroupError>& errors) { answer(*call, errors); });
}

}  // namespace

void handle(CommitCall call) {
  with_groups(std::move(call), commit);
}

}  // namespace leat::server
