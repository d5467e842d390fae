#include "sim/cluster_model.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "log/scan.h"
#include "record/batch.h"
#include "record/record.h"

namespace leat::sim {

using namespace std::chrono_literals;
using wire::ErrorCode;

ClusterModel::ClusterModel(SimExecutor& executor, Random random, int partitions, Faults faults)
    : executor_(executor), random_(random), faults_(faults), up_(brokers + 1, true) {
  partitions_.resize(static_cast<std::size_t>(partitions));
  for (std::size_t i = 0; i < partitions_.size(); ++i)
    partitions_[i].leader = partitions_[i].leader_before = static_cast<int>(i) % brokers + 1;
}

void ClusterModel::produce(int broker, const wire::ProduceRequest& request, Answer answer) {
  if (!is_up(broker)) return;
  struct Open {
    wire::ProduceResponse response;
    std::size_t left = 0;
    Answer answer;
  };
  auto open = std::make_shared<Open>();
  open->answer = std::move(answer);
  // The places of the answers must not move while some are awaited.
  for (const auto& topic : request.topic_data) {
    auto& answered = open->response.responses.emplace_back();
    answered.name = topic.name;
    answered.partition_responses.resize(topic.partition_data.size());
    open->left += topic.partition_data.size();
  }
  for (std::size_t t = 0; t < request.topic_data.size(); ++t) {
    const auto& topic = request.topic_data[t];
    for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
      const auto& data = topic.partition_data[p];
      auto done = [open, t, p, index = data.index](ErrorCode code, std::int64_t base_offset) {
        Part& part = open->response.responses[t].partition_responses[p];
        part.index = index;
        part.error_code = code;
        part.base_offset = code == ErrorCode::none ? base_offset : -1;
        if (--open->left == 0) open->answer(std::move(open->response));
      };
      append(broker, partitions_[static_cast<std::size_t>(data.index)], data.records.bytes(),
             std::move(done));
    }
  }
}

void ClusterModel::append(int broker, Partition& partition, BytesView bytes,
                          std::function<void(ErrorCode code, std::int64_t base_offset)> answer) {
  auto batch = record::BatchView::parse(bytes);
  ASSERT(batch && batch->crc_matches());
  if (partition.leader != broker) return answer(ErrorCode::not_leader_or_follower, -1);
  std::vector<std::string> values;
  record::RecordIterator records(*batch);
  while (const record::Record* record = records.next())
    values.emplace_back(as_text(*record->value));
  if (values.size() > 1 && faults_.too_large > 0 && random_.one_in(faults_.too_large))
    return answer(ErrorCode::message_too_large, -1);
  for (const std::string& value : values)
    if (value.find(poison) != std::string::npos) return answer(ErrorCode::invalid_record, -1);
  if (faults_.refuse_before > 0 && random_.one_in(faults_.refuse_before)) {
    constexpr ErrorCode passing[] = {ErrorCode::not_enough_replicas, ErrorCode::fenced_leader_epoch,
                                     ErrorCode::corrupt_message};
    return answer(passing[random_.below(std::size(passing))], -1);
  }

  auto head = log::parse_head(bytes, bytes.size());
  head->next_offset = Offset{partition.end} + (head->next_offset - head->base_offset);
  head->base_offset = Offset{partition.end};
  std::int64_t base_offset = partition.end;
  std::int64_t end = head->next_offset.value();
  if (head->has_producer()) {
    auto known = partition.producers.check(*head, std::nullopt);
    if (!known)
      return answer(known.error().code == Errc::out_of_order_sequence
                        ? ErrorCode::out_of_order_sequence_number
                        : ErrorCode::invalid_producer_epoch,
                    -1);
    if (*known) {
      base_offset = (*known)->base_offset.value();
      end = (*known)->next_offset.value();
    } else {
      partition.producers.append(*head, std::nullopt, 0);
    }
  }
  if (base_offset == partition.end) {
    partition.batches.push_back({base_offset, std::move(values)});
    partition.end = end;
  }
  auto code = ErrorCode::none;
  if (faults_.fail_after > 0 && random_.one_in(faults_.fail_after))
    code = random_.one_in(2) ? ErrorCode::not_enough_replicas_after_append
                             : ErrorCode::request_timed_out;
  if (code != ErrorCode::none) {
    answer(code, -1);
  } else {
    partition.waiting.push_back(
        {end, broker,
         [answer = std::move(answer), base_offset](ErrorCode told) { answer(told, base_offset); }});
  }
  replicate(partition);
}

