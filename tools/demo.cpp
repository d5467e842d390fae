// leat demo: a server, a producer and a pipeline in one program, over a real day of events; then
// the same pipeline again over the rewound topic, and a comparison of both results.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/logging.h"
#include "column/type.h"
#include "leat/blocking.h"
#include "stream/pipeline.h"
#include "stream/runner.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/demo_edits.h"
#include "tools/demo_jobs.h"
#include "tools/demo_results.h"
#include "tools/demo_stage.h"
#include "tools/interrupt.h"

namespace leat::tools {
namespace {

constexpr const char* source_topic = "edits";
constexpr const char* sink_topic = "edits-per-channel";
constexpr const char* replay_suffix = ".replay";

struct DemoOptions {
  StageOptions stage;
  std::optional<std::string> save;
  std::int64_t rate = 5000;
  std::int64_t partitions = 1;
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

/// What one run of the pipeline took and gave.
struct RunFigures {
  std::uint64_t rows = 0;
  double seconds = 0;
  double rate() const { return static_cast<double>(rows) / std::max(seconds, 1e-6); }
};

class Demo {
 public:
  Demo(const DemoOptions& options, DemoStage& stage) : options_(options), stage_(stage) {}

  Result<void> play();

 private:
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

  const DemoOptions& options_;
  DemoStage& stage_;
  DemoEdits edits_;
  plan::Plan plan_;
  std::vector<std::int64_t> live_from_;
  std::vector<std::int64_t> replay_from_;
  RunFigures live_;
  RunFigures replayed_;
};

Result<void> Demo::prepare_topics() {
  auto plan = demo_plan();
  if (!plan) return fail(plan);
  plan_ = std::move(*plan);
  auto partitions = static_cast<std::int32_t>(options_.partitions);
  if (auto source = stage_.need_topic(source_topic, partitions); !source) {
    return fail(source.error().code, source.error().what + ": say so with --partitions");
  }
  // The ends before this run: an earlier one over the same directory may have been cut short.
  for (const std::string& sink :
       {std::string(sink_topic), sink_topic + std::string(replay_suffix)}) {
    auto made = stage_.topics().create_topic(sink, partitions);
    if (!made) return fail(made);
    (sink == sink_topic ? live_from_ : replay_from_) = topic_ends(stage_.admin(), sink);
  }
  return {};
}

Result<std::int64_t> Demo::feed_edits(WindowTicker& ticker) {
  DemoFeed feed_options;
  feed_options.topic = source_topic;
  feed_options.partitions = static_cast<std::int32_t>(options_.partitions);
  feed_options.rate = options_.rate;
  std::vector<std::int64_t> ends = topic_ends(stage_.admin(), source_topic);
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
  blocking::Producer producer(stage_.connect(), std::move(producer_options));
  Result<void> shown;
  std::int64_t sent = feed(edits_, feed_options, producer, [&](std::int64_t) {
    shown = ticker.show();
    return shown && !stage_.interrupted();
  });
  if (!shown) return fail(shown);
  if (undelivered) return tl::unexpected(*undelivered);
  return sent;
}

Result<void> Demo::run_live() {
  auto runner = stream::Runner::open(plan_, stage_.topics(), nullptr, stage_.clock(), {});
  if (!runner) return fail(runner);
  WindowTicker ticker(stage_.connect(), sink_topic, live_from_);
  auto start = stage_.clock().monotonic();
  (*runner)->start();
  Result<std::int64_t> sent = 0;
  Result<void> fed = attempt([&] { sent = feed_edits(ticker); });
  // Nothing more will come: the windows that are open are complete.
  (*runner)->drain();
  Result<void> ended = (*runner)->wait();
  if (!fed) return fed;
  if (!sent) return fail(sent);
  if (!ended) return ended;
  live_.seconds = std::chrono::duration<double>(stage_.clock().monotonic() - start).count();
  stream::RunStatus status = (*runner)->status();
  live_.rows = status.progress.rows_in;
  if (auto finished = ticker.finish(topic_ends(stage_.admin(), sink_topic)); !finished)
    return finished;
  fmt::print(
      "\nLive:   {} edits sent through the Kafka wire, {} read by the pipeline, {} late, "
      "{} bad, {} rows written.\n",
      *sent, live_.rows, status.progress.late, status.progress.bad, status.progress.rows_out);
  return {};
}

Result<void> Demo::run_replay() {
  stream::RunOptions options;
  options.at_end = stream::AtEnd::flush;  // from the start of each partition to its end now
  auto runner = stream::Runner::open(stream::shadow_of(plan_, replay_suffix), stage_.topics(),
                                     nullptr, stage_.clock(), options);
  if (!runner) return fail(runner);
  auto start = stage_.clock().monotonic();
  if (auto ended = (*runner)->run(); !ended) return ended;
  replayed_.seconds = std::chrono::duration<double>(stage_.clock().monotonic() - start).count();
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
  return read_topic(stage_.connect(), topic, from, topic_ends(stage_.admin(), topic));
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
  std::string kafka = stage_.kafka();
  if (!stage_.options().keep) {
    fmt::print(
        "\nNext: leat demo --keep leaves the server running, to be looked at with kcat:\n"
        "  kcat -b {} -C -t {} -o -5 -e\n",
        kafka, sink_topic);
  }
  stage_.stay(
      {fmt::format("kcat -b {} -L", kafka),
       fmt::format("kcat -b {} -C -t {} -o -5 -e", kafka, sink_topic),
       fmt::format("leat consume -b {} edits -o @2015-09-12T10:00:00Z:@2015-09-12T10:01:00Z "
                   "-e",
                   kafka),
       fmt::format("curl http://{}/metrics", stage_.http())});
}

Result<void> Demo::play() {
  auto edits = DemoEdits::load();
  if (!edits) return fail(edits);
  edits_ = std::move(*edits);
  if (auto ready = prepare_topics(); !ready) return ready;
  fmt::print("{} edits to Wikipedia on 2015-09-12, in windows of 5 minutes as they close:\n\n",
             edits_.all().size());
  Result<void> step = run_live();
  if (step) step = stage_.check_interrupt();
  if (step) step = run_replay();
  if (step) step = compare();
  if (step) step = save();
  if (step) print_next_steps();
  return step;
}

int tell(const StageOptions& options, const DemoStage::Story& story) {
  set_log_level(LogLevel::warning);  // the demo tells its own story
  Interrupt interrupt;
  DemoStage stage(options, interrupt);
  auto told = stage.tell(story);
  if (told) return exit_ok;
  // What fails then fails because of it.
  if (interrupt.requested()) return interrupt.exit_code();
  return fail_command(told.error());
}

int demo(const DemoOptions& options) {
  if (options.partitions < 1 || options.partitions > 1000 || options.rate < 0) {
    return fail_command({Errc::invalid_argument,
                         "--partitions takes 1 to 1000, --rate 0 (as fast as it goes) or more"});
  }
  return tell(options.stage, [&](DemoStage& stage) { return Demo(options, stage).play(); });
}

void declare_stage(Arguments& arguments, StageOptions& options) {
  arguments.option(
      "-d,--data DIR", options.data,
      "Data directory, kept and gone on with if it is there (default: a temporary one)");
  arguments.option("--listen HOST:PORT", options.listen, "Where the server listens");
  arguments.flag("--keep", options.keep, "Leave the server running until Ctrl-C");
}

void declare_jobs(Arguments& arguments) {
  for (const DemoJob& job : demo_jobs()) {
    Arguments& own = arguments.subcommand(job.name, job.summary, job.examples);
    auto options = std::make_shared<StageOptions>();
    declare_stage(own, *options);
    own.run([&job, options] { return tell(*options, job.play); });
  }
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<DemoOptions>();
  auto rate = std::make_shared<std::optional<std::int64_t>>();
  auto partitions = std::make_shared<std::optional<std::int64_t>>();
  declare_jobs(arguments);
  declare_stage(arguments, options->stage);
  arguments.option("--rate N", *rate, "Edits per second; 0 for as fast as it goes [5000]");
  arguments.option("--partitions N", *partitions, "Partitions of the topics, by channel [1]");
  arguments.option("--save DIR", options->save, "Where to put live.csv and replay.csv");
  arguments.run([options, rate, partitions] {
    options->rate = rate->value_or(options->rate);
    options->partitions = partitions->value_or(options->partitions);
    return demo(*options);
  });
}

}  // namespace

const Command demo_command{
    "demo",
    "Plays a day of real events through a server and a pipeline, live and by replay; or one of "
    "five jobs",
    "  leat demo                                  ends by itself\n"
    "  leat demo batch                            one of the jobs of examples/jobs\n"
    "  leat demo --keep                           leaves the server running, to look around\n"
    "  leat demo --rate 0 --partitions 4          as fast as it goes\n"
    "  leat demo --save out                       writes out/live.csv and out/replay.csv\n",
    declare};

}  // namespace leat::tools
