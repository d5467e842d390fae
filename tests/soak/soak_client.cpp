// One client of the soak over include/leat/client.h, as tests/interop/soak_client.py is one over
// librdkafka: soak_client SETTINGS, the same JSON. SIGTERM asks it to come to an end.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "client.h"
#include "member.h"

namespace {

using namespace soak;
using namespace std::chrono_literals;

const std::map<std::string, std::vector<std::string>> groups{
    {"loop", {"in"}},
    {"watch", {"pair", "out", "side", "moved"}},
    {"all", {"in", "plain", "pair", "out"}}};
constexpr std::size_t unfinished_max = 1000;
constexpr std::size_t records_of_a_transaction = 200;
constexpr int exit_gave_up = 3;

// ---- Producers
// -----------------------------------------------------------------------------------

leat::Producer make_producer(Client& client, leat::ProducerOptions options) {
  options.linger = 1ms;
  options.on_delivery = [&client](const leat::BatchDelivery& batch) {
    for (std::size_t i = 0; i < batch.tags.size(); ++i) {
      --client.unfinished;
      if (!batch.error) {
        bool is_known = batch.base_offset >= 0;
        std::int64_t offset = batch.base_offset + static_cast<std::int64_t>(i);
        client.end(batch.tags[i], "ok", is_known ? fmt::format("\"offset\":{}", offset) : "");
      } else {
        client.end(batch.tags[i], leat::possibly_persisted(batch.error) ? "unknown" : "fail",
                   fmt::format("\"error\":{}", batch.error.value()));
      }
    }
  };
  return leat::Producer(client.context.get_executor(), client.options(), std::move(options));
}

asio::awaitable<void> send(Client& client, leat::Producer& producer, const leat::Partition& place,
                           const std::string& more = {}) {
  std::string uid = client.uid();
  std::uint64_t operation =
      client.begin("send", fmt::format("\"topic\":\"{}\",\"partition\":{},\"uid\":\"{}\"{}",
                                       place.topic, place.number, uid, more));
  std::string value =
      uid + " " + std::string(static_cast<std::size_t>(client.between(0, 199)), 'x');
  leat::OutRecord record;
  record.topic = place.topic;
  record.partition = place.number;
  record.value = value;
  ++client.unfinished;
  try {
    co_await producer.async_enqueue(record, operation);
  } catch (const leat::Exception& exception) {
    // It was never queued, so nobody reports it.
    --client.unfinished;
    client.end_failed(operation, exception, "fail");
  }
}

asio::awaitable<void> produce(Client& client, const std::string& topic,
                              leat::ProducerOptions options) {
  leat::Producer producer = make_producer(client, std::move(options));
  std::vector<leat::Partition> places = partitions_of({topic});
  while (!client.is_stopping) {
    for (int i = client.between(1, 15); i > 0; --i) {
      auto place = static_cast<std::size_t>(client.between(0, static_cast<int>(places.size()) - 1));
      co_await send(client, producer, places[place]);
    }
    co_await client.sleep(client.fraction() * 0.1);
    while (client.unfinished > unfinished_max && !client.is_stopping) co_await client.sleep(0.05);
  }
  co_await producer.async_flush();
}

leat::Producer make_transactional(Client& client, const std::string& role) {
  leat::ProducerOptions options;
  options.transactional_id = fmt::format("{}-{}", role, client.number);
  options.transaction_timeout = 20s;
  return make_producer(client, std::move(options));
}

/// Ends it, so or otherwise. Gives whether it was committed; what is fatal comes out.
asio::awaitable<bool> finish(Client& client, leat::Producer& producer, int transaction,
                             bool is_commit) {
  while (true) {
    std::uint64_t operation =
        client.begin(is_commit ? "commit" : "abort", fmt::format("\"txn\":{}", transaction));
    bool is_to_be_aborted = false;
    try {
      if (is_commit) {
        co_await producer.async_commit();
      } else {
        co_await producer.async_abort();
      }
      client.end(operation, "ok");
      co_return is_commit;
    } catch (const leat::Exception& exception) {
      client.end_failed(operation, exception);
      if (leat::fatal(exception.code())) throw;
      is_to_be_aborted = exception.code() != leat::ClientError::timed_out;
    }
    if (is_to_be_aborted) is_commit = false;
  }
}

/// Transactions over several topics, without reading.
asio::awaitable<void> pair(Client& client) {
  leat::Producer producer = make_transactional(client, "pair");
  for (int transaction = 1; !client.is_stopping; ++transaction) {
    co_await producer.async_begin();
    for (const leat::Partition& place : partitions_of({"pair", "side"})) {
      for (int i = client.between(1, 3); i > 0; --i) {
        co_await send(client, producer, place, fmt::format(",\"txn\":{}", transaction));
      }
    }
    if (client.fraction() < 0.2) co_await client.sleep(0.05);
    bool is_commit = client.decide();
    co_await finish(client, producer, transaction, is_commit);
    co_await client.sleep(client.fraction() * 0.05);
  }
}

// ---- Consumers
// -----------------------------------------------------------------------------------

/// A consumer that is a member of a group, and what of its work is not committed yet.
class Member {
 public:
  Member(Client& client, std::string group, bool is_committed, const std::string& instance = {})
      : client_(client), group_(std::move(group)), is_committed_(is_committed) {
    leat::ConsumerOptions options;
    options.group = group_;
    options.group_instance_id = instance;
    // Those of librdkafka, who may be in it as well.
    options.assignors = {leat::Assignor::range, leat::Assignor::round_robin};
    options.offset_reset = leat::OffsetReset::earliest;
    options.session_timeout = 6s;
    options.heartbeat_interval = 500ms;
    options.fetch_wait = 100ms;
    options.auto_commit = false;
    options.read_committed = is_committed;
    options.on_assigned = [this](std::span<const leat::Partition> places) {
      Offsets from;
      for (const leat::Partition& place : places) from[place] = -1;
      if (from.empty()) return;
      int session = client_.assigned(from, is_committed_, group_);
      for (const leat::Partition& place : places) sessions[place] = session;
    };
    options.on_revoked = [this](std::span<const leat::Partition> places, bool) {
      for (const leat::Partition& place : places) {
        sessions.erase(place);
        uncommitted.erase(place);
      }
    };
    consumer.emplace(client.context.get_executor(), client.options(), std::move(options));
    consumer->subscribe(groups.at(group_));
  }

