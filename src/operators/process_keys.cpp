#include "operators/process_keys.h"

#include <string>
#include <utility>

namespace leat::operators {

namespace {

// A node of a tree with its allocation, more or less.
constexpr std::size_t timer_bytes = 2 * 64;

}  // namespace

ProcessKeys::ProcessKeys(const ProcessFunction& function)
    : function_(function), keeps_nothing_(function.describe_kept() == "{}") {}

ProcessKeys::Number ProcessKeys::find_or_add(std::string_view key) {
  auto [number, is_new] = table_.find_or_add(key);
  if (!is_new) return number;
  if (known_.size() <= number) known_.resize(number + 1);
  known_[number].kept = spare_ ? std::move(spare_) : function_.make_kept();
  return number;
}

void ProcessKeys::end_call(Number number, bool forget) {
  Known& known = known_[number];
  kept_bytes_ -= known.bytes;
  known.bytes = 0;
  if (!forget && !(keeps_nothing_ && known.timers.empty())) {
    known.bytes = known.kept->bytes();
    kept_bytes_ += known.bytes;
    return;
  }
  for (std::int64_t time : known.timers) timers_.erase({time, number});
  // What keeps nothing is as good as new.
  if (keeps_nothing_) spare_ = std::move(known.kept);
  known = {};
  table_.erase(number);
}

void ProcessKeys::set_timer(Number number, std::int64_t time_ms) {
  if (known_[number].timers.insert(time_ms).second) timers_.insert({time_ms, number});
}

void ProcessKeys::cancel_timer(Number number, std::int64_t time_ms) {
  if (known_[number].timers.erase(time_ms) > 0) timers_.erase({time_ms, number});
}

std::optional<ProcessKeys::Timer> ProcessKeys::take_timer(std::int64_t before_ms) {
  if (timers_.empty() || timers_.begin()->time_ms >= before_ms) return {};
  Timer timer = *timers_.begin();
  timers_.erase(timers_.begin());
  known_[timer.key].timers.erase(timer.time_ms);
  return timer;
}

std::size_t ProcessKeys::bytes() const {
  return table_.bytes() + known_.capacity() * sizeof(Known) + kept_bytes_ +
         timers_.size() * timer_bytes;
}

void ProcessKeys::snapshot(StateWriter& writer) const {
  writer.write(static_cast<std::uint32_t>(table_.size()));
  std::string kept;
  for (Number number = 0; number < table_.number_end(); ++number) {
    if (!table_.has(number)) continue;
    const Known& known = known_[number];
    kept.clear();
    known.kept->write(kept);
    writer.write_text(table_.key(number));
    writer.write_text(kept);
    writer.write(static_cast<std::uint32_t>(known.timers.size()));
    for (std::int64_t time : known.timers) writer.write(time);
  }
}

Result<void> ProcessKeys::restore(StateReader& reader) {
  std::uint32_t count = reader.read_count(sizeof(std::uint32_t));
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    Number number = find_or_add(reader.read_text());
    if (!known_[number].kept->read(reader.read_text())) {
      return fail(Errc::corrupt_message, "what was kept for a key does not read");
    }
    std::uint32_t timers = reader.read_count(sizeof(std::int64_t));
    for (std::uint32_t t = 0; t < timers; ++t) set_timer(number, reader.read<std::int64_t>());
    if (reader.ok()) end_call(number, false);
  }
  return {};
}

}  // namespace leat::operators
