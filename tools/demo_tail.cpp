#include "tools/demo_tail.h"

#include <utility>

#include <fmt/core.h>

#include "leat/blocking.h"
#include "tools/connect.h"

namespace leat::tools {

using Clock = std::chrono::steady_clock;

TopicTail::TopicTail(const ClientOptions& connect, std::string topic, std::int32_t partitions)
    : topic_(std::move(topic)), partitions_(partitions), connect_(connect) {
  connect_.stop = stop_.get_token();
  thread_ = std::thread([this] {
    auto result = attempt([this] { read(); });
    if (result || stop_.stop_requested()) return;
    std::lock_guard lock(mutex_);
    error_ = result.error();
    changed_.notify_all();
  });
}

TopicTail::~TopicTail() {
  stop_.request_stop();
  thread_.join();
}

void TopicTail::read() {
  ConsumerOptions options;
  options.offset_reset = OffsetReset::none;
  blocking::Consumer consumer(connect_, options);
  std::vector<PartitionOffset> starts;
  for (std::int32_t i = 0; i < partitions_; ++i) starts.push_back({{topic_, i}, 0});
  consumer.assign(std::move(starts));
  while (!stop_.stop_requested()) {
    Records polled = consumer.poll(std::chrono::milliseconds(100));
    if (polled.empty()) continue;
    auto now = Clock::now();
    std::lock_guard lock(mutex_);
    for (const InRecord& record : polled) {
      records_.push_back(
          {record.partition, record.offset, record.timestamp.time_since_epoch().count(),
           std::string(record.key.value_or("")), std::string(record.value.value_or("")), now});
    }
    last_at_ = now;
    changed_.notify_all();
  }
}

std::vector<TailRecord> TopicTail::records(std::size_t from) const {
  std::lock_guard lock(mutex_);
  if (from >= records_.size()) return {};
  return {records_.begin() + static_cast<std::ptrdiff_t>(from), records_.end()};
}

Result<void> TopicTail::failure() const {
  return error_ ? fail(error_->code, error_->what) : Result<void>();
}

Result<void> TopicTail::wait_for(std::size_t count, std::chrono::milliseconds patience) const {
  std::unique_lock lock(mutex_);
  auto begun = Clock::now();
  while (records_.size() < count) {
    if (error_) return failure();
    auto due = std::max(last_at_, begun) + patience;
    if (changed_.wait_until(lock, due) == std::cv_status::no_timeout) continue;
    return fail(Errc::request_timed_out,
                fmt::format("{} has {} records and not {}, and nothing has come for {} s", topic_,
                            records_.size(), count,
                            std::chrono::duration_cast<std::chrono::seconds>(patience).count()));
  }
  return {};
}

Result<void> TopicTail::wait_for_silence(std::chrono::milliseconds silence) const {
  std::unique_lock lock(mutex_);
  auto begun = Clock::now();
  while (!error_ && Clock::now() < std::max(last_at_, begun) + silence) {
    changed_.wait_until(lock, std::max(last_at_, begun) + silence);
  }
  return failure();
}

}  // namespace leat::tools
