#include "client/check_options.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include <fmt/core.h>

namespace leat::client {

namespace {

using std::chrono::milliseconds;

/// What one of them has to be, and whether it is.
struct Rule {
  const char* option;
  bool is_kept;
  const char* words;
};

std::optional<Error> first_broken(const char* of, std::initializer_list<Rule> rules) {
  for (const Rule& rule : rules) {
    if (!rule.is_kept)
      return Error{Errc::invalid_argument, fmt::format("{}::{} {}", of, rule.option, rule.words)};
  }
  return std::nullopt;
}

/// Requests carry it as so many milliseconds.
constexpr milliseconds longest{std::numeric_limits<std::int32_t>::max()};
constexpr std::size_t largest = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t longest_text = std::numeric_limits<std::int16_t>::max();

Rule positive(const char* option, milliseconds time) {
  return {option, time > milliseconds(0) && time <= longest, "must be from 1 ms to 24 days"};
}

Rule not_negative(const char* option, milliseconds time) {
  return {option, time >= milliseconds(0) && time <= longest, "must be from 0 to 24 days"};
}

Rule some(const char* option, std::size_t bytes) {
  return {option, bytes > 0, "must be more than 0"};
}

Rule some_of_answer(const char* option, std::size_t bytes) {
  return {option, bytes > 0 && bytes <= largest, "must be from 1 byte to 2 GiB"};
}

}  // namespace

std::optional<Error> check(const ClientOptions& options) {
  return first_broken("ClientOptions",
                      {positive("connect_timeout", options.connect_timeout),
                       positive("request_timeout", options.request_timeout),
                       positive("operation_timeout", options.operation_timeout),
                       positive("retry_backoff", options.retry_backoff),
                       positive("retry_backoff_max", options.retry_backoff_max),
                       {"retry_backoff", options.retry_backoff <= options.retry_backoff_max,
                        "must not be longer than retry_backoff_max"},
                       some("max_response_bytes", options.max_response_bytes)});
}

std::optional<Error> check(const ProducerOptions& options) {
  return first_broken("ProducerOptions",
                      {{"transactional_id", options.transactional_id.empty() || options.idempotence,
                        "needs idempotence"},
                       positive("transaction_timeout", options.transaction_timeout),
                       some("batch_bytes", options.batch_bytes),
                       not_negative("linger", options.linger),
                       some("request_bytes", options.request_bytes),
                       positive("delivery_timeout", options.delivery_timeout),
                       some("buffer_bytes", options.buffer_bytes)});
}

std::optional<Error> check(const ConsumerOptions& options) {
  return first_broken(
      "ConsumerOptions",
      {{"group_instance_id", options.group_instance_id.empty() || !options.group.empty(),
        "needs a group"},
       {"assignors", !options.assignors.empty(), "must name at least one"},
       positive("session_timeout", options.session_timeout),
       positive("heartbeat_interval", options.heartbeat_interval),
       {"heartbeat_interval", options.heartbeat_interval < options.session_timeout,
        "must be shorter than session_timeout"},
       positive("max_poll_interval", options.max_poll_interval),
       positive("auto_commit_interval", options.auto_commit_interval),
       not_negative("fetch_wait", options.fetch_wait),
       some_of_answer("fetch_bytes", options.fetch_bytes),
       some_of_answer("partition_fetch_bytes", options.partition_fetch_bytes),
       some("prefetch_bytes", options.prefetch_bytes),
       positive("unreachable_timeout", options.unreachable_timeout)});
}

std::optional<Error> check(const std::vector<leat::CommittedOffset>& offsets) {
  for (const leat::CommittedOffset& offset : offsets) {
    const char* wrong = nullptr;
    if (offset.offset < 0) wrong = "an offset must not be negative";
    if (offset.metadata.size() > longest_text) wrong = "metadata must not exceed 32767 bytes";
    if (!wrong) continue;
    const Partition& partition = offset.partition;
    return Error{Errc::invalid_argument,
                 fmt::format("{}/{}: {}", partition.topic, partition.number, wrong)};
  }
  return std::nullopt;
}

}  // namespace leat::client
