// One seeded history of a broker that several clients talk to, on the fake file system.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
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
#include "sim/crash_points.h"
#include "sim/history.h"
#include "sim/sim_connection.h"
#include "wire/frame.h"
#include "wire/messages.h"

namespace leat::sim {

/// A client's fetch session, as the client sees it.
struct ClientSession {
  struct Told {
    std::int64_t offset = 0;  // from which it asked to read
    std::int64_t high_watermark = -1;
    std::int64_t start = -1;
  };
  std::int32_t id = 0;
  std::int32_t epoch = 0;  // that its next request has; 0: there is no session
  wire::Version version = 0;
  std::map<TopicPartition, Told> partitions;
  bool is_asking = false;
};

/// Everything a server is but its sockets: requests as bytes, dispatch, handlers, broker, log. It
/// is opened, asked by clients that know only the protocol, and closed or crashed, several times
/// over, also while it recovers; all of it follows from the seed. What clients may expect is in
/// history.h. Lives and faults are in broker_simulation.cpp, requests for records in
/// broker_clients.cpp and broker_sessions.cpp, those of groups in broker_groups.cpp, those about
/// topics in broker_topics.cpp.
class BrokerSimulation {
 public:
  /// A verbose one tells each step on stderr. With a point its processes die there.
  BrokerSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point = nullptr);
  ~BrokerSimulation();

  /// What went wrong first, with the steps that led to it; empty when nothing did.
  std::string run();
  /// How often a process died at the point.
  int crashes() const { return crasher_.times(); }

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
    ClientSession session;
  };
  /// What was known of a partition when a request was sent.
  struct Known {
    std::int64_t offset = 0;
    std::int64_t high_watermark = 0;
    std::int64_t start = 0;
    /// The batch that was sent to it before, over the same connection.
    std::optional<std::uint64_t> sent_before = std::nullopt;
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
  bool is_excused(wire::ErrorCode code, bool is_certain);
  bool is_excused(wire::ErrorCode code, const Uuid& topic) {
    return is_excused(code, history_.is_certain(topic));
  }
  bool is_excused(wire::ErrorCode code, const TopicPartition& id) {
    return is_excused(code, history_.is_certain(id));
  }

  void produce();
  Known known(const TopicPartition& id, std::int64_t offset = 0);
  Known known(const Client& client, const TopicPartition& id, std::int64_t offset);
  void produced(const wire::ProduceResponse::Partition& answer, std::uint64_t attempt,
                std::optional<std::uint64_t> before);
  void fetch();
  void fetched(Client& client, const TopicPartition& from, const Known& before, bool is_alone,
               const wire::FetchResponse::Partition& answer);
  void fetch_deleted();
  void fetch_in_session();
  wire::FetchRequest draw_session_request(Client& client);
  void begin_session(ClientSession& session, wire::FetchRequest& request);
  void go_on_in_session(Client& client, wire::FetchRequest& request);
  void ask_in_session(Client& client, const wire::FetchRequest& request);
  void fetched_in_session(Client& client, const std::map<TopicPartition, Known>& before,
                          bool is_first, wire::FetchResponse& response);
  void check_silence(const ClientSession& session, const std::map<TopicPartition, Known>& before,
                     const std::set<TopicPartition>& answered, bool has_records);
  void verify_in_session(const std::vector<TopicPartition>& all);
  void list_offsets();
  void delete_records();
  void list_topics();
  void listed(const History::Listing& expected, const wire::MetadataResponse& response);
  void create_topic();
  void ask_for_topic(Client& client, const std::string& name);
  void delete_topic();
  void ask_to_delete(Client& client, const Uuid& id);
  void recreate_topic();
  std::optional<Uuid> draw_topic();
  void create_partitions();
  void alter_configs();
  void altered(const Uuid& id, const Configs& configs, wire::ErrorCode code);
  void describe_configs();
  bool is_excused_commit(wire::ErrorCode code, const TopicPartition& id);
  void commit_offsets();
  void committed(int client, const TopicPartition& id, std::int64_t value, wire::ErrorCode code);
  void fetch_offsets();
  void fetch_offsets(Client& client, const TopicPartition& id);
  void told_committed(int client, const TopicPartition& id, std::int64_t floor,
                      const wire::OffsetFetchResponse::Partition& told);
  void forget_commits();
  void verify_commits();
  void ask_for_epoch_end();
  void ask_for_epoch_end(const TopicPartition& of, std::int32_t epoch);
  void verify_epochs(const TopicPartition& of);

  std::uint64_t seed_;
  bool verbose_;
  Random random_;
  SimExecutor executor_;
  testing::SimShards shards_;  // one, or several in every other story
  file::FakeFileSystem files_;
  Crasher crasher_;
  Metrics metrics_;
  server::ServerOptions options_;
  History history_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<server::Node> node_;
  std::vector<std::unique_ptr<Client>> clients_;
  /// An offset that was committed, by its number, which no other commit has.
  struct SentCommit {
    int client = 0;
    TopicPartition to;
    std::string name;
  };
  std::map<std::int64_t, SentCommit> commits_sent_;
  std::int64_t last_commit_ = 0;
  /// What a client was told last of its group's offset, or had acknowledged; 0: nothing.
  std::map<std::pair<int, TopicPartition>, std::int64_t> committed_;
  std::deque<std::string> steps_;
  std::string objection_;
  std::uint64_t life_ = 0;
  int deaths_ = 0;  // while opening, since it was opened
  /// Requests under way, in this life, that name a topic to change it.
  std::map<std::string, int> changes_;
  bool with_failing_disk_;
  bool disk_limited_ = false;
  bool sync_failed_ = false;       // in this life
  bool writes_failed_ = false;     // in this life
  bool sync_ever_failed_ = false;  // since the last recovery that was whole
};

template <class Request>
void BrokerSimulation::ask(Client& client, const Request& request, wire::Version version,
                           std::function<void(typename Request::Response&)> use,
                           std::function<void()> lost) {
  if (!client.connection) connect(client);
  wire::RequestHeader header;
  header.version = version;
  header.correlation_id = ++client.last_id;
  header.client_id = "simulated";
  auto encoded = wire::encode_request(request, header);
  if (!encoded) return object("a request cannot be encoded: " + encoded.error().what);
  if (use) {
    client.waiting[client.last_id] = [this, version, use = std::move(use),
                                      lost = std::move(lost)](const Bytes* frame) {
      if (frame == nullptr) return lost();
      auto response =
          wire::decode_response<typename Request::Response>(*wire::parse_response(*frame), version);
      if (!response) return object("an answer cannot be read: " + response.error().what);
      use(*response);
    };
  }
  client.connection->receive(encoded->bytes);
}

template <class Request>
wire::Version BrokerSimulation::draw_version() {
  constexpr wire::Versions valid = Request::valid;
  return static_cast<wire::Version>(random_.between(valid.first, valid.last));
}

}  // namespace leat::sim
