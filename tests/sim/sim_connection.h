// A client's connection to a simulated server: requests go in as frames, answers come out as
// frames, and no socket is between them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/executor.h"
#include "net/address.h"
#include "server/call.h"
#include "server/dispatch.h"

namespace leat::sim {

/// Does what server::Connection does, but for the stream: a Produce may start while earlier ones
/// wait, anything else waits for all before it, answers leave in order.
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
  std::size_t unanswered() const { return slots_.size() + inbox_.size(); }

  Executor& executor() override { return executor_; }
  void answer(std::uint64_t slot, server::Answer answer) override;
  void finish(std::uint64_t slot) override;
  void disconnect(const std::string& reason) override;
  void on_hurry(std::uint64_t slot, UniqueFunction<void()> hurry) override;
  void on_timeout(std::uint64_t slot, std::chrono::milliseconds timeout,
                  UniqueFunction<void()> late) override;

 private:
  struct Slot {
    bool is_produce = false;
    bool is_done = false;
    std::optional<server::Answer> answer;
    UniqueFunction<void()> hurry;
    UniqueFunction<void()> late;
  };

  Slot* find_slot(std::uint64_t slot);
  void post_pump();
  void pump();
  bool may_start(const net::Frame& frame) const;
  void start(net::Frame frame);
  void deliver(server::Answer& answer);

  server::Node& node_;
  Executor& executor_;
  server::FetchSessions sessions_;
  Peer peer_;
  net::Address advertised_{"simulated", 9092};
  std::deque<net::Frame> inbox_;
  std::deque<Slot> slots_;
  std::uint64_t first_slot_ = 0;
  bool is_open_ = true;
  bool is_draining_ = false;
  bool is_pump_posted_ = false;
};

}  // namespace leat::sim
