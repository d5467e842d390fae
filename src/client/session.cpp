#include "client/session.h"

namespace leat::client {

Session::Session(ClientOptions options)
    : cluster_(
          std::make_shared<Cluster>(background_.context().get_executor(), std::move(options))) {
  on_stop_.emplace(cluster_->options().stop, [this] {
    post([cluster = cluster_] { cluster->close({Errc::cancelled, "interrupted"}); });
  });
}

Session::~Session() {
  on_stop_.reset();
  post([cluster = cluster_] { cluster->close({Errc::cancelled, "the client is closed"}); });
}

}  // namespace leat::client
