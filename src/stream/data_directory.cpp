#include "stream/data_directory.h"

#include <future>

#include "base/logging.h"

namespace leat::stream {

Result<std::unique_ptr<DataDirectory>> DataDirectory::open(const broker::BrokerOptions& options,
                                                           file::FileSystem& files,
                                                           const Clock& clock, Random random) {
  std::unique_ptr<DataDirectory> directory(new DataDirectory);
  directory->executor_ = std::make_unique<ThreadExecutor>("leat-log");
  log::Store::Environment environment{files, *directory->executor_, clock, directory->metrics_};
  std::promise<Result<void>> opened;
  directory->executor_->post([&] {
    auto broker = broker::Broker::open(environment, options, random);
    if (broker) directory->broker_ = std::move(*broker);
    opened.set_value(broker ? Result<void>() : fail(broker));
  });
  if (auto result = opened.get_future().get(); !result) return fail(result);
  directory->topics_ = std::make_unique<BrokerTopics>(*directory->broker_);
  return directory;
}

DataDirectory::~DataDirectory() {
  if (!broker_) return;
  std::promise<void> closed;
  executor_->post([&] {
    broker_->close([&](Result<void> result) {
      if (!result) log_warning("cannot close the data directory: {}", result.error().what);
      // Its timers belong to the executor's thread.
      topics_.reset();
      executor_->post([&] {
        broker_.reset();
        closed.set_value();
      });
    });
  });
  closed.get_future().wait();
}

}  // namespace leat::stream
