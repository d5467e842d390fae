#include "client/group_coordinator.h"

#include <boost/asio/use_awaitable.hpp>

#include <utility>
#include <vector>

#include "wire/find_coordinator.h"

namespace leat::client {

Error GroupCoordinator::error_of(wire::ErrorCode code, const Connection& connection) const {
  Error error = broker_error(code, "group " + group_, connection.address().to_string());
  error.code = Errc::coordinator_not_available;
  return error;
}

net::Task<Result<void>> GroupCoordinator::reach() {
  if (!cluster_->metadata().brokers().empty()) co_return Result<void>{};
  std::vector<std::string> none;
  Result<void> refreshed = co_await cluster_->refresh(std::move(none));
  co_return refreshed;
}

net::Task<Result<Connection::Ptr>> GroupCoordinator::find() {
  if (node_ < 0) {
    Result<Connection::Ptr> any = co_await cluster_->any_broker();
    if (!any) co_return fail(any);
    Connection::Ptr connection = *any;
    wire::FindCoordinatorRequest request;
    request.coordinator_key = group_;
    request.coordinator_keys = {group_};
    auto timeout = cluster_->options().request_timeout;
    auto answer = co_await connection->call(request, timeout);
    if (!answer) co_return fail(answer);
    const wire::FindCoordinatorResponse& found = answer->message;
    bool is_batched = !found.coordinators.empty();
    wire::ErrorCode code = is_batched ? found.coordinators[0].error_code : found.error_code;
    if (code != wire::ErrorCode::none) {
      if (is_coordinator_lost(code)) co_return tl::unexpected(error_of(code, *connection));
      co_return tl::unexpected(
          broker_error(code, "group " + group_, connection->address().to_string()));
    }
    node_ = is_batched ? found.coordinators[0].node_id : found.node_id;
  }
  Result<Connection::Ptr> coordinator = co_await cluster_->broker(node_, lane_);
  if (!coordinator) node_ = -1;
  co_return coordinator;
}

}  // namespace leat::client