void ClusterModel::replicate(Partition& partition) {
  executor_.after(std::chrono::microseconds(random_.between(0, 5000)),
                  [this, &partition, epoch = partition.epoch, end = partition.end] {
                    if (partition.epoch == epoch) commit(partition, end);
                  });
}

void ClusterModel::commit(Partition& partition, std::int64_t end) {
  partition.committed = std::max(partition.committed, end);
  partition.producers.commit(Offset{partition.committed});
  // What a duplicate waits for may be replicated before what came ahead of it.
  std::deque<Waiting> over;
  std::erase_if(partition.waiting, [&](Waiting& waiting) {
    if (waiting.end > partition.committed) return false;
    over.push_back(std::move(waiting));
    return true;
  });
  for (Waiting& waiting : over)
    if (is_up(waiting.broker)) waiting.answer(ErrorCode::none);
}

void ClusterModel::change_leader(int number) {
  Partition& partition = partitions_[static_cast<std::size_t>(number)];
  std::vector<int> others;
  for (int broker = 1; broker <= brokers; ++broker)
    if (broker != partition.leader && is_up(broker)) others.push_back(broker);
  if (others.empty()) return;
  partition.leader_before = partition.leader;
  partition.epoch_before = partition.epoch;
  partition.leader = others[random_.below(others.size())];
  ++partition.epoch;
  // The new leader has what was replicated, and some of the rest.
  while (!partition.batches.empty() && partition.batches.back().offset >= partition.committed &&
         random_.one_in(2)) {
    partition.end = partition.batches.back().offset;
    partition.batches.pop_back();
  }
  partition.producers.roll_back(Offset{partition.end});
  for (Waiting& waiting : std::exchange(partition.waiting, {}))
    if (is_up(waiting.broker)) waiting.answer(ErrorCode::not_leader_or_follower);
  replicate(partition);
}

void ClusterModel::stop(int broker) {
  up_[static_cast<std::size_t>(broker)] = false;
  for (std::size_t i = 0; i < partitions_.size(); ++i)
    if (partitions_[i].leader == broker) change_leader(static_cast<int>(i));
}

void ClusterModel::forget_producers(int number) {
  Partition& partition = partitions_[static_cast<std::size_t>(number)];
  if (partition.end == partition.committed) partition.producers.expire(1);
}

wire::InitProducerIdResponse ClusterModel::init_producer_id() {
  wire::InitProducerIdResponse response;
  if (faults_.refuse_before > 0 && random_.one_in(3))
    response.error_code = ErrorCode::coordinator_load_in_progress;
  else
    response.producer_id = ++last_producer_id_;
  response.producer_epoch = 0;
  return response;
}

wire::MetadataResponse ClusterModel::metadata(int broker) {
  bool is_behind = broker != 1 && random_.one_in(3);
  wire::MetadataResponse response;
  for (int id = 1; id <= brokers; ++id)
    response.brokers.push_back({id, "broker" + std::to_string(id), 9092, std::nullopt});
  auto& topic = response.topics.emplace_back();
  topic.name = "t";
  std::int32_t index = 0;
  for (const Partition& partition : partitions_) {
    auto& described = topic.partitions.emplace_back();
    described.partition_index = index++;
    described.leader_id = is_behind ? partition.leader_before : partition.leader;
    described.leader_epoch = is_behind ? partition.epoch_before : partition.epoch;
  }
  return response;
}

std::vector<std::string> ClusterModel::values(int number) const {
  std::vector<std::string> all;
  for (const auto& batch : partitions_[static_cast<std::size_t>(number)].batches)
    all.insert(all.end(), batch.values.begin(), batch.values.end());
  return all;
}

}  // namespace leat::sim
