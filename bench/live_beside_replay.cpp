// What a replay does to what is live: from a payment to its alert, as in bench-latency, while
// another version of the fraud job reads the history, beside the same without a replay.
//
//   bench-live_beside_replay [--seconds N] [--rounds N] [--history N] [--directory DIR]
//
// N (10) seconds of each of three are taken in turns, N (3) times: no replay; replays that give
// way, as they do unless told otherwise; replays with `--rate max`. There is a history of N
// (2,000,000) payments, and a replay that has read it begins again. The version minds more than 6
// payments instead of 5. At the end its alerts and those of the live version are compared with what
// the payments must give.
#include <atomic>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "base/logging.h"
#include "live_fraud.h"

using namespace leat;
using namespace leat::bench;

namespace {

struct Settings {
  double seconds = 10;
  int rounds = 3;
  std::uint64_t history = 2'000'000;
  std::string directory = "build/bench-live-beside-replay";
};

Settings settings_of(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i];
    if (i + 1 == argc) {
      quit(
          "usage: bench-live_beside_replay [--seconds N] [--rounds N] [--history N] "
          "[--directory DIR]");
    }
    if (name == "--seconds") settings.seconds = std::strtod(argv[i + 1], nullptr);
    if (name == "--rounds") settings.rounds = std::atoi(argv[i + 1]);
    if (name == "--history") settings.history = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--directory") settings.directory = argv[i + 1];
  }
  return settings;
}

/// The plan, but for how many payments are too many.
std::string other_plan() {
  std::string plan = LiveFraud::plan_text();
  const std::string five = R"({"bigint": 5})", six = R"({"bigint": 6})";
  std::size_t changed = 0;
  for (auto at = plan.find(five); at != std::string::npos; at = plan.find(five)) {
    plan.replace(at, five.size(), six);
    ++changed;
  }
  if (changed == 0) quit("the plan of the fraud job is another one");
  return plan;
}

double number_in(const plan::JsonObject& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end()) return 0;
  const auto* number = std::get_if<plan::JsonNumber>(&found->second);
  return number == nullptr ? 0 : std::strtod(number->token.c_str(), nullptr);
}

bool is_done(const plan::JsonObject& replay) {
  const auto* state = std::get_if<std::string>(&replay.at("state"));
  if (state != nullptr && *state == "failed") quit("the replay has failed");
  return replay.contains("done") && std::get<bool>(replay.at("done"));
}

/// Has the version replay again and again, on a thread of its own.
class Replays {
 public:
  Replays(LiveFraud& live, bool at_full_speed) : live_(live) {
    request_.version = 2;
    request_.at_full_speed = at_full_speed;
    live_.replay(request_);
    thread_ = std::thread([this] { run(); });
  }
  /// Ends it, and says how many rows were read.
  double stop() {
    stop_ = true;
    thread_.join();
    live_.stop_replay();
    return rows_;
  }

 private:
  void run() {
    double before = 0;
    while (!stop_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      auto replay = live_.show_replay();
      double rows = number_in(replay, "rows_in");
      rows_ += std::max(rows - before, 0.0);
      before = rows;
      if (!is_done(replay)) continue;
      live_.replay(request_);
      before = 0;
    }
  }

  LiveFraud& live_;
  pipeline::ReplayRequest request_;
  double rows_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// Replays all once more, and compares.
void check(LiveFraud& live) {
  live.settle();
  pipeline::ReplayRequest request;
  request.version = 2;
  request.at_full_speed = true;
  live.replay(request);
  while (!is_done(live.show_replay())) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  auto expected = Payments::alerts<Payments::alert_count + 1>(live.payments());
  auto count = static_cast<std::size_t>(std::count(expected.begin(), expected.end(), true));
  std::atomic<std::size_t> came{0};
  auto alerts = take(live.topics().find_topic("fraud-alerts.v2"));
  TopicWatch watch(live.topics(), alerts, [&](BytesView value, Steady::time_point) {
    auto number = Payments::number_of(as_text(value));
    if (!number || *number >= expected.size() || !expected[*number]) {
      quit("the replay gave an alert twice, or one that should not be");
    }
    expected[*number] = false;
    ++came;
  });
  auto begun = Steady::now();
  while (came < count) {
    if (Steady::now() - begun > std::chrono::minutes(1)) quit("the replay gave too few alerts");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

struct Kind {
  const char* name;
  Latencies latencies = {};
  double replayed = 0;
};

}  // namespace

int main(int argc, char** argv) {
  set_log_level(LogLevel::warning);
  Settings settings = settings_of(argc, argv);
  Kind quiet{"no replay"}, adaptive{"with one that gives way"}, full{"with one at full speed"};
  {
    LiveFraud live(settings.directory);
    live.deploy(LiveFraud::plan_text());
    live.load(settings.history);
    live.settle();
    live.deploy(other_plan());
    live.produce(2);
    std::vector<std::pair<Kind*, Stretch>> stretches;
    for (int round = 0; round < settings.rounds; ++round) {
      stretches.emplace_back(&quiet, live.produce(settings.seconds));
      for (Kind* kind : {&adaptive, &full}) {
        Replays replays(live, kind == &full);
        stretches.emplace_back(kind, live.produce(settings.seconds));
        kind->replayed += replays.stop();
        live.produce(1);
      }
    }
    check(live);
    for (const auto& [kind, stretch] : stretches) kind->latencies.add(live.latencies(stretch));
  }
  for (Kind* kind : {&quiet, &adaptive, &full}) {
    fmt::print("{}: event to alert {}; {:.0f} rows/s replayed", kind->name, kind->latencies.text(),
               kind->replayed / (settings.seconds * settings.rounds));
    if (kind != &quiet) fmt::print("; times without: {}", ratios(kind->latencies, quiet.latencies));
    fmt::print("\n");
  }
}
