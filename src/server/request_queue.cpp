#include "server/request_queue.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"

namespace leat::server {
namespace {

bool is_produce(const net::Frame& frame) {
  constexpr auto produce = static_cast<std::int16_t>(wire::ApiKey::produce);
  return frame.bytes.size() >= 2 && load_big_endian<std::int16_t>(frame.bytes.data()) == produce;
}

}  // namespace

void RequestQueue::push(net::Frame frame) {
  waiting_bytes_ += frame.bytes.size();
  frames_.push_back(std::move(frame));
}

bool RequestQueue::can_start() const {
  if (frames_.empty()) return false;
  if (slots_.empty()) return true;
  if (!is_produce(frames_.front()) || in_flight_bytes_ >= in_flight_bytes_max_) return false;
  return slots_.back().api->key == wire::ApiKey::produce;
}

Result<void> RequestQueue::start_next(Incoming incoming, Time now) {
  ASSERT(can_start());
  net::Frame frame = std::move(frames_.front());
  frames_.pop_front();
  waiting_bytes_ -= frame.bytes.size();
  auto request = wire::parse_request(frame.bytes);
  if (!request) return fail(request);
  const Api* api = find_api(request->header.key);
  if (api == nullptr) {
    return fail(Errc::malformed,
                fmt::format("API key {} is not served", static_cast<int>(request->header.key)));
  }
  Slot& slot = slots_.emplace_back();
  slot.api = api;
  slot.started = now;
  slot.request_bytes = frame.bytes.size();
  in_flight_bytes_ += slot.request_bytes;
  incoming.slot = first_slot_ + slots_.size() - 1;
  incoming.header = request->header;
  incoming.frame = std::move(frame);
  return dispatch(std::move(incoming), *request);
}

RequestQueue::Slot* RequestQueue::find_slot(std::uint64_t slot) {
  if (slot < first_slot_ || slot - first_slot_ >= slots_.size()) return nullptr;
  Slot& found = slots_[slot - first_slot_];
  return found.is_done ? nullptr : &found;
}

bool RequestQueue::end(std::uint64_t slot, std::optional<Answer> answer) {
  Slot* found = find_slot(slot);
  if (found == nullptr) return false;
  found->answer = std::move(answer);
  found->is_done = true;
  found->hurry = nullptr;
  found->late = nullptr;
  return true;
}

std::optional<RequestQueue::Ended> RequestQueue::take_ended(Time now) {
  if (slots_.empty() || !slots_.front().is_done) return std::nullopt;
  Slot& slot = slots_.front();
  Ended ended{slot.api, now - slot.started, std::move(slot.answer)};
  in_flight_bytes_ -= slot.request_bytes;
  slots_.pop_front();
  ++first_slot_;
  return ended;
}

bool RequestQueue::keep_hurry(std::uint64_t slot, UniqueFunction<void()>& hurry) {
  Slot* found = find_slot(slot);
  if (found == nullptr || is_hurried_) return false;
  found->hurry = std::move(hurry);
  return true;
}

void RequestQueue::hurry_all() {
  is_hurried_ = true;
  // A request may end, and so leave its slot, in here.
  std::vector<UniqueFunction<void()>> waiting;
  for (Slot& slot : slots_) {
    if (slot.hurry) waiting.push_back(std::exchange(slot.hurry, nullptr));
  }
  for (auto& hurry : waiting) hurry();
}

void RequestQueue::abandon() {
  frames_.clear();
  waiting_bytes_ = in_flight_bytes_ = 0;
  std::deque<Slot> slots = std::exchange(slots_, {});
  first_slot_ += slots.size();
  for (Slot& slot : slots) {
    if (slot.hurry) slot.hurry();
  }
}

std::optional<RequestQueue::Time> RequestQueue::keep_late(std::uint64_t slot, Time timeout,
                                                          UniqueFunction<void()> late) {
  Slot* found = find_slot(slot);
  if (found == nullptr) return std::nullopt;
  found->late_at = found->started + timeout;
  found->late = std::move(late);
  return found->late_at;
}

std::optional<RequestQueue::Time> RequestQueue::next_late() const {
  std::optional<Time> next;
  for (const Slot& slot : slots_) {
    if (slot.late) next = std::min(next.value_or(slot.late_at), slot.late_at);
  }
  return next;
}

void RequestQueue::tell_late(Time now) {
  std::vector<UniqueFunction<void()>> late;
  for (Slot& slot : slots_) {
    if (slot.late && slot.late_at <= now) late.push_back(std::exchange(slot.late, nullptr));
  }
  for (auto& tell : late) tell();
}

}  // namespace leat::server
