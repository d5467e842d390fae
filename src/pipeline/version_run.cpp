#include "pipeline/version_run.h"

#include <atomic>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "base/thread_executor.h"
#include "base/thread_priority.h"
#include "pipeline/dead_letter_topics.h"
#include "pipeline/version_machine.h"

namespace leat::pipeline {

namespace {

constexpr const char* run_gone = "the run of the version has gone";

}  // namespace

std::string owner_of(const std::string& pipeline, std::uint32_t version) {
  return fmt::format("{}.{}", pipeline, version);
}

std::string suffix_of(std::uint32_t version) {
  return fmt::format(".v{}", version);
}

/// The machine, and the threads that it has for itself if it has any.
class VersionRun::Threads {
 public:
  Threads(Options options, const Environment& environment)
      : foreign_(environment.executor), board_(environment.clock, options.plan.mode) {
    if (foreign_ == nullptr) {
      // Snapshots are written by a thread of their own, so that they keep no log's disk waiting.
      thread_ = std::make_unique<ThreadExecutor>(options.pipeline);
      writer_ = std::make_unique<ThreadExecutor>("snapshots");
      writer_->post(&lower_thread_priority);
      // Its workers, which it starts itself, are as it is.
      if (options.gives_way) thread_->post(&lower_thread_priority);
    }
    Executor& executor = foreign_ != nullptr ? *foreign_ : *thread_;
    Background background = [this, &files = environment.files](Work job, Work done) {
      if (foreign_ != nullptr) return files.offload(std::move(job), *foreign_, std::move(done));
      writer_->post([this, job = std::move(job), done = std::move(done)]() mutable {
        job();
        thread_->post(std::move(done));
      });
    };
    if (!options.dead_letters.empty()) {
      letters_ = std::make_unique<DeadLetterTopics>(environment.topics, options.plan,
                                                    options.dead_letters);
    }
    Environment inside{letters_ ? *letters_ : environment.topics,
                       environment.files,
                       environment.clock,
                       environment.epochs,
                       environment.data_directory,
                       environment.executor,
                       environment.pace};
    machine_ = std::make_unique<VersionMachine>(std::move(options), inside, executor,
                                                std::move(background), board_);
  }

  ~Threads() {
    if (foreign_ != nullptr) return;
    std::promise<void> ended;
    machine_->inbox().post(
        [&](VersionMachine& machine) { machine.abandon([&] { ended.set_value(); }); });
    ended.get_future().wait();
    machine_->inbox().close();
    writer_.reset();
    thread_.reset();
  }

  StatusBoard& board() { return board_; }
  VersionMachine::Inbox& inbox() { return machine_->inbox(); }

 private:
  Executor* const foreign_;
  StatusBoard board_;
  std::unique_ptr<DeadLetterTopics> letters_;  // in place of the environment's topics
  std::unique_ptr<VersionMachine> machine_;
  std::unique_ptr<ThreadExecutor> thread_;
  std::unique_ptr<ThreadExecutor> writer_;
};

VersionRun::VersionRun(std::unique_ptr<Threads> threads) : threads_(std::move(threads)) {}

VersionRun::~VersionRun() = default;

std::unique_ptr<VersionRun> VersionRun::start(Options options, const Environment& environment) {
  auto threads = std::make_unique<Threads>(std::move(options), environment);
  threads->inbox().wake();
  return std::unique_ptr<VersionRun>(new VersionRun(std::move(threads)));
}

void VersionRun::pause(Done done) {
  threads_->inbox().post([done = Once<void>(std::move(done), run_gone)](
                             VersionMachine& machine) mutable { machine.pause(std::move(done)); });
}

void VersionRun::resume() {
  threads_->inbox().post([](VersionMachine& machine) { machine.resume(); });
}

void VersionRun::run_to(Positions positions, Done done) {
  threads_->inbox().post(
      [positions = std::move(positions), done = Once<void>(std::move(done), run_gone)](
          VersionMachine& machine) mutable { machine.run_to(positions, std::move(done)); });
}

void VersionRun::stop(Done done) {
  threads_->inbox().post([done = Once<void>(std::move(done), run_gone)](
                             VersionMachine& machine) mutable { machine.stop(std::move(done)); });
}

void VersionRun::hand_over(UniqueFunction<void(Result<HandedOver>)> done) {
  threads_->inbox().post(
      [done = Once<HandedOver>(std::move(done), run_gone)](VersionMachine& machine) mutable {
        machine.hand_over(std::move(done));
      });
}

Result<void> VersionRun::wait() {
  VersionStatus status = threads_->board().wait();
  if (status.error) return tl::unexpected(*status.error);
  return {};
}

void VersionRun::set_rows_per_s(double rows_per_s) {
  threads_->inbox().post(
      [rows_per_s](VersionMachine& machine) { machine.set_rows_per_s(rows_per_s); });
}

VersionStatus VersionRun::status() const {
  VersionStatus status = threads_->board().status();
  for (const auto& partition : status.partitions) {
    if (partition.lag_records == 0) continue;
    threads_->inbox().post([](VersionMachine& machine) { machine.look_at_lag(); });
    break;
  }
  return status;
}

Positions VersionRun::positions() const {
  return threads_->board().positions();
}

std::vector<std::shared_ptr<const stream::View>> VersionRun::views() const {
  auto views = threads_->board().views();
  return {views.begin(), views.end()};
}

}  // namespace leat::pipeline
