// One seeded history of a transactional producer, as it is but for sockets and clock, against a
// whole server but for its sockets: connections break, requests and answers get lost, the server is
// killed, and producers die in the middle and come again.
//
// What must be true, whatever happens:
//
//  - Who reads what is committed finds the records of a transaction that was told to be committed
//    once each, in order; none of one that was aborted; and all or none of one of which nobody
//    knows.
//  - The group's offset is that of the last such transaction that committed one.
//  - Once nothing goes wrong any more, transactions are committed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/metadata.h"
#include "client/produce_queue.h"
#include "client/transaction.h"
#include "server/node.h"
#include "wire/metadata.h"
#include "wire/produce.h"
#include "sim/broker_lives.h"
#include "sim/sim_connection.h"
#include "wire/frame.h"

namespace leat::sim {

class ClientTransactionSimulation : public BrokerLives {
 public:
  ClientTransactionSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point = nullptr);
  ~ClientTransactionSimulation() override;

 private:
  using Time = std::chrono::nanoseconds;
  using Request = client::ProduceQueue::Request;
  enum class Fate { open, committed, aborted, unknown };
  struct Work {
    Fate fate = Fate::open;
    /// By partition, how many records, numbered from 0.
    std::vector<int> records;
    std::int64_t offset = 0;
  };
  enum class Step { init, begin, write, offsets, commit, abort };
  /// One run of a program: it ends with the process.
  struct Producer {
    Producer(const ProducerOptions& options, Random random);
    client::ProduceQueue queue;
    client::Transaction transaction;
    client::Metadata metadata;
    Step step = Step::init;
    bool is_waiting = false;  // for what the transaction was asked
    bool is_failing = false;  // its queue
    bool is_initializing = false;
    /// Its epoch may have been raised by a server that died before it said so. Kafka, too, cannot
    /// tell it from one before then.
    bool may_be_fenced = false;
    int left = 0;  // to be written
    std::shared_ptr<SimConnection> connection;
    std::int32_t last_id = 0;
    std::map<std::int32_t, std::function<void(const Bytes*)>> waiting;  // for answers
  };

  void opened() override;
  void live() override;
  void ended() override;
  void finish() override;

  Time now() const { return executor_.monotonic(); }
  void act();
  void begin_anew();
  void begin();
  void write();
  void look();
  void drive();
  void operation_ended(const client::Result<void>& result);
  void fail_queue(const client::Error& error);
  void report(const client::Delivery& delivery);
  void send(std::shared_ptr<Request> request);
  void ask(const client::Transaction::Outgoing& outgoing);
  void describe();
  void connect();
  void disconnect();
  template <class R>
  void call(const R& request, wire::Version version,
            std::function<void(const typename R::Response&)> use, std::function<void()> lost);
  std::vector<std::string> read(std::int32_t partition);
  void verify();
  void verify_offset(const std::vector<bool>& is_there);

  server::ServerOptions server_options_;
  std::unique_ptr<server::Node> node_;
  std::unique_ptr<Producer> producer_;
  std::vector<Work> works_;
  bool with_second_ = false;
  bool has_faults_ = true;
};

}  // namespace leat::sim
