// leat demo: a server, a producer and a pipeline in one program, over a real day of events; then
// the same pipeline again over the rewound topic, and a comparison of both results.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "base/clock.h"
#include "base/logging.h"
#include "column/type.h"
#include "leat/blocking.h"
#include "server/server.h"
#include "stream/broker_topics.h"
#include "stream/pipeline.h"
#include "stream/runner.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/demo_edits.h"
#include "tools/demo_results.h"
#include "tools/interrupt.h"

namespace leat::tools {
namespace {

constexpr const char* source_topic = "edits";
constexpr const char* sink_topic = "edits-per-channel";
constexpr const char* replay_suffix = ".replay";

struct DemoOptions {
  std::optional<std::string> data;
  std::optional<std::string> save;
  std::string listen = "127.0.0.1:0";
  std::int64_t rate = 5000;
  std::int64_t partitions = 1;
  bool keep = false;
};

Result<plan::Plan> demo_plan() {
  using column::Type;
  using namespace std::chrono_literals;
  return stream::Pipeline::from(source_topic)
      .json({{"time", Type::timestamp}, {"channel", Type::text}, {"added", Type::bigint}})
      .event_time("time")
      .idle(std::nullopt)
      .key_by({"channel"})
      .tumble(5min)
      .aggregate({stream::count("edits"), stream::sum("added", "added")})
      .late_to("edits.late")
      .dead_letters_to("edits.dead")
      .into(sink_topic);
}

/// A directory that goes with the demo, unless it is kept or was the user's own.
class DataDirectory {
 public:
  explicit DataDirectory(const std::optional<std::string>& given) : path_(given.value_or("")) {
    if (given) return;
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-demo-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) return;
    path_ = pattern;
    is_temporary_ = true;
  }
  ~DataDirectory() {
    std::error_code ignored;
    if (is_temporary_) std::filesystem::remove_all(path_, ignored);
  }
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool is_temporary_ = false;
};

/// What one run of the pipeline took and gave.
struct RunFigures {
  std::uint64_t rows = 0;
  double seconds = 0;
  double rate() const { return static_cast<double>(rows) / std::max(seconds, 1e-6); }
};

class Demo {
 public:
  Demo(const DemoOptions& options, const Interrupt& interrupt)
      : options_(options), interrupt_(interrupt), directory_(options.data) {}

  Result<void> run();

 private:
  Result<void> play();
  Result<void> start_server();
  Result<void> prepare_topics();
  Result<void> run_live();
  Result<std::int64_t> feed_edits(WindowTicker& ticker);
  Result<void> run_replay();
  Result<void> compare();
  Result<void> save();
  /// From there to its end now.
  std::vector<std::vector<SinkRecord>> read_whole(const std::string& topic,
                                                  const std::vector<std::int64_t>& from);
  void print_next_steps() const;
  bool interrupted() const { return interrupt_.requested(); }

