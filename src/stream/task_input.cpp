#include "stream/task_input.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"

namespace leat::stream {

using operators::Watermark;

Result<bool> TaskInput::fill(Watermark watermark) {
  waits_ = false;
  if (reader_.has_rows()) return true;
  return range_ ? fill_range(watermark) : fill_now(watermark);
}

// Reads a block, if there is one.
Result<bool> TaskInput::read(std::optional<SourceReader::Floor> floor) {
  auto filled = reader_.fill(floor);
  if (!filled) return filled;
  if (auto floored_at = reader_.take_floored()) {
    decision = {place_.number, *floored_at, floor->watermark};
    if (range_) range_->floor.reset();
  }
  if (auto ok = handle_bad(); !ok) return fail(ok);
  if (*filled) caught_up_ = false;
  if (reader_.has_rows()) idle_ = false;
  return filled;
}

Result<bool> TaskInput::fill_now(Watermark watermark) {
  std::optional<SourceReader::Floor> floor;
  if (idle_) floor = {watermark};
  auto filled = read(floor);
  if (!filled || *filled) return filled;
  waits_ = reader_.waits_for_records();
  if (!waits_) note_caught_up();
  return false;
}

Result<bool> TaskInput::fill_range(Watermark watermark) {
  while (!reader_.has_rows() && reader_.position() < range_->read_to) {
    std::optional<SourceReader::Floor> floor = range_->floor;
    if (idle_ && !range_->repeats) floor = {watermark};
    Offset before = reader_.position();
    auto filled = read(floor);
    if (!filled && range_->repeats && filled.error().code == Errc::offset_out_of_range) {
      return tl::unexpected(missing());
    }
    if (!filled) return filled;
    if (*filled || reader_.position() > before) continue;
    if (reader_.waits_for_records()) {
      wait_for_records();
    } else if (range_->repeats) {
      return tl::unexpected(missing());
    } else {
      break;  // a file ends by itself
    }
  }
  if (reader_.has_rows()) return true;
  if (!std::exchange(caught_up_, true)) caught_up_at_ = clock_.monotonic();
  return false;
}

void TaskInput::note_caught_up() {
  auto now = clock_.monotonic();
  if (!std::exchange(caught_up_, true)) caught_up_at_ = now;
  bool watched = place_.watch_idle && place_.plan->idle_ms > 0;
  if (watched && now - caught_up_at_ >= std::chrono::milliseconds(place_.plan->idle_ms)) {
    idle_ = true;
  }
}

Result<void> TaskInput::handle_bad() {
  while (const BadRecord* record = reader_.next_bad()) {
    ++bad_;
    auto ok = outputs_->bad_record(place_.source, reader_.partition(), *record, out);
    // It is not passed by: who goes on here meets it again.
    if (!ok) reader_.keep_bad();
    if (!ok) return ok;
  }
  return {};
}

std::optional<std::chrono::nanoseconds> TaskInput::idle_in() const {
  bool watched = place_.watch_idle && place_.plan->idle_ms > 0 && place_.is_timed;
  if (!watched || !caught_up_ || idle_) return {};
  auto left = caught_up_at_ + std::chrono::milliseconds(place_.plan->idle_ms) - clock_.monotonic();
  return std::max(left, std::chrono::nanoseconds(0));
}

void TaskInput::pin_end(Offset end) {
  pinned_ = end;
  reader_.set_end(end);
}

void TaskInput::set_end(std::optional<Offset> end) {
  reader_.rewind();
  pinned_ = end;
  reader_.set_end(end);
}

void TaskInput::begin_range(Offset end) {
  if (pinned_) end = std::min(end, *pinned_);
  // Nothing is there: whether it is idle is seen now, not while others are read.
  bool there = reader_.has_rows() || (reader_.position() < end && !reader_.finished());
  if (!there) note_caught_up();
  range_ = {reader_.position(), end, end, false, {}};
  reader_.set_end(end);
}

void TaskInput::repeat_range(Offset end, std::uint64_t records,
                             std::optional<SourceReader::Floor> floor) {
  reader_.rewind();
  caught_up_ = false;
  Offset from = reader_.position();
  range_ = {from, end, records > 0 ? end : from, true, floor};
  reader_.set_end(range_->read_to);
}

void TaskInput::end_range() {
  ASSERT(range_.has_value());
  if (range_->repeats) {
    Watermark raised = range_->floor ? range_->floor->watermark : operators::watermark_min;
    reader_.go_on(range_->end, raised);
    caught_up_ = false;
  }
  range_.reset();
  reader_.set_end(pinned_);
}

// Sleeps until there is something to read.
void TaskInput::wait_for_records() {
  struct Woken {
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = false;
  };
  auto shared = std::make_shared<Woken>();
  place_.topic->when_readable(reader_.partition(), reader_.position(), Work([shared] {
                                std::lock_guard lock(shared->mutex);
                                shared->woken = true;
                                shared->changed.notify_all();
                              }));
  std::unique_lock lock(shared->mutex);
  shared->changed.wait(lock, [&] { return shared->woken; });
}

// Records of the range are not there any more.
Error TaskInput::missing() const {
  std::int64_t from = range_->from.value(), end = range_->end.value();
  std::int64_t next = reader_.position().value();
  std::string what;
  if (place_.topic == nullptr) {
    what = fmt::format(
        "lines {} to {} of {} are to be consumed again, and from line {} on they are not there",
        from + 1, end, name(), next + 1);
    return {Errc::offset_out_of_range, std::move(what)};
  }
  auto partition = reader_.partition().value();
  what = fmt::format(
      "offsets {} to {} of partition {} of {} are to be consumed again, and from {} on they are "
      "not there",
      from, end - 1, partition, name(), next);
  auto readable = place_.topic->readable();
  if (readable) {
    const Readable& now = readable->at(static_cast<std::size_t>(partition));
    what += fmt::format(": its records are {} to {} now", now.start.value(),
                        now.high_watermark.value() - 1);
  }
  return {Errc::offset_out_of_range, std::move(what)};
}

}  // namespace leat::stream
