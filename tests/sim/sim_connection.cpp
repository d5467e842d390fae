#include "sim/sim_connection.h"

#include <algorithm>
#include <utility>

namespace leat::sim {
namespace {

bool is_produce(const net::Frame& frame) {
  return load_big_endian<std::int16_t>(frame.bytes.data()) ==
         static_cast<std::int16_t>(wire::ApiKey::produce);
}

}  // namespace

SimConnection::SimConnection(server::Node& node, Executor& executor, Peer peer)
    : node_(node),
      executor_(executor),
      sessions_({}, Random(1), node.metrics.gauge("leat_fetch_sessions", "")),
      peer_(std::move(peer)) {}

void SimConnection::receive(BytesView frame) {
  if (!is_open_ || is_draining_) return;
  BytesView content = frame.subspan(wire::frame_size_bytes);
  auto owner = std::make_shared<net::Buffer>(content.size());
  std::copy(content.begin(), content.end(), owner->bytes().begin());
  MutableBytes bytes = owner->bytes().first(content.size());
  inbox_.push_back({std::move(owner), bytes});
  post_pump();
}

void SimConnection::close() {
  if (!is_open_) return;
  is_open_ = false;
  inbox_.clear();
  std::deque<Slot> slots = std::move(slots_);
  slots_.clear();
  for (Slot& slot : slots) {
    if (slot.hurry) slot.hurry();
  }
}

void SimConnection::drain() {
  is_draining_ = true;
  std::deque<UniqueFunction<void()>> waiting;
  for (Slot& slot : slots_) {
    if (slot.hurry) waiting.push_back(std::exchange(slot.hurry, nullptr));
  }
  for (auto& hurry : waiting) hurry();
}

void SimConnection::disconnect(const std::string& reason) {
  if (!is_open_) return;
  close();
  peer_.closed_by_server(reason);
}

SimConnection::Slot* SimConnection::find_slot(std::uint64_t slot) {
  if (!is_open_) return nullptr;
  if (slot < first_slot_ || slot - first_slot_ >= slots_.size()) {
    peer_.object("a request is answered that was answered already");
    return nullptr;
  }
  return &slots_[slot - first_slot_];
}

void SimConnection::answer(std::uint64_t slot, server::Answer answer) {
  Slot* found = find_slot(slot);
  if (found == nullptr) return;
  found->answer = std::move(answer);
  finish(slot);
}

void SimConnection::finish(std::uint64_t slot) {
  Slot* found = find_slot(slot);
  if (found == nullptr) return;
  if (found->is_done) peer_.object("a request is answered twice");
  found->is_done = true;
  found->hurry = nullptr;
  found->late = nullptr;
  post_pump();
}

void SimConnection::on_hurry(std::uint64_t slot, UniqueFunction<void()> hurry) {
  Slot* found = find_slot(slot);
  if (found == nullptr || is_draining_) {
    executor_.post(std::move(hurry));
  } else {
    found->hurry = std::move(hurry);
  }
}

void SimConnection::on_timeout(std::uint64_t slot, std::chrono::milliseconds timeout,
                               UniqueFunction<void()> late) {
  Slot* found = find_slot(slot);
  if (found == nullptr || found->is_done) return;
  found->late = std::move(late);
  executor_.after(timeout, [weak = weak_from_this(), slot] {
    auto self = weak.lock();
    if (!self || !self->is_open_ || slot < self->first_slot_) return;
    Slot& waiting = self->slots_[slot - self->first_slot_];
    if (waiting.late) std::exchange(waiting.late, nullptr)();
  });
}

void SimConnection::post_pump() {
  if (std::exchange(is_pump_posted_, true)) return;
  executor_.post([self = shared_from_this()] {
    self->is_pump_posted_ = false;
    self->pump();
  });
}

bool SimConnection::may_start(const net::Frame& frame) const {
  return slots_.empty() || (is_produce(frame) && slots_.back().is_produce);
}

void SimConnection::pump() {
  while (is_open_) {
    if (!slots_.empty() && slots_.front().is_done) {
      std::optional<server::Answer> answer = std::move(slots_.front().answer);
      slots_.pop_front();
      ++first_slot_;
      if (answer) deliver(*answer);
    } else if (!inbox_.empty() && may_start(inbox_.front())) {
      net::Frame frame = std::move(inbox_.front());
      inbox_.pop_front();
      start(std::move(frame));
    } else {
      return;
    }
  }
}

void SimConnection::start(net::Frame frame) {
  auto request = wire::parse_request(frame.bytes);
  if (!request) return disconnect(request.error().what);
  Slot& slot = slots_.emplace_back();
  slot.is_produce = is_produce(frame);
  server::Incoming incoming;
  incoming.sink = shared_from_this();
  incoming.slot = first_slot_ + slots_.size() - 1;
  incoming.header = request->header;
  incoming.frame = std::move(frame);
  incoming.node = &node_;
  incoming.fetch_sessions = &sessions_;
  incoming.advertised = &advertised_;
  Result<void> started = server::dispatch(std::move(incoming), *request);
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