  const DemoOptions& options_;
  const Interrupt& interrupt_;
  SystemClock clock_;
  DataDirectory directory_;
  DemoEdits edits_;
  plan::Plan plan_;
  // In the order in which they need each other.
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<stream::BrokerTopics> topics_;
  ClientOptions connect_;
  std::optional<blocking::Admin> admin_;
  std::vector<std::int64_t> live_from_;
  std::vector<std::int64_t> replay_from_;
  RunFigures live_;
  RunFigures replayed_;
};

Result<void> Demo::start_server() {
  if (directory_.path().empty()) return fail(Errc::io_error, "cannot make a temporary directory");
  server::ServerOptions options;
  options.broker.store.directory = directory_.path();
  auto address = net::Address::parse(options_.listen, std::nullopt);
  if (!address) return fail(address);
  options.kafka = *address;
  options.http = net::Address{"127.0.0.1", 0};
  auto server = server::Server::start(std::move(options));
  if (!server) return fail(server);
  server_ = std::move(*server);
  topics_ = std::make_unique<stream::BrokerTopics>(server_->broker());
  connect_ = client_options(server_->kafka_address().to_string(), interrupt_.token());
  admin_.emplace(connect_);
  fmt::print("A Leat server listens on {} (Kafka) and {} (HTTP), data in {}\n",
             server_->kafka_address().to_string(), server_->http_address()->to_string(),
             directory_.path());
  return {};
}

Result<void> Demo::prepare_topics() {
  auto plan = demo_plan();
  if (!plan) return fail(plan);
  plan_ = std::move(*plan);
  auto partitions = static_cast<std::int32_t>(options_.partitions);
  auto source = topics_->create_topic(source_topic, partitions);
  if (!source) return fail(source);
  if (source->partitions != partitions) {
    return fail(
        Errc::invalid_argument,
        fmt::format("{} has a topic '{}' with {} partitions: say --partitions {}",
                    directory_.path(), source_topic, source->partitions, source->partitions));
  }
  // The ends before this run: an earlier one over the same directory may have been cut short.
  for (const std::string& sink :
       {std::string(sink_topic), sink_topic + std::string(replay_suffix)}) {
    auto made = topics_->create_topic(sink, partitions);
    if (!made) return fail(made);
    (sink == sink_topic ? live_from_ : replay_from_) = topic_ends(*admin_, sink);
  }
  return {};
}

Result<std::int64_t> Demo::feed_edits(WindowTicker& ticker) {
  DemoFeed feed_options;
  feed_options.topic = source_topic;
  feed_options.partitions = static_cast<std::int32_t>(options_.partitions);
  feed_options.rate = options_.rate;
  std::vector<std::int64_t> ends = topic_ends(*admin_, source_topic);
  for (std::size_t i = 0; i < ends.size(); ++i) {
    feed_options.present[static_cast<std::int32_t>(i)] = ends[i];
  }
  std::int64_t present = std::accumulate(ends.begin(), ends.end(), std::int64_t{0});
  if (present > 0) fmt::print("{} edits are there from an earlier run; going on.\n", present);

  std::optional<Error> undelivered;  // written by the client's thread, read after its flush
  ProducerOptions producer_options;
  producer_options.on_delivery = [&](const BatchDelivery& batch) {
    if (batch.error) undelivered = Error{Errc::broker_error, std::string(batch.text)};
  };
  blocking::Producer producer(connect_, std::move(producer_options));
  Result<void> shown;
  std::int64_t sent = feed(edits_, feed_options, producer, [&](std::int64_t) {
    shown = ticker.show();
    return shown && !interrupted();
  });
  if (!shown) return fail(shown);
  if (undelivered) return tl::unexpected(*undelivered);
  return sent;
}

Result<void> Demo::run_live() {
  auto runner = stream::Runner::open(plan_, *topics_, nullptr, clock_, {});
  if (!runner) return fail(runner);
  WindowTicker ticker(connect_, sink_topic, live_from_);
  auto start = clock_.monotonic();
  (*runner)->start();
  Result<std::int64_t> sent = 0;
  Result<void> fed = attempt([&] { sent = feed_edits(ticker); });
  // Nothing more will come: the windows that are open are complete.
  (*runner)->drain();
  Result<void> ended = (*runner)->wait();
  if (!fed) return fed;
  if (!sent) return fail(sent);
  if (!ended) return ended;
  live_.seconds = std::chrono::duration<double>(clock_.monotonic() - start).count();
  stream::RunStatus status = (*runner)->status();
  live_.rows = status.progress.rows_in;
  if (auto finished = ticker.finish(topic_ends(*admin_, sink_topic)); !finished) return finished;
  fmt::print(
      "\nLive:   {} edits sent through the Kafka wire, {} read by the pipeline, {} late, "
      "{} bad, {} rows written.\n",
      *sent, live_.rows, status.progress.late, status.progress.bad, status.progress.rows_out);
  return {};
}

Result<void> Demo::run_replay() {
  stream::RunOptions options;
  options.at_end = stream::AtEnd::flush;  // from the start of each partition to its end now
  auto runner = stream::Runner::open(stream::shadow_of(plan_, replay_suffix), *topics_, nullptr,
                                     clock_, options);
  if (!runner) return fail(runner);
  auto start = clock_.monotonic();
  if (auto ended = (*runner)->run(); !ended) return ended;
  replayed_.seconds = std::chrono::duration<double>(clock_.monotonic() - start).count();
  replayed_.rows = (*runner)->status().progress.rows_in;
  fmt::print("Replay: the same offsets, rewound, through the same operators: {} edits.\n",
             replayed_.rows);
  return {};
}

Result<void> Demo::compare() {
  auto live = read_whole(sink_topic, live_from_);
  auto replayed = read_whole(sink_topic + std::string(replay_suffix), replay_from_);
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (std::size_t p = 0; p < live.size(); ++p) {
    const auto& a = live[p];
    const auto& b = replayed[p];
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i >= a.size() || i >= b.size() || !(a[i] == b[i])) {
        return fail(Errc::corrupt_message,
                    fmt::format("live and replay differ at record {} of partition {}: {} / {}", i,
                                p, i < a.size() ? a[i].value : "nothing",
                                i < b.size() ? b[i].value : "nothing"));
      }
      ++count;
      bytes += a[i].key.size() + a[i].value.size();
    }
  }
  fmt::print("\nBoth results are byte-identical: {} records, {} bytes, key, value and timestamp.\n",
             count, bytes);
  fmt::print("  live    {:>10.0f} events/s{}\n", live_.rate(),
             options_.rate > 0 ? fmt::format(" (fed {} a second)", options_.rate) : "");
  fmt::print("  replay  {:>10.0f} events/s\n", replayed_.rate());
  return {};
}

