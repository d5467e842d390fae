#include "server/server.h"

#include <csignal>
#include <future>
#include <random>
#include <utility>

#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/core.h>

#include "base/logging.h"
#include "file/posix_file_system.h"
#include "net/asio_executor.h"
#include "net/http_server.h"
#include "net/listener.h"
#include "server/http_routes.h"
#include "server/kafka_service.h"
#include "server/pipeline_routes.h"
#include "server/pipelines.h"
#include "server/view_routes.h"

namespace leat::server {

namespace asio = boost::asio;

namespace {
constexpr std::chrono::seconds close_timeout{30};
}

/// A thread's loop.
struct Server::Shard {
  asio::io_context io{1};
  net::AsioExecutor executor{io};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::thread thread;  // not for the first, which is home

  void run(std::size_t number) {
    // sendfile to a peer that has gone raises this, and has no flag against it.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    pthread_setname_np(pthread_self(), fmt::format("leat-shard-{}", number).c_str());
    io.run();
  }
};

/// What home runs besides the broker.
struct Server::Loop {
  explicit Loop(Shard& home) : io(home.io), executor(home.executor) {}
  asio::io_context& io;
  net::AsioExecutor& executor;
  asio::signal_set signals{io};
  std::unique_ptr<net::Listener> kafka_listener;
  std::unique_ptr<net::HttpServer> http;
  std::unique_ptr<KafkaService> kafka;
  Progress progress;
};

Server::Server(ServerOptions options, std::unique_ptr<file::FileSystem> files)
    : options_(std::move(options)), files_(std::move(files)) {
  if (!files_) files_ = std::make_unique<file::PosixFileSystem>();
  if (options_.shards == 0) options_.shards = default_shards();
  for (std::size_t i = 0; i < options_.shards; ++i) shards_.push_back(std::make_unique<Shard>());
  loop_ = std::make_unique<Loop>(*shards_.front());
}

Executor& Server::executor() {
  return loop_->executor;
}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options,
                                              std::unique_ptr<file::FileSystem> files) {
  std::unique_ptr<Server> server(new Server(std::move(options), std::move(files)));
  if (auto listening = server->listen(); !listening) return fail(listening);
  server->serve();
  if (auto opened = server->open(); !opened) return fail(opened);
  return server;
}

namespace {

Result<void> check_reach(const net::Address& address, const char* what, const char* key) {
  auto is_local = net::is_loopback(address);
  if (!is_local) return fail(is_local);
  if (*is_local) return {};
  return fail(Errc::invalid_argument,
              fmt::format("{} on {} would be open to everybody who can reach this machine: there "
                          "is no encryption and no authentication yet. Listen on 127.0.0.1, or "
                          "pass {} if the network is trusted",
                          what, address.to_string(), key));
}

}  // namespace

Result<void> Server::listen() {
  if (!options_.is_public_allowed) {
    auto reach = check_reach(options_.kafka, "Kafka", "--insecure");
    if (reach && options_.http) reach = check_reach(*options_.http, "HTTP", "--insecure");
    if (!reach) return reach;
  }
  auto kafka = net::Listener::bind(loop_->io, options_.kafka);
  if (!kafka) return fail(kafka);
  loop_->kafka_listener = std::move(*kafka);
  kafka_address_ = loop_->kafka_listener->address();
  if (!options_.http) return {};
  auto http = net::Listener::bind(loop_->io, *options_.http);
  if (!http) return fail(http);
  http_address_ = (*http)->address();
  loop_->http = std::make_unique<net::HttpServer>(
      std::move(*http), net::HttpOptions{},
      [this](const net::HttpRequest& request, net::HttpServer::Answer done) {
        answer(request, std::move(done));
      });
  return loop_->http->start();
}

void Server::answer(const net::HttpRequest& request, net::HttpServer::Answer answer) {
  if (has_parts_ended_) return answer(net::error_response(503, "the server is stopping"));
  bool is_view = is_view_path(request.path);
  if (!is_view && !is_pipeline_path(request.path)) {
    return answer(answer_http(request, loop_->progress, metrics_));
  }
  if (loop_->progress.phase == Progress::Phase::ready) {
    if (is_view) return answer_views(request, pipelines_->service(), clock_, std::move(answer));
    return answer_pipelines(request, pipelines_->service(), std::move(answer));
  }
  answer(net::error_response(503, loop_->progress.phase == Progress::Phase::stopping
                                      ? "the server is stopping"
                                      : "the server is recovering"));
}

void Server::serve() {
  // Until the broker is open, the loop serves HTTP only.
  loop_->executor.hold();
  if (options_.handle_signals) {
    loop_->signals.add(SIGINT);
    loop_->signals.add(SIGTERM);
    on_signal();
  }
  thread_ = std::thread([this] {
    shards_.front()->run(0);
    // They may have begun after the stop, if it came early.
    std::lock_guard lock(mutex_);
    for (std::size_t i = 1; i < shards_.size(); ++i) {
      shards_[i]->io.stop();
      if (shards_[i]->thread.joinable()) shards_[i]->thread.join();
    }
    is_stopped_ = true;
    stopped_.notify_all();
  });
}

void Server::start_shards() {
  std::lock_guard lock(mutex_);
  if (is_stopped_) return;
  for (std::size_t i = 1; i < shards_.size(); ++i) {
    shards_[i]->thread = std::thread([shard = shards_[i].get(), i] { shard->run(i); });
  }
}

