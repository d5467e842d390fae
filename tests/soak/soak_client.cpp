// One client of the soak over include/leat/client.h, as tests/interop/soak_client.py is one over
// librdkafka: soak_client SETTINGS, the same JSON. It writes what it does as history_reader.h says,
// a line before each operation and one behind it. SIGTERM asks it to come to an end.
#include <fcntl.h>
#include <unistd.h>

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
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <leat/client.h>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::asio::experimental::awaitable_operators::operator||;
using Steady = std::chrono::steady_clock;

// What each topic is for, and its partitions; as in soak_client.py.
const std::map<std::string, int> topics{{"in", 4},  {"plain", 2}, {"pair", 3},
                                        {"out", 3}, {"side", 1},  {"moved", 2}};
const std::map<std::string, std::vector<std::string>> groups{
    {"loop", {"in"}},
    {"watch", {"pair", "out", "side", "moved"}},
    {"all", {"in", "plain", "pair", "out"}}};
constexpr std::size_t unfinished_max = 1000;
constexpr std::size_t records_of_a_transaction = 200;
constexpr int exit_gave_up = 3;

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Steady::now().time_since_epoch())
      .count();
}

std::vector<leat::Partition> partitions_of(const std::vector<std::string>& names) {
  std::vector<leat::Partition> all;
  for (const std::string& name : names) {
    for (int i = 0; i < topics.at(name); ++i) all.push_back({name, i});
  }
  return all;
}

using Offsets = std::map<leat::Partition, std::int64_t>;

std::string triples(const Offsets& offsets) {
  std::string text;
  for (const auto& [place, offset] : offsets) {
    text +=
        fmt::format("{}[\"{}\",{},{}]", text.empty() ? "" : ",", place.topic, place.number, offset);
  }
  return "[" + text + "]";
}

struct Read {
  leat::Partition place;
  std::int64_t offset;
  std::string uid;
};

/// What all roles share: the history, chance, and how to connect.
class Client {
 public:
  Client(asio::io_context& runs_on, const boost::json::object& settings)
      : context(runs_on),
        name(settings.at("client").as_string()),
        number(settings.at("number").to_number<int>()),
        chance_(settings.at("seed").to_number<unsigned>()),
        bootstrap_(settings.at("bootstrap").as_string()),
        file_(::open(settings.at("history").as_string().c_str(), O_WRONLY | O_CREAT | O_APPEND,
                     0644)) {
    write(fmt::format("\"client\":\"{}\"", name));
  }

  leat::ClientOptions options() const {
    leat::ClientOptions options;
    options.brokers = bootstrap_;
    options.client_id = name;
    return options;
  }
  int between(int low, int high) { return std::uniform_int_distribution(low, high)(chance_); }
  double fraction() { return std::uniform_real_distribution(0.0, 1.0)(chance_); }
  bool decide() { return fraction() < 0.75; }
  std::string uid() { return fmt::format("{}:{}", name, ++uids_); }
  asio::awaitable<void> sleep(double seconds) {
    asio::steady_timer timer(context);
    timer.expires_after(
        std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(seconds)));
    co_await timer.async_wait(asio::use_awaitable);
  }

  void write(const std::string& members) {
    std::string line = "{" + members + "}\n";
    if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  }
  std::uint64_t begin(const std::string& call, const std::string& more) {
    write(fmt::format("\"t\":{},\"op\":{},\"call\":\"{}\"{}{}", now_us(), ++operations_, call,
                      more.empty() ? "" : ",", more));
    return operations_;
  }
  void end(std::uint64_t operation, const std::string& outcome, const std::string& more = {}) {
    write(fmt::format("\"t\":{},\"op\":{},\"outcome\":\"{}\"{}{}", now_us(), operation, outcome,
                      more.empty() ? "" : ",", more));
  }
  void end_failed(std::uint64_t operation, const leat::Exception& exception,
                  const std::string& outcome = "unknown") {
    std::string text = boost::json::serialize(boost::json::string(exception.what()));
    end(operation, outcome,
        fmt::format("\"error\":{},\"text\":{}", exception.code().value(), text));
  }

  /// Begins a session. Of its partitions, later ones take over from earlier ones.
  int assigned(const Offsets& from, bool is_committed, const std::string& group = {}) {
    write(
        fmt::format("\"t\":{},\"call\":\"assign\",\"session\":{},\"committed\":{},\"final\":false,"
                    "\"from\":{}{}",
                    now_us(), ++sessions_, is_committed, triples(from),
                    group.empty() ? "" : fmt::format(",\"group\":\"{}\"", group)));
    return sessions_;
  }
  /// Writes what was read, a line for each partition.
  void polled(std::int64_t since, const std::map<leat::Partition, int>& sessions,
              const std::vector<Read>& records) {
    std::map<leat::Partition, std::string> of;
    for (const Read& record : records) {
      std::string& list = of[record.place];
      list += fmt::format("{}[{},\"{}\"]", list.empty() ? "" : ",", record.offset, record.uid);
    }
    for (const auto& [place, list] : of) {
      write(
          fmt::format("\"t\":{},\"until\":{},\"call\":\"poll\",\"session\":{},\"topic\":\"{}\","
                      "\"partition\":{},\"records\":[{}]",
                      since, now_us(), sessions.at(place), place.topic, place.number, list));
    }
  }

  asio::io_context& context;
  std::string name;
  int number;
  bool is_stopping = false;
  std::size_t unfinished = 0;

 private:
  std::mt19937 chance_;
  std::string bootstrap_;
  int file_;
  std::uint64_t operations_ = 0;
  std::uint64_t uids_ = 0;
  int sessions_ = 0;
};

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
    asio::steady_timer timer(client_.context);
    timer.expires_after(200ms);
    auto polled = co_await (consumer->async_poll() || timer.async_wait(asio::use_awaitable));
    std::vector<Read> records;
    if (auto* some = std::get_if<leat::Records>(&polled)) {
      for (const leat::InRecord& record : *some) {
        std::string_view value = record.value.value_or("");
        records.push_back({{std::string(record.topic), record.partition},
                           record.offset,
                           std::string(value.substr(0, value.find(' ')))});
      }
    }
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

std::vector<leat::CommittedOffset> to_commit(const Offsets& offsets, const std::string& uid) {
  std::vector<leat::CommittedOffset> all;
  for (const auto& [place, offset] : offsets) all.push_back({place, offset, uid});
  return all;
}

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

asio::awaitable<void> run(Client& client, std::string role) {
  leat::ProducerOptions options;
  if (role == "once") {
    options.delivery_timeout = 100s;
    co_await produce(client, "in", options);
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
  int code = 0;
  asio::co_spawn(context, run(client, role), [&](std::exception_ptr thrown) {
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
