// A whole server: a data directory behind a Kafka listener and an HTTP listener.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "broker/broker.h"
#include "file/file.h"
#include "net/address.h"
#include "server/options.h"

namespace leat::net {
struct HttpRequest;
struct HttpResponse;
}  // namespace leat::net

namespace leat::server {

class Pipelines;

/// Runs on threads of its own, the shards: partitions and connections are spread over them; broker,
/// store and listeners live on the first, home. Several servers may run in a process. Members are
/// thread-safe where they do not say otherwise.
class Server {
 public:
  /// Takes the ports, recovers the data directory and begins to serve; /healthz answers meanwhile.
  /// Blocks until the server is ready. Errors name the way out: a port that is taken, a directory
  /// that is held or was written by a newer version, an address that others could reach.
  /// `files` defaults to those of the operating system.
  static Result<std::unique_ptr<Server>> start(ServerOptions options,
                                               std::unique_ptr<file::FileSystem> files = nullptr);
  /// Stops, if that was not done.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Where it listens, with real ports.
  const net::Address& kafka_address() const { return kafka_address_; }
  const std::optional<net::Address>& http_address() const { return http_address_; }

  /// What of it is not thread-safe is to be used on executor() only.
  broker::Broker& broker() { return *broker_; }
  Executor& executor();
  const ServerOptions& options() const { return options_; }
  Metrics& metrics() { return metrics_; }
  /// What recovery found in the data directory.
  const std::vector<log::Finding>& findings() const { return findings_; }

  /// Begins to stop: accepts no more, answers what came, closes the data directory. Returns at
  /// once; wait() tells the end.
  void begin_stop();
  /// As a crash, but in order: what is acknowledged is safe in every mode but `os`.
  void stop_now();
  /// Blocks until the server has stopped. An error when the data directory did not close well.
  Result<void> wait();
  /// begin_stop() and wait().
  Result<void> stop();

 private:
  // What knows Asio:
  struct Loop;
  struct Shard;

  Server(ServerOptions options, std::unique_ptr<file::FileSystem> files);
  Result<void> listen();
  Result<void> open();
  void serve();
  void start_shards();
  void on_signal();
  void answer(const net::HttpRequest& request, UniqueFunction<void(net::HttpResponse)> answer);
  /// When what is at work has ended, of which there are two.
  void part_stopped();
  void close_broker();

  ServerOptions options_;
  SystemClock clock_;
  Metrics metrics_;
  std::vector<std::unique_ptr<Shard>> shards_;  // the first is home
  std::unique_ptr<Loop> loop_;
  // Destroyed before the loop: its jobs end on our executor.
  std::unique_ptr<file::FileSystem> files_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<Pipelines> pipelines_;
  std::vector<log::Finding> findings_;
  net::Address kafka_address_;
  std::optional<net::Address> http_address_;
  std::thread thread_;       // home's; it waits for the others
  bool is_started_ = false;  // open() went well
  int parts_to_stop_ = 2;    // of the loop's thread: clients and pipelines

  std::mutex mutex_;
  std::condition_variable stopped_;
  // Guarded by mutex_:
  bool is_stopped_ = false;
  Result<void> outcome_;
  bool has_parts_ended_ = false;
  std::atomic<bool> is_stopping_{false};  // set on the loop's thread
};

/// How many shards a server has that is not told: what helps on this machine.
std::size_t default_shards();

}  // namespace leat::server