  /// What is there within 0.2 s.
  asio::awaitable<std::vector<Read>> poll() {
    std::int64_t since = now_us();
    leat::Records polled = co_await consumer->async_poll_for(200ms);
    std::vector<Read> records = read_all(polled);
    client_.polled(since, sessions, records);
    co_return records;
  }

  const std::string& group() const { return group_; }

  std::map<leat::Partition, int> sessions;
  Offsets uncommitted;
  std::optional<leat::Consumer> consumer;

 private:
  Client& client_;
  std::string group_;
  bool is_committed_;
};

/// One transaction of a loop: of each record, one in each of the topics, and the offsets.
asio::awaitable<bool> process(Client& client, leat::Producer& producer, int transaction,
                              const std::vector<Read>& records, leat::Consumer& consumer) {
  co_await producer.async_begin();
  Offsets offsets;
  for (const Read& record : records) {
    offsets[record.place] = record.offset + 1;
    for (const char* topic : {"out", "side"}) {
      leat::Partition place{topic, client.between(0, topics.at(topic) - 1)};
      co_await send(client, producer, place,
                    fmt::format(",\"txn\":{},\"source\":[\"{}\",{},{}]", transaction,
                                record.place.topic, record.place.number, record.offset));
    }
  }
  std::string uid = client.uid();
  std::uint64_t operation = client.begin(
      "offsets", fmt::format("\"group\":\"loop\",\"uid\":\"{}\",\"txn\":{},\"offsets\":{}", uid,
                             transaction, triples(offsets)));
  bool is_sent = false;
  try {
    leat::GroupMetadata member = co_await consumer.async_group_metadata();
    co_await producer.async_send_offsets(to_commit(offsets, uid), std::move(member));
    client.end(operation, "ok");
    is_sent = true;
  } catch (const leat::Exception& exception) {
    client.end_failed(operation, exception);
    if (leat::fatal(exception.code())) throw;
  }
  bool is_commit = is_sent && client.decide();
  bool is_committed = co_await finish(client, producer, transaction, is_commit);
  co_return is_committed;
}

/// Consumes as a member of a group, produces, and commits with the transaction.
asio::awaitable<void> loop(Client& client) {
  leat::Producer producer = make_transactional(client, "loop");
  Member member(client, "loop", true, fmt::format("loop-{}", client.number));
  auto idle_since = Steady::now();
  for (int transaction = 0; !client.is_stopping || Steady::now() - idle_since < 3s;) {
    std::vector<Read> records = co_await member.poll();
    if (records.empty()) continue;
    idle_since = Steady::now();
    std::size_t taken = std::min(records.size(), records_of_a_transaction);
    std::vector<Read> left(records.begin() + static_cast<std::ptrdiff_t>(taken), records.end());
    records.resize(taken);
    bool is_committed =
        co_await process(client, producer, ++transaction, records, *member.consumer);
    // Behind what was taken of this poll, or where that began.
    Offsets next;
    for (const Read& record : records) {
      if (is_committed) {
        next[record.place] = record.offset + 1;
      } else {
        next.emplace(record.place, record.offset);
      }
    }
    for (const Read& record : left) next.emplace(record.place, record.offset);
    int session = client.assigned(next, true);
    for (const auto& [place, offset] : next) {
      if (!member.sessions.contains(place)) continue;
      member.sessions[place] = session;
      member.consumer->seek({place, offset});
    }
  }
  co_await member.consumer->async_close();
}

asio::awaitable<void> commit(Client& client, Member& member) {
  std::string uid = client.uid();
  Offsets offsets = std::exchange(member.uncommitted, {});
  std::uint64_t operation =
      client.begin("offsets", fmt::format("\"group\":\"{}\",\"uid\":\"{}\",\"offsets\":{}",
                                          member.group(), uid, triples(offsets)));
  try {
    co_await member.consumer->async_commit_offsets(to_commit(offsets, uid));
    client.end(operation, "ok");
  } catch (const leat::Exception& exception) {
    // It may have been there before an answer was lost, and refused when it was sent again.
    client.end_failed(operation, exception);
  }
}

/// Consumes as a member of a group, and commits itself.
asio::awaitable<void> watch(Client& client, const std::string& group, bool is_committed,
                            const std::string& instance) {
  Member member(client, group, is_committed, instance);
  auto idle_since = Steady::now();
  while (!client.is_stopping || Steady::now() - idle_since < 3s) {
    std::vector<Read> records = co_await member.poll();
    if (!records.empty()) idle_since = Steady::now();
    for (const Read& record : records) member.uncommitted[record.place] = record.offset + 1;
    if (!member.uncommitted.empty() && client.fraction() < 0.5) co_await commit(client, member);
  }
  co_await member.consumer->async_close();
}

asio::awaitable<void> run(Client& client, std::string role, std::string strategy) {
  leat::ProducerOptions options;
  if (role == "once" || role == "feed") {
    options.delivery_timeout = 100s;
    std::string topic = role == "once" ? "in" : "work";
    co_await produce(client, topic, options);
  } else if (role == "share") {
    co_await share(client, strategy);
  } else if (role == "pair") {
    co_await pair(client);
  } else if (role == "loop") {
    co_await loop(client);
  } else if (role == "watch") {
    co_await watch(client, "watch", true, fmt::format("watch-{}", client.number));
  } else {
    co_await watch(client, "all", false, "");
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  boost::json::value settings = boost::json::parse(arguments[1]);
  asio::io_context context;
  asio::signal_set signals(context, SIGTERM);
  std::signal(SIGINT, SIG_IGN);
  Client client(context, settings.as_object());
  signals.async_wait([&](boost::system::error_code, int) { client.is_stopping = true; });
  std::string role(settings.as_object().at("role").as_string());
  const auto* strategy = settings.as_object().if_contains("strategy");
  std::string named(strategy != nullptr ? strategy->as_string().c_str() : "");
  int code = 0;
  asio::co_spawn(context, run(client, role, named), [&](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const leat::Exception& exception) {
      std::string text = fmt::format("{}: {}", client.name, exception.what());
      client.write(fmt::format("\"t\":{},\"mark\":\"gave up\",\"of\":{}", now_us(),
                               boost::json::serialize(boost::json::string(text))));
      code = exit_gave_up;
    }
    context.stop();
  });
  context.run();
  return code;
}
