#include "sim/broker_lives.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "sim/operator.h"

namespace leat::sim {

BrokerLives::BrokerLives(std::uint64_t seed, bool verbose, const CrashPoint* point,
                         std::uint64_t shards_max)
    : seed_(seed),
      random_(seed),
      shards_(executor_, seed, seed % 2 == 0 ? 1 : 1 + seed % shards_max),
      files_(executor_, seed ^ 0x5eed),
      crasher_(files_, point, seed ^ 0xdead),
      verbose_(verbose) {
  log::StoreOptions& store = options_.store;
  store.directory = "/data/leat";
  store.owner = "pid 1";
  store.free_bytes_min = 0;
  store.scrub_bytes_per_second = 0;
}

void BrokerLives::tell(std::string step) {
  steps_.push_back(std::move(step));
  if (steps_.size() > 60) steps_.pop_front();
  if (!verbose_) return;
  fmt::print(stderr, "{:>9} ms  {}\n", executor_.wall_ms() % 1'000'000'000, steps_.back());
}

void BrokerLives::object(const std::string& objection) {
  if (objection.empty() || !alive()) return;
  trace("OBJECTION: {}", objection);
  objection_ = objection;
}

std::string BrokerLives::run() {
  if (!files_.make_directories("/data") || !files_.sync_directory("/")) return "no directory";
  std::int64_t lives = random_.between(2, 6);
  for (std::int64_t life = 0; life < lives && objection_.empty(); ++life) {
    open();
    if (alive()) live();
    end_life();
  }
  crasher_.begin_end();
  if (objection_.empty()) open();
  if (alive()) finish();
  // While those who wait for answers are still there.
  executor_.drop_all();
  broker_.reset();
  if (objection_.empty()) return {};
  std::string story = fmt::format("seed {}: {}\n", seed_, objection_);
  for (const auto& step : steps_) story += "  " + step + "\n";
  return story;
}

bool BrokerLives::wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 300'000 && !condition(); ++i) {
    if (!executor_.run_one()) break;
  }
  return condition();
}

void BrokerLives::open() {
  while (objection_.empty()) {
    ++life_;
    crasher_.begin_life();
    if (random_.one_in(4)) crasher_.stop_after(random_.below(40));
    auto opened = broker::Broker::open({files_, executor_, clock(), metrics_, shards_.executors()},
                                       options_, Random(random_.next()));
    if (!files_.stopped()) crasher_.now(Doing::anything);
    if (opened) broker_ = std::move(*opened);
    if (files_.stopped()) {
      end_life();
      continue;
    }
    if (broker_) break;
    if (allow_recovery(files_, options_.store.directory, opened.error())) continue;
    return object("cannot open: " + opened.error().what);
  }
  if (!alive()) return;
  trace("life {}", life_);
  opened();
}

void BrokerLives::end_life() {
  bool is_power_loss = random_.one_in(2);
  trace("{}", is_power_loss ? "the power is cut" : "killed");
  if (is_power_loss) {
    files_.power_loss();
  } else {
    files_.kill();
  }
  files_.heal();
  files_.set_free_bytes({});
  executor_.drop_all();
  broker_.reset();
  ended();
}

void BrokerLives::make_topic(const std::string& name, std::int32_t partitions,
                             const broker::ConfigMap& configs) {
  if (broker_->find_topic(name)) return;
  std::optional<Result<broker::TopicInfo>> made;
  broker_->create_topic({name, partitions, configs, {}},
                        [&](Result<broker::TopicInfo> result) { made = std::move(result); });
  bool is_made = wait_until([&] { return !alive() || made.has_value(); }) && made && *made;
  if (!is_made) object("the topic is not made");
}

}  // namespace leat::sim
