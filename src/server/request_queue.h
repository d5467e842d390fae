// The requests of one connection, from their frames to their answers, with nothing of its socket.
//
// Requests are started one after the other: a Produce may start while earlier ones wait for the
// disk, anything else waits until all before it are answered, so that a client sees the effects of
// what it sent first. Answers leave in the order in which the requests came.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/unique_function.h"
#include "net/frame_reader.h"
#include "server/call.h"
#include "server/dispatch.h"

namespace leat::server {

/// Belongs to its connection's executor. Times are monotonic.
class RequestQueue {
 public:
  using Time = std::chrono::nanoseconds;

  /// Produce requests that wait for the disk take at most about so many bytes.
  explicit RequestQueue(std::size_t in_flight_bytes_max)
      : in_flight_bytes_max_(in_flight_bytes_max) {}

  void push(net::Frame frame);
  /// Bytes of frames that wait for their turn.
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  /// Whether all that came has been answered.
  bool empty() const { return frames_.empty() && slots_.empty(); }
  bool has_started() const { return !slots_.empty(); }
  std::size_t size() const { return frames_.size() + slots_.size(); }

  bool can_start() const;
  /// Starts the next one. `incoming` has all that does not come with the frame. An error must end
  /// the connection. REQUIRES: can_start().
  Result<void> start_next(Incoming incoming, Time now);

  /// Ends a request, without an answer if there is none. False, and no effect, where nobody waits
  /// for it.
  bool end(std::uint64_t slot, std::optional<Answer> answer);
  struct Ended {
    const Api* api = nullptr;
    Time took{0};
    std::optional<Answer> answer;
  };
  /// The oldest one if it has ended.
  std::optional<Ended> take_ended(Time now);

  /// Keeps what is to be called when waiting is pointless. False where it is so already: the caller
  /// is to call it, but not at once.
  bool keep_hurry(std::uint64_t slot, UniqueFunction<void()>& hurry);
  /// From now on waiting is pointless. Requests may end in here.
  void hurry_all();
  /// The peer has gone: forgets all, and tells those who wait.
  void abandon();

  /// Keeps what is to be called when the request has not ended `timeout` after its start, and gives
  /// the time when that is; nullopt where it has ended.
  std::optional<Time> keep_late(std::uint64_t slot, Time timeout, UniqueFunction<void()> late);
  /// When the next one is late; nullopt if none waits with a timeout.
  std::optional<Time> next_late() const;
  /// Calls what is late by now. Requests may end in here.
  void tell_late(Time now);

 private:
  /// A request that was started and whose answer has not left yet.
  struct Slot {
    const Api* api = nullptr;
    Time started{0};
    std::size_t request_bytes = 0;
    bool is_done = false;
    std::optional<Answer> answer;
    UniqueFunction<void()> hurry;
    Time late_at{0};
    UniqueFunction<void()> late;
  };
  Slot* find_slot(std::uint64_t slot);

  std::size_t in_flight_bytes_max_;
  std::deque<net::Frame> frames_;
  std::size_t waiting_bytes_ = 0;
  std::deque<Slot> slots_;
  std::uint64_t first_slot_ = 0;
  std::size_t in_flight_bytes_ = 0;
  bool is_hurried_ = false;
};

}  // namespace leat::server
