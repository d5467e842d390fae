// Produce: gives each partition its batch, on the partition's shard, and answers when all are
// acknowledged. What belongs to the connection's own shard is appended without a hop.
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "broker/topic_name.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::ProduceRequest;
using wire::ProduceResponse;

constexpr wire::Version first_version_with_abortable = 11;

/// A request whose batches are being appended. Each place of the answer is filled in by the shard
/// of its partition; whoever fills in the last one answers.
struct Pending {
  explicit Pending(Call<ProduceRequest> from) : call(std::move(from)) {}
  Call<ProduceRequest> call;
  ProduceResponse response;
  /// By the number of the partition in the request: its place in the answer is filled in.
  std::vector<std::atomic<bool>> is_filled;
  /// One more than there are, until all have been asked for.
  std::atomic<std::size_t> unanswered{1};
  std::atomic<bool> has_failed{false};
  /// All are acknowledged or have failed, or the client would wait no longer.
  std::atomic<bool> is_answered{false};
};

/// A batch on its way to its partition.
struct Item {
  std::shared_ptr<broker::Partition> partition;
  MutableBytes records;
  ProduceResponse::Partition* answer = nullptr;
  std::atomic<bool>* is_filled = nullptr;
};

void set_error(Pending& pending, ProduceResponse::Partition& partition, const Error& error) {
  pending.has_failed = true;
  bool knows_abortable = pending.call.version() >= first_version_with_abortable;
  partition.error_code = to_wire(error.code, knows_abortable);
  partition.error_message = error.what;
  partition.base_offset = -1;
}

void finish_one(Pending& pending) {
  if (--pending.unanswered > 0 || pending.is_answered.exchange(true)) return;
  if (pending.call.request().acks != 0) return pending.call.answer(pending.response);
  // No answer can tell a client of acks 0 that something is wrong. Closing makes it look again.
  if (pending.has_failed) return pending.call.disconnect("a produce with acks 0 failed");
  pending.call.finish();
}

/// On the partition's executor.
void append(const std::shared_ptr<Pending>& pending, const Item& item) {
  const Call<ProduceRequest>& call = pending->call;
  std::vector<record::RecordError> rejected;
  item.partition->append(
      call.owner(), item.records, call.version(),
      [pending, answer = item.answer,
       is_filled = item.is_filled](Result<broker::Appended> appended) {
        if (appended) {
          answer->base_offset = appended->base_offset.value();
          answer->log_append_time_ms = appended->append_time_ms;
          answer->log_start_offset = appended->start_offset.value();
        } else {
          set_error(*pending, *answer, appended.error());
        }
        *is_filled = true;
        finish_one(*pending);
      },
      &rejected);
  for (record::RecordError& error : rejected) {
    item.answer->record_errors.push_back({error.index, std::move(error.what)});
  }
}

/// Finds the partitions, and takes each batch to its own.
void append_all(const std::shared_ptr<Pending>& pending) {
  Call<ProduceRequest>& call = pending->call;
  auto topics = call.broker().topics();
  std::map<Executor*, std::vector<Item>> by_shard;
  std::size_t number = 0;
  for (std::size_t t = 0; t < call.request().topic_data.size(); ++t) {
    const auto& topic = call.request().topic_data[t];
    broker::TopicPtr found = topics->find(topic.name);
    bool is_internal = broker::is_internal_topic(topic.name);
    for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
      const auto& data = topic.partition_data[p];
      ProduceResponse::Partition& answer = pending->response.responses[t].partition_responses[p];
      auto partition = found ? found->partition(PartitionId{data.index}) : nullptr;
      std::atomic<bool>& is_filled = pending->is_filled[number++];
      if (is_internal) {
        is_filled = true;
        set_error(*pending, answer,
                  {Errc::invalid_topic, fmt::format("{} is the server's own", topic.name)});
        continue;
      }
      if (!partition) {
        is_filled = true;
        set_error(*pending, answer,
                  {Errc::unknown_topic_or_partition,
                   fmt::format("there is no partition {}-{}", topic.name, data.index)});
        continue;
      }
      Executor* executor = &partition->executor();
      by_shard[executor].push_back(
          {std::move(partition), call.writable(data.records.bytes()), &answer, &is_filled});
      ++pending->unanswered;
    }
  }
  for (auto& [executor, items] : by_shard) {
    auto append_items = [pending, items = std::move(items)] {
      for (const Item& item : items) append(pending, item);
    };
    if (executor == &call.executor()) {
      append_items();
    } else {
      executor->post(std::move(append_items));
    }
  }
}

/// All places of the answer, so that callbacks find theirs where it will stay; how many there are.
std::size_t lay_out(const ProduceRequest& request, ProduceResponse& response) {
  std::size_t count = 0;
  response.responses.resize(request.topic_data.size());
  for (std::size_t t = 0; t < request.topic_data.size(); ++t) {
    const auto& topic = request.topic_data[t];
    response.responses[t].name = topic.name;
    response.responses[t].partition_responses.resize(topic.partition_data.size());
    count += topic.partition_data.size();
    for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
      response.responses[t].partition_responses[p].index = topic.partition_data[p].index;
    }
  }
  return count;
}

/// What is not acknowledged by now may yet be: the client has to find out.
void answer_late(Pending& pending) {
  if (pending.is_answered.exchange(true)) return;
  Error late{Errc::request_timed_out, "not acknowledged within the request's timeout"};
  ProduceResponse response;
  lay_out(pending.call.request(), response);
  std::size_t number = 0;
  for (std::size_t t = 0; t < response.responses.size(); ++t) {
    auto& partitions = response.responses[t].partition_responses;
    for (std::size_t p = 0; p < partitions.size(); ++p) {
      if (pending.is_filled[number++]) {
        partitions[p] = pending.response.responses[t].partition_responses[p];
      } else {
        set_error(pending, partitions[p], late);
      }
    }
  }
  pending.call.answer(response);
}

void refuse_all(Pending& pending, const Error& error) {
  for (auto& topic : pending.response.responses) {
    for (auto& partition : topic.partition_responses) set_error(pending, partition, error);
  }
}

}  // namespace

void handle(Call<ProduceRequest> call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const ProduceRequest& request = pending->call.request();
  pending->is_filled = std::vector<std::atomic<bool>>(lay_out(request, pending->response));
  if (request.acks < -1 || request.acks > 1) {
    refuse_all(*pending, {Errc::invalid_required_acks,
                          fmt::format("acks may be -1, 0 or 1, not {}", request.acks)});
  } else {
    // Kafka's single broker has appended before it looks at the timeout, so 0 must do no harm.
    if (request.acks != 0 && request.timeout_ms > 0) {
      std::chrono::milliseconds timeout(request.timeout_ms);
      pending->call.on_timeout(timeout, [pending] { answer_late(*pending); });
    }
    append_all(pending);
  }
  finish_one(*pending);
}

}  // namespace leat::server