void Server::on_signal() {
  loop_->signals.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    // The second one means it.
    if (is_stopping_) {
      outcome_ = fail(Errc::cancelled, "stopped at once; the next start has to recover");
      return stop_now();
    }
    log_info("stopping; a second signal stops at once");
    begin_stop();
    on_signal();
  });
}

Result<void> Server::open() {
  if (options_.broker.store.owner.empty()) {
    options_.broker.store.owner =
        fmt::format("pid {}, reached by -b {}", ::getpid(), kafka_address_.to_string());
    if (http_address_) {
      options_.broker.store.owner += fmt::format(" and http://{}", http_address_->to_string());
    }
  }
  options_.broker.store.recovering = [this](double done) {
    loop_->progress.percent = static_cast<int>(100 * done);
    return !is_stopping_;
  };
  log::Store::Environment environment{*files_, loop_->executor, clock_, metrics_, {}};
  std::vector<net::AsioExecutor*> executors;
  for (const auto& shard : shards_) {
    environment.shards.push_back(&shard->executor);
    executors.push_back(&shard->executor);
  }
  std::random_device entropy;
  std::uint64_t seed = (std::uint64_t{entropy()} << 32) | entropy();
  auto opened = broker::Broker::open(environment, options_.broker, Random(seed));
  if (!opened) return fail(opened);
  broker_ = std::move(*opened);
  findings_ = broker_->store().findings();
  register_broker_metrics(metrics_, *broker_);
  pipelines_ = std::make_unique<Pipelines>(*broker_, clock_, metrics_);
  start_shards();
  auto started = std::make_shared<std::promise<Result<void>>>();
  asio::post(loop_->io, [this, started, executors] {
    if (is_stopping_) {
      return started->set_value(fail(Errc::cancelled, "stopped before the server was ready"));
    }
    loop_->kafka = std::make_unique<KafkaService>(executors, metrics_, *broker_, options_,
                                                  std::move(loop_->kafka_listener));
    loop_->progress.broker = broker_.get();
    loop_->progress.phase = Progress::Phase::ready;
    auto listening = loop_->kafka->start();
    if (listening) pipelines_->open();
    started->set_value(std::move(listening));
  });
  loop_->executor.release();
  std::future<Result<void>> outcome = started->get_future();
  // A second signal ends the loop, and then nobody keeps the promise.
  while (outcome.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout) {
    std::lock_guard lock(mutex_);
    if (is_stopped_) return fail(Errc::cancelled, "stopped before the server was ready");
  }
  Result<void> result = outcome.get();
  is_started_ = result.has_value();
  return result;
}

void Server::begin_stop() {
  asio::post(loop_->io, [this] {
    if (is_stopping_) return;
    is_stopping_ = true;
    loop_->progress.phase = Progress::Phase::stopping;
    // While it recovers, there is nothing to close: recovery gives up, or open() sees it behind it.
    if (!loop_->kafka) return;
    // A disk that does not answer must not hold up the end of the process. What was acknowledged is
    // as safe as the durability mode says; only the next start takes longer.
    loop_->executor.after(close_timeout, [this] {
      outcome_ = fail(Errc::storage_error, "the data directory did not close in time");
      loop_->io.stop();
    });
    loop_->kafka->stop([this] { part_stopped(); });
    pipelines_->close([this] { asio::post(loop_->io, [this] { part_stopped(); }); });
  });
}

void Server::part_stopped() {
  if (--parts_to_stop_ == 0) close_broker();
}

void Server::close_broker() {
  broker_->close([this](Result<void> closed) {
    if (!closed) log_error("closing the data directory: {}", closed.error().what);
    outcome_ = std::move(closed);
    loop_->io.stop();
  });
}

void Server::stop_now() {
  loop_->io.stop();
}

Result<void> Server::wait() {
  std::unique_lock lock(mutex_);
  stopped_.wait(lock, [this] { return is_stopped_; });
  return outcome_;
}

Result<void> Server::stop() {
  begin_stop();
  return wait();
}

std::size_t default_shards() {
  return 1;
}

Server::~Server() {
  if (thread_.joinable()) {
    if (is_started_) {
      begin_stop();
    } else {
      stop_now();
    }
    thread_.join();
  }
  is_stopping_ = true;  // nothing else is begun, though it may have been asked for
  loop_->progress.phase = Progress::Phase::stopping;
  // What is still open ends here, on this thread: nothing else runs any more.
  if (loop_->kafka) loop_->kafka->close_all("");
  if (loop_->http) loop_->http->stop();
  for (const auto& shard : shards_) shard->work.reset();
  auto poll = [this] {
    std::size_t polled = 0;
    for (const auto& shard : shards_) {
      shard->io.restart();
      polled += shard->io.poll();
    }
    return polled;
  };
  if (pipelines_) {
    // What a client has sent meanwhile is answered by nothing of them. A commit under way is waited
    // for, and is committed here.
    has_parts_ended_ = true;
    pipelines_->end();
    while (!pipelines_->has_ended()) {
      if (poll() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  while (poll() > 0) {
  }
  loop_->kafka.reset();
  // Its jobs, on other threads, end on our executor, and what they did for pipelines on theirs.
  broker_.reset();
  pipelines_.reset();
  files_.reset();
}

}  // namespace leat::server
