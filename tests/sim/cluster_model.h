// Three brokers that share the partitions of a topic, as Kafka's do: a leader each, of an epoch,
// whose appends count once they are replicated. What is not replicated yet when the leader changes
// may be there afterwards, or not.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/sim_executor.h"
#include "log/producer_table.h"
#include "wire/init_producer_id.h"
#include "wire/metadata.h"
#include "wire/produce.h"

namespace leat::sim {

class ClusterModel {
 public:
  using Answer = std::function<void(wire::ProduceResponse response)>;
  static constexpr int brokers = 3;  // numbered from 1
  /// A record with this in its value is refused for good.
  static constexpr char poison = '!';

  /// What may go wrong with a request, one in so many; 0: never.
  struct Faults {
    std::uint64_t refuse_before = 0;  // NOT_ENOUGH_REPLICAS, and others that pass
    std::uint64_t fail_after = 0;     // NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT
    std::uint64_t too_large = 0;      // of batches with more than one record
  };
  ClusterModel(SimExecutor& executor, Random random, int partitions, Faults faults);

  /// What broker `broker` does with a request that has arrived there. `answer` comes later, or
  /// never. A broker that is down hears nothing.
  void produce(int broker, const wire::ProduceRequest& request, Answer answer);
  wire::InitProducerIdResponse init_producer_id();
  /// As `broker` sees it, which may have missed what was lately.
  wire::MetadataResponse metadata(int broker);
  bool is_up(int broker) const { return up_[static_cast<std::size_t>(broker)]; }

  /// Another broker leads the partition from now on.
  void change_leader(int partition);
  /// The process has died: partitions go to others, and none of its answers is sent.
  void stop(int broker);
  void start(int broker) { up_[static_cast<std::size_t>(broker)] = true; }
  void stop_faults() { faults_ = {}; }
  /// Brokers forget producers that were idle for long.
  void forget_producers(int partition);

  /// The values of a partition's records, by offset.
  std::vector<std::string> values(int partition) const;

 private:
  using Part = wire::ProduceResponse::Partition;
  struct Waiting {
    std::int64_t end = 0;  // answered when so much is replicated
    int broker = 0;
    std::function<void(wire::ErrorCode code)> answer;
  };
  struct Partition {
    int leader = 1;
    std::int32_t epoch = 0;
    int leader_before = 1;
    std::int32_t epoch_before = 0;
    struct Batch {
      std::int64_t offset = 0;
      std::vector<std::string> values;
    };
    std::vector<Batch> batches;
    std::int64_t end = 0;
    std::int64_t committed = 0;
    log::ProducerTable producers;
    std::deque<Waiting> waiting;
  };

  void append(int broker, Partition& partition, BytesView bytes,
              std::function<void(wire::ErrorCode code, std::int64_t base_offset)> answer);
  void replicate(Partition& partition);
  void commit(Partition& partition, std::int64_t end);

  SimExecutor& executor_;
  Random random_;
  Faults faults_;
  std::vector<Partition> partitions_;
  std::vector<bool> up_;
  std::int64_t last_producer_id_ = 0;
};

}  // namespace leat::sim
