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
  std::int32_t leader_epoch = -1;
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
    whole.leader_epoch = batch->leader_epoch().value();
    at += *size;
  }
  whole.bytes = records.first(at);
  return whole;
}

}  // namespace

void FetchPlan::add(Assignment assignment) {
  Partition added;
  added.number = assignment.partition;
  added.position = assignment.begin;
  added.epoch = assignment.leader_epoch;
  added.fetch_bytes = options_.partition_fetch_bytes;
  if (Partition* known = find(assignment.topic, assignment.partition)) {
    added.name = known->name;
    *known = std::move(added);
    return;
  }
  auto place = std::upper_bound(
      partitions_.begin(), partitions_.end(), assignment.topic,
      [](const std::string& topic, const Partition& other) { return topic < other.topic(); });
  bool is_known = place != partitions_.begin() && std::prev(place)->topic() == assignment.topic;
  added.name = is_known ? std::prev(place)->name
                        : std::make_shared<const std::string>(std::move(assignment.topic));
  partitions_.insert(place, std::move(added));
}

void FetchPlan::remove(std::string_view topic, std::int32_t partition) {
  std::erase_if(partitions_, [&](const Partition& known) {
    return known.number == partition && known.topic() == topic;
  });
}

void FetchPlan::seek(std::string_view topic, std::int32_t partition, std::int64_t offset) {
  Partition* known = find(topic, partition);
  if (!known) return;
  // What stands before an earlier offset is of no later epoch.
  if (offset > known->position) known->epoch = -1;
  known->position = offset;
  known->asked = 0;
  known->is_lost = false;
}

void FetchPlan::pause(std::string_view topic, std::int32_t partition, bool is_paused) {
  Partition* known = find(topic, partition);
  if (!known) return;
  known->is_paused = is_paused;
  // An answer that is on its way is not taken.
  if (is_paused) known->asked = 0;
}

std::set<std::int32_t> FetchPlan::brokers(const LeaderOf& leader_of) const {
  std::set<std::int32_t> brokers;
  for (const Partition& partition : partitions_) {
    if (!partition.is_wanted()) continue;
    auto leader = leader_of(partition.topic(), partition.number);
    if (leader) brokers.insert(leader->broker);
  }
  return brokers;
}

bool FetchPlan::needs_leader(const LeaderOf& leader_of) const {
  return std::any_of(partitions_.begin(), partitions_.end(), [&](const Partition& partition) {
    return partition.is_wanted() && !leader_of(partition.topic(), partition.number);
  });
}

std::vector<std::string> FetchPlan::topics() const {
  std::vector<std::string> topics;
  for (const Partition& partition : partitions_)
    if (partition.is_wanted() && (topics.empty() || topics.back() != partition.topic()))
      topics.push_back(partition.topic());
  return topics;
}

FetchPlan::Asked FetchPlan::ask(std::int32_t broker, const LeaderOf& leader_of) {
  Asked all{++last_ticket_, {}};
  wire::FetchRequest& request = all.request;
  request.max_wait_ms = static_cast<std::int32_t>(options_.fetch_wait.count());
  request.min_bytes = 1;
  request.max_bytes = static_cast<std::int32_t>(options_.fetch_bytes);
  request.isolation_level = options_.read_committed ? 1 : 0;
  std::size_t count = partitions_.size();
  first_ = count == 0 ? 0 : (first_ + 1) % count;
  for (std::size_t i = 0; i < count; ++i) {
    Partition& partition = partitions_[(first_ + i) % count];
    if (!partition.is_wanted()) continue;
    auto leader = leader_of(partition.topic(), partition.number);
    if (!leader || leader->broker != broker || !partition.is_safe_with(*leader)) continue;
    if (request.topics.empty() || request.topics.back().topic != partition.topic())
      request.topics.push_back({.topic = partition.topic(), .topic_id = {}, .partitions = {}});
    wire::FetchRequest::Partition asked;
    asked.partition = partition.number;
    asked.current_leader_epoch = leader->epoch;
    asked.fetch_offset = partition.position;
    asked.partition_max_bytes = static_cast<std::int32_t>(partition.fetch_bytes);
    request.topics.back().partitions.push_back(asked);
    partition.asked = all.ticket;
    partition.asked_epoch = leader->epoch;
  }
  return all;
}

std::optional<FetchPlan::Check> FetchPlan::check(std::int32_t broker, const LeaderOf& leader_of) {
  Check all{last_ticket_ + 1, {}};
  wire::OffsetForLeaderEpochRequest& request = all.request;
  request.replica_id = -1;
  for (Partition& partition : partitions_) {
    if (!partition.is_wanted()) continue;
    auto leader = leader_of(partition.topic(), partition.number);
    if (!leader || leader->broker != broker || partition.is_safe_with(*leader)) continue;
    if (request.topics.empty() || request.topics.back().topic != partition.topic())
      request.topics.push_back({partition.topic(), {}});
    request.topics.back().partitions.push_back({partition.number, leader->epoch, partition.epoch});
    partition.asked = all.ticket;
    partition.asked_epoch = leader->epoch;
  }
  if (request.topics.empty()) return std::nullopt;
  ++last_ticket_;
  return all;
}

void FetchPlan::cannot_check(std::uint64_t ticket) {
  for (Partition& partition : partitions_)
    if (partition.asked == ticket) partition.checked = partition.asked_epoch;
}

