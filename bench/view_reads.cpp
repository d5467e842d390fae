// What a read of one view costs, by how many pipelines are deployed beside the one that has it: a
// read is of one pipeline, so the others should cost it nothing.
//
//   bench-view_reads [--reads N] [--directory DIR]
//
// Each of the others is a batch with a view that has never run, so that nothing else is at work.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "appends.h"
#include "base/logging.h"
#include "file/posix_file_system.h"
#include "server/pipelines.h"
#include "stream/data_directory.h"

using namespace leat;
using bench::quit;
using bench::take;
using Steady = std::chrono::steady_clock;

namespace {

constexpr int rounds = 5;

struct Settings {
  int reads = 2'000;
  std::string directory = "build/bench-view_reads";
};

Settings settings_of(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i];
    if (i + 1 == argc) quit("usage: bench-view_reads [--reads N] [--directory DIR]");
    if (name == "--reads") settings.reads = std::stoi(argv[i + 1]);
    if (name == "--directory") settings.directory = argv[i + 1];
  }
  return settings;
}

/// Rows per key, as a view; as many columns as a plan in use has.
std::string plan_text(const std::string& name, const std::string& mode) {
  std::string columns = R"({"name": "k", "type": "text"})";
  for (int i = 0; i < 30; ++i) {
    columns += fmt::format(R"(, {{"name": "c{}", "type": "bigint"}})", i);
  }
  return fmt::format(
      R"({{"version": 1, "name": "{}", "mode": {{"type": "{}"}}, "nodes": [
        {{"name": "in", "type": "source", "topic": "in", "columns": [{}]}},
        {{"name": "some", "type": "filter", "input": "in",
          "condition": {{"call": ">", "arguments": [{{"column": "c0"}}, {{"bigint": 0}}]}}}},
        {{"name": "out", "type": "sink", "input": "some", "view": "view-{}", "keys": ["k"]}}]}})",
      name, mode, columns, name);
}

/// A data directory with the service of pipelines.
class Deployed {
 public:
  explicit Deployed(const std::string& path) : path_(path) {
    std::filesystem::remove_all(path_);
    broker::BrokerOptions options;
    options.store.directory = path;
    directory_ = take(stream::DataDirectory::open(options, files_, clock_, Random::from_entropy()));
    stream::Topic in = take(directory_->topics().create_topic("in", 1));
    bench::Appends appends(directory_->topics(), in);
    for (int i = 0; i < 100; ++i) {
      appends.add(0, "", fmt::format(R"({{"k": "key {}", "c0": {}}})", i, i + 1));
    }
    appends.send_all();
    appends.wait();
    pipelines_ =
        std::make_unique<server::Pipelines>(directory_->broker(), clock_, directory_->metrics());
    pipelines_->open();
  }
  ~Deployed() {
    std::promise<void> closed;
    pipelines_->close([&] { closed.set_value(); });
    closed.get_future().wait();
    pipelines_->end();
    while (!pipelines_->has_ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    pipelines_.reset();
    directory_.reset();
    std::filesystem::remove_all(path_);
  }
  Deployed(const Deployed&) = delete;
  Deployed& operator=(const Deployed&) = delete;

  void deploy(const std::string& plan) {
    std::promise<Result<plan::Json>> promise;
    pipelines_->service().deploy(
        plan, {}, [&](Result<plan::Json> answer) { promise.set_value(std::move(answer)); });
    take(promise.get_future().get());
  }
  Result<std::string> read(const std::string& view) {
    pipeline::ViewQuestion question;
    question.view = view;
    question.limit = 1;
    std::promise<Result<std::string>> promise;
    pipelines_->service().read_view(
        question, [&](Result<std::string> answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }

 private:
  const std::string path_;
  SystemClock clock_;
  file::PosixFileSystem files_;
  std::unique_ptr<stream::DataDirectory> directory_;
  std::unique_ptr<server::Pipelines> pipelines_;
};

double us_per_read(Deployed& deployed, int reads) {
  auto begun = Steady::now();
  for (int i = 0; i < reads; ++i) take(deployed.read("view-live"));
  return std::chrono::duration<double, std::micro>(Steady::now() - begun).count() / reads;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings = settings_of(argc, argv);
  set_log_level(LogLevel::error);
  Deployed deployed(settings.directory);
  deployed.deploy(plan_text("live", "stream"));
  while (!deployed.read("view-live")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  int others = 0;
  fmt::print("{:>10} {:>12}\n", "PIPELINES", "US/READ");
  for (int count : {1, 10, 100}) {
    for (; others + 1 < count; ++others) {
      deployed.deploy(plan_text(fmt::format("other-{}", others), "batch"));
    }
    std::vector<double> each;
    for (int round = 0; round < rounds; ++round) {
      each.push_back(us_per_read(deployed, settings.reads));
    }
    std::sort(each.begin(), each.end());
    fmt::print("{:>10} {:>12.1f}\n", count, each[each.size() / 2]);
  }
  return 0;
}
