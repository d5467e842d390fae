// The broker that coordinates a group, found and asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "client/caller.h"
#include "client/cluster.h"
#include "client/connection.h"
#include "client/error.h"
#include "client/wire_error.h"
#include "net/task.h"
#include "wire/error_code.h"

namespace leat::client {

/// A broker that is not, or not yet, the group's coordinator: ask again, perhaps another one.
constexpr bool is_coordinator_lost(wire::ErrorCode code) {
  return code == wire::ErrorCode::not_coordinator ||
         code == wire::ErrorCode::coordinator_not_available ||
         code == wire::ErrorCode::coordinator_load_in_progress;
}

/// Lives on the cluster's executor.
class GroupCoordinator {
 public:
  GroupCoordinator(Caller caller, std::string group, Lane lane = Lane::shared)
      : cluster_(std::move(caller.cluster)),
        stop_(std::move(caller.stop)),
        group_(std::move(group)),
        lane_(lane) {}

  /// Asks for what `code_of(response)` then judges, of the broker that it takes, until that is not
  /// about coordinators, or the operation timeout is over. What a broker answers is no error here.
  /// A lost connection is tried again too: every request must bear being made twice.
  template <class Request, class CodeOf>
  net::Task<Result<typename Request::Response>> ask(const Request& request, CodeOf code_of,
                                                    std::chrono::milliseconds timeout) {
    auto deadline = std::chrono::steady_clock::now() + cluster_->options().operation_timeout;
    // A cluster that nobody answers for is not waited for: the user may have mistyped it.
    Result<void> reached = co_await reach();
    if (!reached) co_return fail(reached);
    for (int attempts = 1;; ++attempts) {
      Error error{Errc::request_timed_out, ""};
      Result<Connection::Ptr> found = co_await find();
      if (!found) {
        error = found.error();
      } else {
        Connection::Ptr connection = *found;
        address_ = connection->address().to_string();
        auto answer = co_await connection->call(request, timeout);
        if (answer && !is_coordinator_lost(code_of(answer->message))) {
          co_return std::move(answer->message);
        }
        node_ = -1;
        error = answer ? error_of(code_of(answer->message), *connection) : answer.error();
      }
      bool is_final = !is_transient(error) && error.code != Errc::coordinator_not_available;
      bool is_late = std::chrono::steady_clock::now() >= deadline || stop_.stop_requested();
      if (is_final || is_late) co_return tl::unexpected(error);
      co_await cluster_->back_off(attempts);
    }
  }

  const std::string& group() const { return group_; }
  /// Of the broker that answered last.
  const std::string& address() const { return address_; }

 private:
  net::Task<Result<void>> reach();
  net::Task<Result<Connection::Ptr>> find();
  Error error_of(wire::ErrorCode code, const Connection& connection) const;

  std::shared_ptr<Cluster> cluster_;
  std::stop_token stop_;
  std::string group_;
  Lane lane_;
  std::int32_t node_ = -1;
  std::string address_;
};

}  // namespace leat::client
