// A client's connection to a simulated server: requests go in as frames, answers come out as
// frames, and no socket is between them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/executor.h"
#include "net/address.h"
#include "server/call.h"
#include "server/request_queue.h"

namespace leat::sim {

/// Does what server::Connection does, with the same queue of requests, but without a stream.
class SimConnection final : public server::AnswerSink,
                            public std::enable_shared_from_this<SimConnection> {
 public:
  /// The client's end.
  struct Peer {
    std::function<void(Bytes frame)> answered;  // without its length
    std::function<void(const std::string& reason)> closed_by_server;
    std::function<void(const std::string& what)> object;
  };
  SimConnection(server::Node& node, Executor& executor, Peer peer);

  /// A whole frame has come, its length in front.
  void receive(BytesView frame);
  /// The client has gone, or the server's process has died.
  void close();
  /// The server stops: what waits is answered now.
  void drain();

  bool is_open() const { return is_open_; }
  std::size_t unanswered() const { return queue_.size(); }

  Executor& executor() override { return executor_; }
  void answer(std::uint64_t slot, server::Answer answer) override;
  void finish(std::uint64_t slot) override;
  void disconnect(const std::string& reason) override;
  void on_hurry(std::uint64_t slot, UniqueFunction<void()> hurry) override;
  void on_timeout(std::uint64_t slot, std::chrono::milliseconds timeout,
                  UniqueFunction<void()> late) override;

 private:
  void post_pump();
  void pump();
  void start_next();
  void arm_late(server::RequestQueue::Time from_now);
  void deliver(server::Answer& answer);
  server::RequestQueue::Time now() const { return node_.broker.clock().monotonic(); }

  server::Node& node_;
  Executor& executor_;
  server::FetchSessions sessions_;
  Peer peer_;
  net::Address advertised_{"simulated", 9092};
  std::string peer_name_ = "simulated:1";
  server::RequestQueue queue_;
  bool is_open_ = true;
  bool is_draining_ = false;
  bool is_pump_posted_ = false;
};

}  // namespace leat::sim
