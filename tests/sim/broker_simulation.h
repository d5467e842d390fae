// One seeded history of a broker that several clients talk to, on the fake file system.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/metrics.h"
#include "base/random.h"
#include "base/sim_executor.h"
#include "broker/broker.h"
#include "file/fake_file_system.h"
#include "server/node.h"
#include "shards.h"
#include "sim/history.h"
#include "sim/sim_connection.h"
#include "wire/messages.h"

namespace leat::sim {

/// Everything a server is but its sockets: requests as bytes, dispatch, handlers, broker, log. It
/// is opened, asked by clients that know only the protocol, and closed or crashed, several times
/// over, also while it recovers; all of it follows from the seed. What clients may expect is in
/// history.h. Lives and faults are in broker_simulation.cpp, requests in broker_clients.cpp.
class BrokerSimulation {
 public:
  /// A verbose one tells each step on stderr.
  BrokerSimulation(std::uint64_t seed, bool verbose);
  ~BrokerSimulation();

  /// What went wrong first, with the steps that led to it; empty when nothing did.
  std::string run();

 private:
  enum class End { close, kill, power_loss };
  struct Client {
    int number = 0;
    std::shared_ptr<SimConnection> connection;
    std::int32_t last_id = 0;
    /// By correlation id, in the order sent: takes the answer's frame, or null for none.
    std::map<std::int32_t, std::function<void(const Bytes*)>> waiting;
    /// The last batch sent over this connection to each partition.
    std::map<TopicPartition, std::uint64_t> last_sent;
    std::map<TopicPartition, std::int64_t> positions;
  };

  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    tell(fmt::format(format, std::forward<Args>(args)...));
  }
  void tell(std::string step);
  void object(const std::string& objection);
  bool alive() const { return objection_.empty() && !files_.stopped(); }

  void open();
  bool try_open();
  void live();
  void act();
  void end_life(bool may_close);
  bool close_broker();
  void drop_clients();
  void settle();
  void break_disk();
  void mend_disk();
  void verify();
  void verify_partition(const TopicPartition& id);

  Client& draw_client();
  void connect(Client& client);
  void leave(Client& client);
  void answered(Client& client, const Bytes& frame);
  template <class Request>
  void ask(
      Client& client, const Request& request, wire::Version version,
      std::function<void(typename Request::Response&)> use, std::function<void()> lost = [] {});
  template <class Request>
  wire::Version draw_version();
  /// A partition of a topic that is not being deleted.
  std::optional<TopicPartition> draw_partition();
  const std::string& name_of(const Uuid& topic) { return history_.topics()[topic].name; }
  /// Whether such an answer has an excuse.
  bool is_excused(wire::ErrorCode code, const Uuid& topic);

  void produce();
  /// What was known of a partition when a request was sent.
  struct Known {
    std::int64_t offset = 0;
    std::int64_t high_watermark = 0;
    std::int64_t start = 0;
  };
  Known known(const TopicPartition& id, std::int64_t offset = 0);
  void produced(const wire::ProduceResponse::Partition& answer, std::uint64_t attempt,
                std::optional<std::uint64_t> before);
  void fetch();
  void fetched(Client& client, const TopicPartition& from, const Known& before, bool is_alone,
               const wire::FetchResponse::Partition& answer);
  void fetch_deleted();
  void list_offsets();
  void delete_records();
  void list_topics();
  void listed(const History::Listing& expected, const wire::MetadataResponse& response);
  void create_topic();
  void delete_topic();

  std::uint64_t seed_;
  bool verbose_;
  Random random_;
  SimExecutor executor_;
  testing::SimShards shards_;  // one, or several in every other story
  file::FakeFileSystem files_;
  Metrics metrics_;
  server::ServerOptions options_;
  History history_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<server::Node> node_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::deque<std::string> steps_;
  std::string objection_;
  std::uint64_t life_ = 0;
  bool with_failing_disk_;
  bool disk_limited_ = false;
  bool sync_failed_ = false;       // in this life
  bool writes_failed_ = false;     // in this life
  bool sync_ever_failed_ = false;  // since the last recovery that was whole
};

}  // namespace leat::sim
