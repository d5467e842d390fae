#include "client/background.h"

#include <pthread.h>
#include <signal.h>

#include <functional>
#include <utility>

namespace leat::client {

namespace {

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

Background::Background()
    : work_(boost::asio::make_work_guard(context_)),
      thread_(start_without_signals([this] { context_.run(); })) {}

Background::~Background() {
  work_.reset();
  thread_.join();
}

}  // namespace leat::client
