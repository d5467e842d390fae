// A broker on a simulated disk, whose transactions are followed across crashes: what the tests of
// their coordinator share.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/crashing_broker.h"
#include "broker/transactions.h"

namespace leat::broker {

inline constexpr std::int32_t partitions = 3;

/// Topic "t" and the transactional id "id".
class TransactionWorld : public CrashingBroker {
 public:
  explicit TransactionWorld(std::uint64_t seed, std::uint64_t free_bytes_min = 0)
      : CrashingBroker(seed, {free_bytes_min}) {}

  Result<void> create_topic(const ConfigMap& configs = {}) {
    return try_to_create("t", partitions, configs);
  }
  Result<ProducerIdentity> init(std::optional<ProducerIdentity> expected = {},
                                std::int32_t timeout_ms = 60'000, const std::string& id = "id") {
    return run<ProducerIdentity>([&](Transactions::InitDone done) {
      broker().transactions().init_producer(id, timeout_ms, expected, std::move(done));
    });
  }
  Result<void> add(ProducerIdentity producer, std::set<std::int32_t> numbers = {0, 1, 2}) {
    TransactionPartitions added;
    for (std::int32_t p : numbers) added["t"].insert(PartitionId{p});
    return run<void>([&](Transactions::Done done) {
      broker().transactions().add_partitions("id", producer, added, std::move(done));
    });
  }
  Result<void> end(ProducerIdentity producer, bool is_commit) {
    return run<void>([&](Transactions::Done done) {
      broker().transactions().end("id", producer, is_commit, std::move(done));
    });
  }
  /// The same in the second protocol.
  Result<ProducerIdentity> raise(ProducerIdentity producer, bool is_commit) {
    return run<ProducerIdentity>([&](Transactions::InitDone done) {
      broker().transactions().end_and_raise("id", producer, is_commit, std::move(done));
    });
  }
  /// Versions of Produce: with the second, a batch adds its partition.
  static constexpr int in_first = 9;
  static constexpr int in_second = 12;
  using Sent = std::shared_ptr<std::optional<Result<Appended>>>;
  Sent start_send(ProducerIdentity producer, std::int32_t number, std::int32_t sequence,
                  const std::string& value, int version = in_first) {
    auto bytes = std::make_shared<Bytes>(
        in_transaction(producer.id, producer.epoch, sequence, value, executor().wall_ms()));
    auto partition = at(number);
    auto sent = std::make_shared<std::optional<Result<Appended>>>();
    partition->executor().post([partition, bytes, sent, version] {
      partition->append(bytes, MutableBytes(*bytes), version,
                        [sent](Result<Appended> given) { *sent = std::move(given); });
    });
    return sent;
  }
  Result<Offset> send(ProducerIdentity producer, std::int32_t number, std::int32_t sequence,
                      const std::string& value, int version = in_first) {
    if (is_over()) return fail(Errc::cancelled, "crashed");
    auto sent = wait(start_send(producer, number, sequence, value, version));
    if (!sent) return fail(sent);
    return sent->base_offset;
  }
  /// As clients do it: once more for as long as what a crash lost is being aborted there.
  Result<Offset> send_until_taken(ProducerIdentity producer, std::int32_t number,
                                  std::int32_t sequence, const std::string& value,
                                  int version = in_first) {
    auto sent = send(producer, number, sequence, value, version);
    for (int i = 0; !sent && sent.error().code == Errc::request_timed_out && i < 100; ++i) {
      executor().run_for(std::chrono::milliseconds(10));
      sent = send(producer, number, sequence, value, version);
    }
    return sent;
  }
  /// One transaction of the value in every partition.
  Result<void> transact(ProducerIdentity producer, std::int32_t sequence, const std::string& value,
                        bool is_commit) {
    if (auto added = add(producer); !added) return added;
    for (std::int32_t p = 0; p < partitions; ++p) {
      if (auto sent = send_until_taken(producer, p, sequence, value); !sent) return fail(sent);
    }
    return end(producer, is_commit);
  }

  /// One of the second protocol: gives who the producer is behind it.
  Result<ProducerIdentity> transact_and_raise(ProducerIdentity producer, const std::string& value,
                                              bool is_commit) {
    for (std::int32_t p = 0; p < partitions; ++p) {
      auto sent = send_until_taken(producer, p, 0, value, in_second);
      if (!sent) return fail(sent);
    }
    return raise(producer, is_commit);
  }

  std::shared_ptr<Partition> at(std::int32_t number) { return CrashingBroker::at("t", number); }
  void load(std::int32_t number) { CrashingBroker::load("t", number); }
  bool is_stable(std::int32_t number) { return CrashingBroker::is_stable("t", number); }
  /// The values that a reader of committed records sees.
  Values committed(std::int32_t number) { return CrashingBroker::committed("t", number); }

  /// Writes a record to the transaction log, behind the coordinator's back.
  void note(const std::optional<Transaction>& transaction) {
    auto log = broker().find_partition(transaction_partition().topic_id, PartitionId{0});
    REQUIRE(log);
    auto written = run<void>([&](Transactions::Done done) {
      append_transaction(*log, "id", transaction, 1, std::move(done));
    });
    REQUIRE(written);
  }
  /// All records of the transaction log, oldest first.
  std::vector<Transaction> notes() {
    auto log = broker().find_partition(transaction_partition().topic_id, PartitionId{0});
    REQUIRE(log);
    std::vector<Transaction> all;
    REQUIRE(replay_transactions(*log->view(), [&](const std::string&, auto transaction) {
      if (transaction) all.push_back(std::move(*transaction));
    }));
    return all;
  }
  Transactions& transactions() { return broker().transactions(); }
};

}  // namespace leat::broker
