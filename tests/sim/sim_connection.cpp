#include "sim/sim_connection.h"

#include <algorithm>
#include <utility>

namespace leat::sim {

SimConnection::SimConnection(server::Node& node, Executor& executor, Peer peer)
    : node_(node),
      executor_(executor),
      sessions_({}, Random(1), node.metrics.gauge("leat_fetch_sessions", "")),
      peer_(std::move(peer)),
      queue_(node.options.limits.in_flight_bytes_max) {}

void SimConnection::receive(BytesView frame) {
  if (!is_open_ || is_draining_) return;
  BytesView content = frame.subspan(wire::frame_size_bytes);
  auto owner = std::make_shared<net::Buffer>(content.size());
  std::copy(content.begin(), content.end(), owner->bytes().begin());
  MutableBytes bytes = owner->bytes().first(content.size());
  queue_.push({std::move(owner), bytes});
  post_pump();
}

void SimConnection::close() {
  if (!is_open_) return;
  is_open_ = false;
  queue_.abandon();
}

void SimConnection::drain() {
  is_draining_ = true;
  queue_.hurry_all();
}

void SimConnection::disconnect(const std::string& reason) {
  if (!is_open_) return;
  close();
  peer_.closed_by_server(reason);
}

void SimConnection::answer(std::uint64_t slot, server::Answer answer) {
  if (!is_open_) return;
  if (!queue_.end(slot, std::move(answer))) peer_.object("a request is answered twice");
  post_pump();
}

void SimConnection::finish(std::uint64_t slot) {
  if (!is_open_) return;
  if (!queue_.end(slot, std::nullopt)) peer_.object("a request is ended twice");
  post_pump();
}

void SimConnection::on_hurry(std::uint64_t slot, UniqueFunction<void()> hurry) {
  if (!queue_.keep_hurry(slot, hurry)) executor_.post(std::move(hurry));
}

void SimConnection::on_timeout(std::uint64_t slot, std::chrono::milliseconds timeout,
                               UniqueFunction<void()> late) {
  if (queue_.keep_late(slot, timeout, std::move(late))) arm_late(timeout);
}

void SimConnection::arm_late(server::RequestQueue::Time from_now) {
  executor_.after(from_now, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (self && self->is_open_) self->queue_.tell_late(self->now());
  });
}

void SimConnection::post_pump() {
  if (std::exchange(is_pump_posted_, true)) return;
  executor_.post([self = shared_from_this()] {
    self->is_pump_posted_ = false;
    self->pump();
  });
}

void SimConnection::pump() {
  while (is_open_) {
    if (auto ended = queue_.take_ended(now())) {
      if (ended->answer) deliver(*ended->answer);
    } else if (queue_.can_start()) {
      start_next();
    } else {
      return;
    }
  }
}

void SimConnection::start_next() {
  server::Incoming incoming;
  incoming.sink = shared_from_this();
  incoming.node = &node_;
  incoming.fetch_sessions = &sessions_;
  incoming.advertised = &advertised_;
  incoming.peer = &peer_name_;
  Result<void> started = queue_.start_next(std::move(incoming), now());
  if (!started) disconnect(started.error().what);
}

void SimConnection::deliver(server::Answer& answer) {
  Bytes frame;
  auto add = [&](BytesView bytes) { frame.insert(frame.end(), bytes.begin(), bytes.end()); };
  for (std::size_t i = 0; i < answer.payloads.size(); ++i) {
    add(answer.encoded.run(i));
    if (!answer.payloads[i].memory) return peer_.object("an answer with a file without bytes");
    add(*answer.payloads[i].memory);
  }
  add(answer.encoded.run(answer.payloads.size()));
  auto size = static_cast<std::size_t>(load_big_endian<std::int32_t>(frame.data()));
  if (size != frame.size() - wire::frame_size_bytes) peer_.object("a frame of another size");
  frame.erase(frame.begin(), frame.begin() + wire::frame_size_bytes);
  peer_.answered(std::move(frame));
}

}  // namespace leat::sim
