// One Kafka client: cuts its stream into requests, starts them, sends the answers in order.
//
// A coroutine reads ahead, as much as there is with one system call. What may start when is the
// request queue's matter. Answers that become ready in one turn of the loop leave in one write.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "net/asio_executor.h"
#include "net/connection_limit.h"
#include "net/deadline.h"
#include "net/event.h"
#include "net/frame_reader.h"
#include "net/outbox.h"
#include "net/task.h"
#include "server/call.h"
#include "server/dispatch.h"
#include "server/request_metrics.h"
#include "server/request_queue.h"

namespace leat::server {

/// Belongs to its shard's thread, but for what AnswerSink lets others call.
class Connection final : public AnswerSink, public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  /// Lets so many lines a second into the operator's log: a peer must not be able to fill it.
  class LogBudget {
   public:
    bool take();

   private:
    static constexpr int lines_per_second = 20;
    std::chrono::steady_clock::time_point second_{};
    int lines_ = 0;
  };

  /// What all connections of a shard share. Outlives them, but for their destructors.
  struct Environment {
    net::AsioExecutor& executor;
    Node& node;
    const Limits& limits;
    net::BufferPool& pool;
    RequestMetrics& metrics;
    /// A session is found again on its own shard only: elsewhere its client begins another.
    FetchSessions fetch_sessions;
    LogBudget log_budget;
    /// The connection is closed and must be forgotten.
    std::function<void(Connection&)> closed;
  };

  Connection(Socket socket, net::ConnectionLimit::Token token, net::Address advertised,
             Environment& environment);

  void start();
  /// Reads no more, and closes when what came is answered. Requests that wait answer now.
  void drain();
  /// At once. `reason` is for the operator; empty when there is nothing to tell.
  void close(const std::string& reason);

  Executor& executor() override { return environment_.executor; }
  void answer(std::uint64_t slot, Answer answer) override;
  void finish(std::uint64_t slot) override;
  void disconnect(const std::string& reason) override;
  void on_hurry(std::uint64_t slot, UniqueFunction<void()> hurry) override;
  void on_timeout(std::uint64_t slot, std::chrono::milliseconds timeout,
                  UniqueFunction<void()> late) override;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Received {
    some,     // and there may be more
    all,      // that the socket had
    nothing,  // there is nothing now
    end,
    no_memory,
    failed,
  };

  net::Task<void> read();
  Received receive();
  /// Moves whole frames from the reader to the queue. False when the stream is malformed.
  bool take_frames();
  void set_read_deadline();

  /// Starts what may start, and sends what is ready.
  void pump();
  bool may_start() const;
  void start_next();
  void tell_late();
  void move_answers();
  void add_to_outbox(Answer answer);
  void post_pump();

  void send();
  void wait_writable();
  void close_if_drained();

  Environment& environment_;
  Socket socket_;
  net::ConnectionLimit::Token token_;
  net::Address advertised_;
  std::string peer_;

  net::FrameReader reader_;
  net::Deadline read_deadline_;
  net::Event resume_reading_;
  // Which frame the read deadline was set for, and whether its length was known.
  std::uint64_t frames_read_ = 0;
  std::uint64_t deadline_frame_ = 0;
  bool deadline_knows_length_ = false;

  RequestQueue queue_;
  net::Outbox outbox_;
  net::Deadline write_deadline_;
  // At or before the first moment at which a request is late.
  net::Deadline late_deadline_;
  RequestQueue::Time late_at_{0};

  bool is_open_ = true;
  bool is_draining_ = false;
  bool is_reading_paused_ = false;
  bool is_pumping_ = false;
  bool is_pump_posted_ = false;
  bool is_blocked_ = false;  // until the socket is writable
};

}  // namespace leat::server
