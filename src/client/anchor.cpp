#include "client/anchor.h"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <mutex>
#include <set>
#include <utility>

#include "client/stop.h"

namespace leat::client {

namespace asio = boost::asio;

/// All anchors of a context. Contexts shut their services down before they destroy any, so what
/// belongs to the context may still be destroyed then.
class Anchor::Registry : public asio::execution_context::service {
 public:
  using key_type = Registry;
  static asio::execution_context::id id;

  explicit Registry(asio::execution_context& context) : service(context) {}

  void add(Anchor* anchor) {
    std::lock_guard lock(mutex_);
    anchors_.insert(anchor);
  }
  void remove(Anchor* anchor) {
    std::lock_guard lock(mutex_);
    anchors_.erase(anchor);
  }

 private:
  void shutdown() override {
    std::set<Anchor*> anchors;
    {
      std::lock_guard lock(mutex_);
      anchors.swap(anchors_);
    }
    for (Anchor* anchor : anchors) {
      anchor->registry_ = nullptr;
      anchor->let_go();
    }
  }

  std::mutex mutex_;
  std::set<Anchor*> anchors_;  // guarded by mutex_
};

asio::execution_context::id Anchor::Registry::id;

Anchor::Anchor(asio::any_io_executor executor, ClientOptions options, std::optional<Error> wrong)
    : executor_(std::move(executor)),
      cluster_(std::make_shared<Cluster>(asio::make_strand(executor_), std::move(options),
                                         std::move(wrong))),
      registry_(&asio::use_service<Registry>(asio::query(executor_, asio::execution::context))) {
  registry_->add(this);
  // The token is a copy of the options', which the cluster keeps.
  on_stop_.emplace(StopInside::token_of(cluster_->options().stop), [this] { close(); });
}

Anchor::~Anchor() {
  on_stop_.reset();
  if (registry_) registry_->remove(this);
}

void Anchor::close() {
  if (!cluster_) return;
  asio::post(cluster_->executor(), [cluster = cluster_] {
    cluster->close({Errc::cancelled, "the client is closed"});
  });
}

void Anchor::let_go() {
  on_stop_.reset();
  cluster_.reset();
  executor_ = {};
}

}  // namespace leat::client
