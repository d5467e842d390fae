// What Producer holds: a Sender, and what waits to be taken by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/anchor.h"
#include "client/error.h"
#include "client/operation.h"
#include "client/sender.h"
#include "leat/options.h"
#include "leat/record.h"
#include "net/task.h"

namespace leat::client {

/// A copy of a record, for as long as it waits.
struct OwnedRecord {
  struct OwnedHeader {
    std::string name;
    std::optional<std::string> value;
  };
  explicit OwnedRecord(const leat::OutRecord& record);

  std::string topic;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<OwnedHeader> headers;
  std::optional<std::int32_t> partition;
  std::optional<Timestamp> timestamp;
};

/// Takes records in the order of the calls, from any thread: where one waits, for room or for what
/// is known of its topic, those behind it wait too.
class ProducerHandle : public Anchor, public std::enable_shared_from_this<ProducerHandle> {
 public:
  using Sending = std::shared_ptr<Operation<leat::Delivery>>;
  using Waited = std::shared_ptr<Operation<>>;

  ProducerHandle(boost::asio::any_io_executor executor, ClientOptions options,
                 const ProducerOptions& producer_options);

  /// Completes `operation` when the record is acknowledged, or never will be.
  void send(const leat::OutRecord& record, Sending operation);
  /// Completes `operation` when the record is queued, or never will be.
  void enqueue(const leat::OutRecord& record, std::uint64_t tag, Waited operation);
  /// Queues the record at once. False: not without waiting.
  Result<bool> try_send(const leat::OutRecord& record, std::uint64_t tag);
  /// Completes `operation` when try_send() is worth trying again.
  void wait_for_room(Waited operation);
  void flush(Waited operation);

  const std::shared_ptr<Sender>& sender() const { return sender_; }

 private:
  enum class Wish : std::uint8_t { send, enqueue, learn, room, flush };
  struct Waiting {
    Wish wish;
    std::optional<OwnedRecord> record = {};  // to send or enqueue
    std::uint64_t tag = 0;
    Sending sending = {};
    Waited waited = {};
    std::string topic = {};  // to learn

    bool is_cancelled() const;
    void fail(const Error& error) const;
  };

  void let_go() override;
  /// Behind those that wait. REQUIRES: mutex_ is held.
  void wait(Waiting waiting);
  net::Task<void> serve_waiting(std::shared_ptr<ProducerHandle> self,
                                std::shared_ptr<Sender> sender);
  net::Task<Result<void>> serve(const Waiting& waiting, std::shared_ptr<Sender> sender);
  net::Task<Result<void>> serve_record(const Waiting& waiting, std::shared_ptr<Sender> sender);

  std::shared_ptr<Sender> sender_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::deque<Waiting> waiting_;
  bool is_serving_ = false;
  /// Of the last record that there was no room for.
  std::size_t refused_bytes_ = 1;
  /// Why topics could not be learnt that try_send() asked for; told once.
  std::map<std::string, Error, std::less<>> failed_topics_;
};

}  // namespace leat::client
