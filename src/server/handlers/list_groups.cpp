// ListGroups: all groups, or those of some types and in some states.
#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

bool is_same(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

bool passes(const std::vector<std::string>& filter, std::string_view value) {
  return filter.empty() || std::any_of(filter.begin(), filter.end(),
                                       [&](const auto& one) { return is_same(one, value); });
}

void list(Call<wire::ListGroupsRequest> call, broker::Groups& groups, broker::GroupError error) {
  const wire::ListGroupsRequest& request = call.request();
  wire::ListGroupsResponse response;
  response.error_code = to_wire(error);
  if (error == broker::GroupError::none) {
    for (const auto& [id, entry] : groups.table()) {
      if (!passes(request.types_filter, entry.type())) continue;
      if (!passes(request.states_filter, entry.state_name())) continue;
      response.groups.push_back({id, std::string(entry.protocol_type()),
                                 std::string(entry.state_name()), std::string(entry.type())});
    }
  }
  call.answer(response);
}

}  // namespace

void handle(Call<wire::ListGroupsRequest> call) {
  with_groups(std::move(call), list);
}

}  // namespace leat::server
