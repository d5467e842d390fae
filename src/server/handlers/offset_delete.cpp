// OffsetDelete: forgets what a group has committed of topics that none of its members wants.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::GroupError;
using wire::OffsetDeleteResponse;
using DeleteCall = Call<wire::OffsetDeleteRequest>;

void answer(DeleteCall& call, const std::vector<GroupError>& errors) {
  OffsetDeleteResponse response;
  // These are about the group, and so of all.
  auto is_of_group = [](GroupError error) {
    return error == GroupError::group_id_not_found || error == GroupError::non_empty_group ||
           error == GroupError::coordinator_not_available;
  };
  auto of_group = std::find_if(errors.begin(), errors.end(), is_of_group);
  if (of_group != errors.end()) {
    response.error_code = to_wire(*of_group);
    return call.answer(response);
  }
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

void remove(DeleteCall given, broker::Groups& groups, GroupError error) {
  std::vector<broker::GroupPartition> partitions;
  for (const auto& topic : given.request().topics) {
    for (const auto& partition : topic.partitions) {
      partitions.push_back({topic.name, partition.partition_index});
    }
  }
  if (error != GroupError::none) return answer(given, {error});
  auto call = std::make_shared<DeleteCall>(std::move(given));
  groups.forget_offsets(call->request().group_id, std::move(partitions),
                        [call](const std::vector<GroupError>& errors) { answer(*call, errors); });
}

}  // namespace

void handle(DeleteCall call) {
  with_groups(std::move(call), remove);
}

}  // namespace leat::server
