// What members ask of a group and what they get, by Kafka's words and without its messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace leat::broker {

/// What keeps a group from doing what was asked; named like Kafka's codes.
enum class GroupError {
  none,
  coordinator_not_available,  // it could not be written down: ask again
  invalid_group_id,
  unknown_member_id,
  illegal_generation,
  inconsistent_group_protocol,
  invalid_session_timeout,
  rebalance_in_progress,
  member_id_required,
  group_max_size_reached,
  fenced_instance_id,
  group_id_not_found,
  non_empty_group,
  group_subscribed_to_topic,
  unknown_topic_or_partition,
  offset_metadata_too_large,
  invalid_commit_offset_size,
  unstable_offset_commit,
  invalid_request,
  unsupported_version,
  fenced_member_epoch,
  unreleased_instance_id,
  unsupported_assignor,
  stale_member_epoch,
  invalid_regular_expression,
};

enum class GroupState { empty, preparing_rebalance, completing_rebalance, stable, dead };
/// Kafka's own name, such as "PreparingRebalance".
std::string_view name(GroupState state);

/// What may be asked of groups.
struct GroupOptions {
  std::chrono::milliseconds session_timeout_min{6'000};
  std::chrono::milliseconds session_timeout_max{1'800'000};
  /// How long a group that was empty waits for more members before its first generation.
  std::chrono::milliseconds initial_rebalance_delay{0};
  std::size_t members_max = 10'000;
  /// Members and committed offsets of all groups together take at most about so much memory.
  std::uint64_t memory_bytes_max = std::uint64_t{256} << 20;
  /// Offsets go so long after their group became empty, or after their commit where no member ever
  /// was.
  std::chrono::milliseconds offsets_retention{std::chrono::hours(7 * 24)};
  std::chrono::milliseconds expiry_check_interval{600'000};
  /// Of members of consumer groups, who do not choose their own.
  std::chrono::milliseconds consumer_session_timeout{45'000};
  std::chrono::milliseconds consumer_heartbeat_interval{5'000};
  /// What a client may keep beside a committed offset.
  std::size_t offset_metadata_bytes_max = 4096;
};

/// A way of sharing out work that a member knows, and what it wants of it. Opaque to us.
struct GroupProtocol {
  std::string name;
  Bytes metadata;
  friend bool operator==(const GroupProtocol&, const GroupProtocol&) = default;
};

struct JoinRequest {
  std::string group_id;
  std::string member_id;  // empty: has none yet
  std::optional<std::string> instance_id = {};
  std::string client_id = {};
  std::string client_host = {};
  std::chrono::milliseconds session_timeout{0};
  std::chrono::milliseconds rebalance_timeout{0};
  std::string protocol_type = {};
  std::vector<GroupProtocol> protocols = {};  // best first
  /// A new member is told its id first, and comes again with it (JoinGroup 4 and later).
  bool takes_id_first = false;
  /// A leader may be told that there is nothing to assign (JoinGroup 9 and later).
  bool can_skip_assignment = false;
};

struct JoinedMember {
  std::string member_id;
  std::optional<std::string> instance_id;
  Bytes metadata;
};

struct JoinResult {
  GroupError error = GroupError::none;
  std::int32_t generation = -1;
  std::optional<std::string> protocol_type = {};
  std::optional<std::string> protocol = {};
  std::string leader = {};
  std::string member_id = {};
  bool skip_assignment = false;
  std::vector<JoinedMember> members = {};  // for the leader only
};

struct MemberAssignment {
  std::string member_id;
  Bytes assignment;
};

/// Who speaks: a member, by its id and, if it is static, by its instance.
struct MemberIdentity {
  std::string member_id;
  std::optional<std::string> instance_id = {};
  std::int32_t generation = -1;
};

struct SyncRequest {
  std::string group_id;
  MemberIdentity member;
  std::optional<std::string> protocol_type = {};
  std::optional<std::string> protocol = {};
  std::vector<MemberAssignment> assignments = {};  // from the leader only
};

struct SyncResult {
  GroupError error = GroupError::none;
  std::optional<std::string> protocol_type = {};
  std::optional<std::string> protocol = {};
  Bytes assignment = {};
};

}  // namespace leat::broker
