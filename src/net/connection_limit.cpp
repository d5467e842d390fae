#include "net/connection_limit.h"

namespace leat::net {

ConnectionLimit::ConnectionLimit(std::size_t connections_max, std::size_t per_address_max)
    : connections_max_(connections_max),
      per_address_max_(per_address_max),
      counts_(std::make_shared<Counts>()) {}

ConnectionLimit::Token ConnectionLimit::admit(const boost::asio::ip::address& peer) {
  std::lock_guard lock(counts_->mutex);
  if (counts_->all >= connections_max_) return nullptr;
  auto at = counts_->by_address.try_emplace(peer, 0).first;
  if (at->second >= per_address_max_) return nullptr;
  ++at->second;
  ++counts_->all;
  auto let_go = [counts = counts_, at](void*) {
    std::lock_guard guard(counts->mutex);
    --counts->all;
    if (--at->second == 0) counts->by_address.erase(at);
  };
  return {counts_.get(), let_go};
}

std::size_t ConnectionLimit::open() const {
  std::lock_guard lock(counts_->mutex);
  return counts_->all;
}

}  // namespace leat::net