std::vector<std::vector<SinkRecord>> Demo::read_whole(const std::string& topic,
                                                      const std::vector<std::int64_t>& from) {
  return read_topic(connect_, topic, from, topic_ends(*admin_, topic));
}

Result<void> Demo::save() {
  if (!options_.save) return {};
  std::error_code error;
  std::filesystem::create_directories(*options_.save, error);
  if (error) {
    return fail(Errc::io_error, fmt::format("cannot make {}: {}", *options_.save, error.message()));
  }
  struct Target {
    std::string topic;
    std::string file;
  };
  for (const Target& target : {Target{sink_topic, "live.csv"},
                               Target{sink_topic + std::string(replay_suffix), "replay.csv"}}) {
    std::vector<std::int64_t> start(static_cast<std::size_t>(options_.partitions), 0);
    std::string path = (std::filesystem::path(*options_.save) / target.file).string();
    if (auto saved = save_csv(read_whole(target.topic, start), path); !saved) return saved;
    fmt::print("Saved {}\n", path);
  }
  return {};
}

void Demo::print_next_steps() const {
  std::string address = server_->kafka_address().to_string();
  if (!options_.keep) {
    fmt::print(
        "\nNext: leat demo --keep leaves the server running, to be looked at with kcat:\n"
        "  kcat -b {} -C -t {} -o -5 -e\n",
        address, sink_topic);
    return;
  }
  fmt::print(
      "\nThe server stays until Ctrl-C. Try in another terminal:\n"
      "  kcat -b {0} -L\n"
      "  kcat -b {0} -C -t {1} -o -5 -e\n"
      "  leat consume -b {0} edits -o @2015-09-12T10:00:00Z:@2015-09-12T10:01:00Z -e\n"
      "  curl http://{2}/metrics\n",
      address, sink_topic, server_->http_address()->to_string());
  std::fflush(stdout);
  while (!interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

Result<void> Demo::play() {
  auto edits = DemoEdits::load();
  if (!edits) return fail(edits);
  edits_ = std::move(*edits);
  Result<void> step = start_server();
  if (step) step = prepare_topics();
  if (step) {
    fmt::print("{} edits to Wikipedia on 2015-09-12, in windows of 5 minutes as they close:\n\n",
               edits_.all().size());
    step = run_live();
  }
  if (step && interrupted()) step = fail(Errc::cancelled, "interrupted");
  if (step) step = run_replay();
  if (step) step = compare();
  if (step) step = save();
  if (step) print_next_steps();
  return step;
}

Result<void> Demo::run() {
  Result<void> step;
  Result<void> asked = attempt([&] { step = play(); });
  if (!asked) step = asked;
  admin_.reset();
  topics_.reset();
  if (server_) {
    auto stopped = server_->stop();
    if (step && !stopped) step = stopped;
  }
  return step;
}

int demo(const DemoOptions& options) {
  set_log_level(LogLevel::warning);  // the demo tells its own story
  if (options.partitions < 1 || options.partitions > 1000 || options.rate < 0) {
    return fail_command({Errc::invalid_argument,
                         "--partitions takes 1 to 1000, --rate 0 (as fast as it goes) or more"});
  }
  Interrupt interrupt;
  Demo demo(options, interrupt);
  if (auto ran = demo.run(); !ran) return fail_command(ran.error());
  return exit_ok;
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<DemoOptions>();
  auto rate = std::make_shared<std::optional<std::int64_t>>();
  auto partitions = std::make_shared<std::optional<std::int64_t>>();
  arguments.option(
      "-d,--data DIR", options->data,
      "Data directory, kept and gone on with if it is there (default: a temporary one)");
  arguments.option("--listen HOST:PORT", options->listen, "Where the server listens");
  arguments.option("--rate N", *rate, "Edits per second; 0 for as fast as it goes [5000]");
  arguments.option("--partitions N", *partitions, "Partitions of the topics, by channel [1]");
  arguments.option("--save DIR", options->save, "Where to put live.csv and replay.csv");
  arguments.flag("--keep", options->keep, "Leave the server running until Ctrl-C");
  arguments.run([options, rate, partitions] {
    options->rate = rate->value_or(options->rate);
    options->partitions = partitions->value_or(options->partitions);
    return demo(*options);
  });
}

}  // namespace

const Command demo_command{
    "demo", "Plays a day of real events through a server and a pipeline, live and by replay",
    "  leat demo                                  ends by itself\n"
    "  leat demo --keep                           leaves the server running, to look around\n"
    "  leat demo --rate 0 --partitions 4          as fast as it goes\n"
    "  leat demo --save out                       writes out/live.csv and out/replay.csv\n",
    declare};

}  // namespace leat::tools
