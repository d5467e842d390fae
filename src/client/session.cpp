#include "client/session.h"

#include <pthread.h>
#include <signal.h>

namespace leat::client {

namespace {

/// Signals are for the threads of the program that uses this, never for one it did not start.
std::thread start_without_signals(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

Session::Session(ClientOptions options)
    : work_(boost::asio::make_work_guard(context_)),
      cluster_(std::make_shared<Cluster>(context_.get_executor(), std::move(options))),
      thread_(start_without_signals([this] { context_.run(); })) {
  on_stop_.emplace(cluster_->options().stop, [this] {
    post([cluster = cluster_] { cluster->close({Errc::cancelled, "interrupted"}); });
  });
}

Session::~Session() {
  on_stop_.reset();
  post([cluster = cluster_] { cluster->close({Errc::cancelled, "the client is closed"}); });
  work_.reset();
  thread_.join();
}

}  // namespace leat::client
