// A data directory for programs that embed log and runtime without a server.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/thread_executor.h"
#include "broker/broker.h"
#include "file/file.h"
#include "stream/broker_topics.h"

namespace leat::stream {

/// The broker of a directory, on a thread of its own, and its topics. Runs over the topics must
/// have ended before it goes.
class DataDirectory {
 public:
  /// Locks and recovers the directory; made if missing. Blocks. Errors as log::Store::open().
  /// `files` and `clock` outlive it; `random` is for ids.
  static Result<std::unique_ptr<DataDirectory>> open(const broker::BrokerOptions& options,
                                                     file::FileSystem& files, const Clock& clock,
                                                     Random random);
  /// Makes everything durable and lets go of the directory.
  ~DataDirectory();

  BrokerTopics& topics() { return *topics_; }
  /// To be used on executor() only.
  broker::Broker& broker() { return *broker_; }
  Executor& executor() { return *executor_; }
  Metrics& metrics() { return metrics_; }

 private:
  DataDirectory() = default;

  Metrics metrics_;
  std::unique_ptr<BrokerTopics> topics_;
  std::unique_ptr<broker::Broker> broker_;
  // Stopped first, so that nothing runs while the rest goes.
  std::unique_ptr<ThreadExecutor> executor_;
};

}  // namespace leat::stream
