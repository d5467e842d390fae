// Brokers for tests of the client: real sockets on loopback, logs in memory, and faults on demand.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "leat/options.h"
#include "log/producer_table.h"
#include "wire/fetch.h"
#include "wire/frame.h"
#include "wire/list_offsets.h"
#include "wire/metadata.h"
#include "wire/offset_for_leader_epoch.h"
#include "wire/produce.h"

namespace leat::client {

/// What happens to one request instead of a plain answer.
struct Fault {
  enum class Kind {
    none,
    drop_request,  // the connection ends before the request is looked at
    drop_answer,   // the request is carried out, then the connection ends
    cut_answer,    // half of the answer is sent, then the connection ends
    trickle,       // the answer is sent in small parts, the end byte by byte
    never,         // there is no answer
  };
  Kind kind = Kind::none;
  /// Answered for every partition of the request instead of carrying it out.
  wire::ErrorCode error = wire::ErrorCode::none;
};

/// Thread-safe. Brokers are numbered from 1; each has a thread for every connection. They know a
/// batch that is sent again as Leat's do.
class FakeCluster {
 public:
  explicit FakeCluster(int brokers);
  ~FakeCluster();
  FakeCluster(const FakeCluster&) = delete;
  FakeCluster& operator=(const FakeCluster&) = delete;

  /// All partitions are led by broker 1.
  void add_topic(const std::string& name, int partitions);
  void set_leader(const std::string& topic, std::int32_t partition, int broker);
  /// Asked for each request but ApiVersions, not under the lock.
  using FaultOf = std::function<Fault(wire::ApiKey key, int broker)>;
  void set_faults(FaultOf faults);
  /// Limits what broker 1 and all others say they speak.
  void limit(wire::ApiKey key, wire::Versions versions);

  std::uint16_t port(int broker) const;
  /// The values of a partition's records, in order.
  std::vector<std::string> values(const std::string& topic, std::int32_t partition);
  /// Appends a batch of anyone's making; its base offset is set.
  void append(const std::string& topic, std::int32_t partition, Bytes batch);
  /// What came from there on is gone, and `broker` leads, in a new epoch.
  void cut(const std::string& topic, std::int32_t partition, std::int64_t offset, int broker);
  /// What came before is gone.
  void set_start_offset(const std::string& topic, std::int32_t partition, std::int64_t offset);
  /// Of a partition's batches, as they came.
  std::size_t bytes(const std::string& topic, std::int32_t partition) const;
  int requests(wire::ApiKey key) const;
  int connections() const { return connections_; }

 private:
  struct Partition {
    int leader = 1;
    std::int64_t start_offset = 0;
    std::int64_t end_offset = 0;
    std::vector<Bytes> batches;
    std::map<std::int32_t, std::int64_t> epochs{{0, 0}};  // where each began
    log::ProducerTable producers;
  };
  struct Broker;

  void serve(Broker& broker, int socket);
  /// The answer to a request, or nothing when it is not to be answered.
  Result<wire::Encoded> answer(Broker& broker, const wire::RequestFrame& frame, Fault fault);
  wire::MetadataResponse metadata(const wire::MetadataRequest& request);
  wire::ProduceResponse produce(int broker, const wire::ProduceRequest& request, Fault fault);
  wire::FetchResponse fetch(int broker, const wire::FetchRequest& request, Fault fault);
  wire::FetchResponse fetch_now(int broker, const wire::FetchRequest& request, Fault fault,
                                bool& empty);
  wire::ListOffsetsResponse list_offsets(int broker, const wire::ListOffsetsRequest& request,
                                         Fault fault);
  wire::OffsetForLeaderEpochResponse epoch_ends(int broker,
                                                const wire::OffsetForLeaderEpochRequest& request,
                                                Fault fault);
  wire::ErrorCode find(const std::string& topic, std::int32_t partition, int broker, Fault fault,
                       Partition*& found);
  static void append_locked(Partition& partition, Bytes batch);
  static wire::ErrorCode append_once(Partition& partition, Bytes batch, std::int64_t& base_offset);

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::map<std::string, std::vector<Partition>> topics_;
  std::map<wire::ApiKey, wire::Versions> limits_;
  std::map<wire::ApiKey, int> requests_;
  std::vector<std::shared_ptr<Bytes>> kept_;
  std::int64_t last_producer_id_ = 0;
  FaultOf faults_;
  std::vector<std::thread> threads_;
  std::vector<int> sockets_;

  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::vector<std::unique_ptr<Broker>> brokers_;
};

/// Of who does not wait long before trying again.
ClientOptions quick_options(const FakeCluster& cluster);

}  // namespace leat::client
