// DeleteGroups: groups without members, and what they have committed.
#include <memory>
#include <utility>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::GroupError;
using DeleteCall = Call<wire::DeleteGroupsRequest>;

struct Pending {
  explicit Pending(DeleteCall from) : call(std::move(from)) {}
  DeleteCall call;
  wire::DeleteGroupsResponse response;
  std::size_t left = 0;
};

void remove(DeleteCall given, broker::Groups& groups, GroupError error) {
  auto pending = std::make_shared<Pending>(std::move(given));
  const auto& names = pending->call.request().group_names;
  auto& results = pending->response.results;
  for (const std::string& name : names) results.push_back({name, to_wire(error)});
  if (error != GroupError::none || names.empty()) return pending->call.answer(pending->response);
  pending->left = names.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    groups.remove(names[i], [pending, i](GroupError outcome) {
      pending->response.results[i].error_code = to_wire(outcome);
      if (--pending->left == 0) pending->call.answer(pending->response);
    });
  }
}

}  // namespace

void handle(DeleteCall call) {
  with_groups(std::move(call), remove);
}

}  // namespace leat::server
