// What the handlers of groups share.
#pragma once

#include <cstdint>
#include <utility>

#include "broker/groups.h"
#include "server/call.h"
#include "server/wire_error.h"

namespace leat::server {

/// What can be done to a group, as Kafka's bit field: read, delete, describe.
inline constexpr std::int32_t all_group_operations = 0b1'0100'1000;

/// Calls `use(call, groups, error)` when the groups are known, which at a start takes a moment.
/// With an error they cannot be, and it is the answer.
template <class Request, class Use>
void with_groups(Call<Request> call, Use use) {
  broker::Groups& groups = call.broker().groups();
  groups.when_ready([call = std::move(call), &groups, use](broker::GroupError error) mutable {
    use(std::move(call), groups, error);
  });
}

}  // namespace leat::server