const FetchPlan::Partition* FetchPlan::find(std::string_view topic, std::int32_t partition) const {
  for (const Partition& known : partitions_)
    if (known.number == partition && known.topic() == topic) return &known;
  return nullptr;
}

FetchPlan::Partition* FetchPlan::find(std::string_view topic, std::int32_t partition) {
  return const_cast<Partition*>(std::as_const(*this).find(topic, partition));
}

FetchPlan::Outcome FetchPlan::take_answer(std::uint64_t ticket, const wire::FetchResponse& response,
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
      if (!partition || partition->asked != ticket) continue;
      partition->asked = 0;
      if (answer.error_code == ErrorCode::none)
        take_partition(*partition, answer, owner, broker, outcome);
      else
        take_error(*partition, answer, broker, outcome);
    }
  }
  return outcome;
}

FetchPlan::Outcome FetchPlan::take_answer(std::uint64_t ticket,
                                          const wire::OffsetForLeaderEpochResponse& response,
                                          std::string_view broker) {
  Outcome outcome;
  for (const auto& topic : response.topics) {
    for (const auto& answer : topic.partitions) {
      Partition* partition = find(topic.topic, answer.partition);
      if (!partition || partition->asked != ticket) continue;
      partition->asked = 0;
      take_check(*partition, answer, broker, outcome);
    }
  }
  for (Partition& partition : partitions_) {
    if (partition.asked != ticket) continue;
    partition.asked = 0;
    outcome.retry_later = true;
  }
  return outcome;
}

void FetchPlan::take_check(Partition& partition,
                           const wire::OffsetForLeaderEpochResponse::Partition& answer,
                           std::string_view broker, Outcome& outcome) {
  ErrorCode code = answer.error_code;
  if (needs_metadata(code)) {
    outcome.moved.emplace_back(partition.topic(), partition.number);
    return;
  }
  if (wire::retriable(code)) {
    outcome.retry_later = true;
    return;
  }
  if (code != ErrorCode::none) {
    outcome.error = broker_error(code, text_of(partition), broker);
    return;
  }
  // Of an epoch that it has nothing of, it says nothing.
  bool is_known = answer.end_offset >= 0 && answer.leader_epoch >= 0;
  if (is_known && answer.end_offset >= partition.position) {
    partition.checked = partition.asked_epoch;
    return;
  }
  std::string words = "what was read is not there any more";
  if (is_known) words += fmt::format(" from offset {} on", answer.end_offset);
  partition.is_lost = true;
  outcome.out_of_range.push_back(
      {partition.name, partition.number,
       broker_error(ErrorCode::offset_out_of_range, text_of(partition), broker, words)});
  if (is_known) outcome.out_of_range.back().cut = {answer.end_offset, answer.leader_epoch};
}

std::string FetchPlan::text_of(const Partition& partition) {
  return fmt::format("{}/{} at offset {}", partition.topic(), partition.number, partition.position);
}

void FetchPlan::take_partition(Partition& partition, const wire::FetchResponse::Partition& answer,
                               const std::shared_ptr<const void>& owner, std::string_view broker,
                               Outcome& outcome) {
  // Brokers from before transactions have no stable offset.
  bool is_stable = options_.read_committed && answer.last_stable_offset >= 0;
  outcome.ends.push_back({partition.topic(), partition.number,
                          is_stable ? answer.last_stable_offset : answer.high_watermark});
  if (answer.records.size() == 0) return;
  auto refuse = [&](Errc code, std::string_view why) {
    outcome.error =
        Error{code, fmt::format("{}/{} at offset {}: {} (from broker {})", partition.topic(),
                                partition.number, partition.position, why, broker)};
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
  fetched.topic = partition.topic();
  fetched.name = partition.name;
  fetched.partition = partition.number;
  fetched.leader_epoch = whole->leader_epoch;
  fetched.begin = partition.position;
  fetched.end = whole->next_offset;
  fetched.high_watermark = answer.high_watermark;
  fetched.batches = whole->bytes;
  fetched.owner = owner;
  if (options_.read_committed && answer.aborted_transactions)
    fetched.aborted = *answer.aborted_transactions;
  std::stable_sort(fetched.aborted.begin(), fetched.aborted.end(),
                   [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
  partition.position = whole->next_offset;
  partition.epoch = whole->leader_epoch;
  partition.checked = partition.asked_epoch;
  outcome.fetched.push_back(std::move(fetched));
}

void FetchPlan::take_error(Partition& partition, const wire::FetchResponse::Partition& answer,
                           std::string_view broker, Outcome& outcome) const {
  if (needs_metadata(answer.error_code)) {
    outcome.moved.emplace_back(partition.topic(), partition.number);
    return;
  }
  // Bytes that are damaged on the broker's disk do not heal by asking again.
  if (wire::retriable(answer.error_code) && answer.error_code != ErrorCode::corrupt_message) {
    outcome.retry_later = true;
    return;
  }
  bool is_out_of_range = answer.error_code == ErrorCode::offset_out_of_range;
  std::optional<std::string> words;
  if (is_out_of_range && answer.log_start_offset >= 0)
    words = fmt::format("the partition begins at offset {}", answer.log_start_offset);
  Error error = broker_error(answer.error_code, text_of(partition), broker, words);
  if (!is_out_of_range) {
    outcome.error = std::move(error);
    return;
  }
  partition.is_lost = true;
  outcome.out_of_range.push_back({partition.name, partition.number, std::move(error)});
}

}  // namespace leat::client
