// ListTransactions: the transactional ids there are, by state, producer or age.
#include <algorithm>
#include <array>

#include "broker/transactions.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::TransactionState;

constexpr std::array all_states{
    TransactionState::empty,           TransactionState::ongoing,
    TransactionState::prepare_commit,  TransactionState::prepare_abort,
    TransactionState::complete_commit, TransactionState::complete_abort};

bool contains(const auto& list, const auto& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool is_asked_for(const wire::ListTransactionsRequest& request,
                  const broker::Transaction& transaction, std::int64_t now_ms) {
  if (!request.state_filters.empty() && !contains(request.state_filters, name(transaction.state))) {
    return false;
  }
  if (!request.producer_id_filters.empty() &&
      !contains(request.producer_id_filters, transaction.producer.value())) {
    return false;
  }
  if (request.duration_filter_ms < 0) return true;
  return transaction.state == TransactionState::ongoing &&
         now_ms - transaction.started_ms >= request.duration_filter_ms;
}

}  // namespace

void handle(Call<wire::ListTransactionsRequest> call) {
  const wire::ListTransactionsRequest& request = call.request();
  wire::ListTransactionsResponse response;
  for (const std::string& filter : request.state_filters) {
    bool is_known = std::any_of(all_states.begin(), all_states.end(),
                                [&](TransactionState state) { return name(state) == filter; });
    if (!is_known) response.unknown_state_filters.push_back(filter);
  }
  std::int64_t now_ms = call.broker().clock().wall_ms();
  for (const auto& [id, transaction] : call.broker().transactions().list()) {
    if (!is_asked_for(request, transaction, now_ms)) continue;
    auto& answer = response.transactions.emplace_back();
    answer.transactional_id = id;
    answer.producer_id = transaction.producer.value();
    answer.transaction_state = name(transaction.state);
  }
  call.answer(response);
}

}  // namespace leat::server
