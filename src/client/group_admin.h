// What is asked about groups from outside of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/caller.h"
#include "client/error.h"
#include "client/group_protocol.h"
#include "net/task.h"

namespace leat::client {

class Cluster;

struct ListedGroup {
  std::string id;
  std::string protocol_type;
  std::string state;
};

struct MemberDescription {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  TopicPartitions assignment;
};

struct GroupDescription {
  std::string id;
  std::string state;
  std::string protocol_type;
  std::string protocol;
  std::vector<MemberDescription> members;
};

struct GroupOffset {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string metadata = {};
};

/// Of all brokers, by id.
net::Task<Result<std::vector<ListedGroup>>> list_groups(Caller caller);
/// Errc::not_found if there is none.
net::Task<Result<GroupDescription>> describe_group(Caller caller, std::string group);
/// All that the group has committed, by topic and partition.
net::Task<Result<std::vector<GroupOffset>>> group_offsets(Caller caller, std::string group);
/// Refused while the group has members.
net::Task<Result<void>> commit_group_offsets(Caller caller, std::string group,
                                             std::vector<GroupOffset> offsets);
net::Task<Result<void>> delete_group(Caller caller, std::string group);

}  // namespace leat::client
