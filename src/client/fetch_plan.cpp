#include "client/fetch_plan.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "client/wire_error.h"
#include "record/batch.h"

namespace leat::client {

using wire::ErrorCode;

namespace {

/// The whole batches at the start of `records`, and the offset behind the last of them.
struct WholeBatches {
  BytesView bytes;
  std::int64_t next_offset = 0;
};

Result<WholeBatches> whole_batches(BytesView records) {
  WholeBatches whole;
  std::size_t at = 0;
  while (true) {
    auto size = record::batch_size(records.subspan(at));
    if (!size || *size > records.size() - at) break;
    auto batch = record::BatchView::parse(records.subspan(at, *size));
    if (!batch) return fail(batch);
    whole.next_offset = batch->next_offset().value();
    at += *size;
  }
  whole.bytes = records.first(at);
  return whole;
}

}  // namespace

FetchPlan::FetchPlan(std::vector<Assignment> assignments, const ConsumerOptions& options)
    : options_(options) {
  std::stable_sort(assignments.begin(), assignments.end(),
                   [](const Assignment& a, const Assignment& b) { return a.topic < b.topic; });
  for (Assignment& assignment : assignments) {
    std::int64_t begin = assignment.begin;
    partitions_.push_back({.assignment = std::move(assignment),
                           .position = begin,
                           .fetch_bytes = options_.partition_fetch_bytes});
  }
}

bool FetchPlan::finished() const {
  return std::all_of(partitions_.begin(), partitions_.end(),
                     [](const Partition& partition) { return partition.finished(); });
}

std::set<std::int32_t> FetchPlan::brokers(const LeaderOf& leader_of) const {
  std::set<std::int32_t> brokers;
  for (const Partition& partition : partitions_) {
    if (partition.finished()) continue;
    auto leader = leader_of(partition.assignment.topic, partition.assignment.partition);
    if (leader) brokers.insert(*leader);
  }
  return brokers;
}

bool FetchPlan::needs_leader(const LeaderOf& leader_of) const {
  return std::any_of(partitions_.begin(), partitions_.end(), [&](const Partition& partition) {
    return !partition.finished() &&
           !leader_of(partition.assignment.topic, partition.assignment.partition);
  });
}

std::vector<std::string> FetchPlan::topics() const {
  std::vector<std::string> topics;
  for (const Partition& partition : partitions_)
    if (!partition.finished() && (topics.empty() || topics.back() != partition.assignment.topic))
      topics.push_back(partition.assignment.topic);
  return topics;
}

wire::FetchRequest FetchPlan::request(std::int32_t broker, const LeaderOf& leader_of) {
  wire::FetchRequest request;
  request.max_wait_ms = static_cast<std::int32_t>(options_.fetch_wait.count());
  request.min_bytes = 1;
  request.max_bytes = static_cast<std::int32_t>(options_.fetch_bytes);
  request.isolation_level = options_.read_committed ? 1 : 0;
  std::size_t count = partitions_.size();
  first_ = count == 0 ? 0 : (first_ + 1) % count;
  for (std::size_t i = 0; i < count; ++i) {
    const Partition& partition = partitions_[(first_ + i) % count];
    const Assignment& assignment = partition.assignment;
    if (partition.finished() || leader_of(assignment.topic, assignment.partition) != broker)
      continue;
    if (request.topics.empty() || request.topics.back().topic != assignment.topic)
      request.topics.push_back({.topic = assignment.topic, .topic_id = {}, .partitions = {}});
    wire::FetchRequest::Partition asked;
    asked.partition = assignment.partition;
    asked.fetch_offset = partition.position;
    asked.partition_max_bytes = static_cast<std::int32_t>(partition.fetch_bytes);
    request.topics.back().partitions.push_back(asked);
  }
  return request;
}

FetchPlan::Partition* FetchPlan::find(std::string_view topic, std::int32_t partition) {
  for (Partition& known : partitions_)
    if (known.assignment.partition == partition && known.assignment.topic == topic) return &known;
  return nullptr;
}

FetchPlan::Outcome FetchPlan::take_answer(const wire::FetchResponse& response,
                                          std::shared_ptr<const void> owner,
                                          std::string_view broker) {
  Outcome outcome;
  if (response.error_code != ErrorCode::none) {
    outcome.retry_later = wire::retriable(response.error_code);
    if (!outcome.retry_later) outcome.error = broker_error(response.error_code, "fetch", broker);
    return outcome;
  }
  for (const auto& topic : response.responses) {
    for (const auto& answer : topic.partitions) {
      Partition* partition = find(topic.topic, answer.partition_index);
      if (!partition) continue;
      if (answer.error_code == ErrorCode::none)
        take_partition(*partition, answer, owner, broker, outcome);
      else
        take_error(*partition, answer, broker, outcome);
    }
  }
  return outcome;
}

void FetchPlan::take_partition(Partition& partition, const wire::FetchResponse::Partition& answer,
                               const std::shared_ptr<const void>& owner, std::string_view broker,
                               Outcome& outcome) {
  if (answer.records.size() == 0) return;
  const Assignment& assignment = partition.assignment;
  auto refuse = [&](Errc code, std::string_view why) {
    outcome.error =
        Error{code, fmt::format("{}/{} at offset {}: {} (from broker {})", assignment.topic,
                                assignment.partition, partition.position, why, broker)};
  };
  Result<WholeBatches> whole = whole_batches(answer.records.bytes());
  if (!whole) return refuse(whole.error().code, whole.error().what);
  if (whole->bytes.empty()) {
    // A batch larger than what was asked for, by a broker that cuts it.
    if (partition.fetch_bytes >= INT32_MAX / 2)
      return refuse(Errc::message_too_large, "the batch does not fit into an answer");
    partition.fetch_bytes *= 2;
    return;
  }
  if (whole->next_offset <= partition.position)
    return refuse(Errc::malformed, "only records before the offset asked for came");
  Fetched fetched;
  fetched.topic = assignment.topic;
  fetched.partition = assignment.partition;
  fetched.begin = partition.position;
  fetched.end = std::min(whole->next_offset, assignment.end.value_or(whole->next_offset));
  fetched.high_watermark = answer.high_watermark;
  fetched.batches = whole->bytes;
  fetched.owner = owner;
  if (options_.read_committed && answer.aborted_transactions)
    fetched.aborted = *answer.aborted_transactions;
  std::stable_sort(fetched.aborted.begin(), fetched.aborted.end(),
                   [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
  partition.position = whole->next_offset;
  outcome.fetched.push_back(std::move(fetched));
}

void FetchPlan::take_error(const Partition& partition, const wire::FetchResponse::Partition& answer,
                           std::string_view broker, Outcome& outcome) const {
  const Assignment& assignment = partition.assignment;
  if (needs_metadata(answer.error_code)) {
    outcome.moved.emplace_back(assignment.topic, assignment.partition);
    return;
  }
  // Bytes that are damaged on the broker's disk do not heal by asking again.
  if (wire::retriable(answer.error_code) && answer.error_code != ErrorCode::corrupt_message) {
    outcome.retry_later = true;
    return;
  }
  std::optional<std::string> words;
  if (answer.error_code == ErrorCode::offset_out_of_range && answer.log_start_offset >= 0)
    words = fmt::format("the partition begins at offset {}", answer.log_start_offset);
  outcome.error = broker_error(
      answer.error_code,
      fmt::format("{}/{} at offset {}", assignment.topic, assignment.partition, partition.position),
      broker, words);
}

}  // namespace leat::client
