#include "tools/data_topics.h"

#include <unistd.h>

#include <fmt/core.h>

#include "base/logging.h"
#include "base/metrics.h"
#include "base/sim_executor.h"
#include "broker/broker.h"
#include "log/dry_run.h"

namespace leat::tools {

Result<std::unique_ptr<file::DirectoryLock>> hold_directory(file::FileSystem& files,
                                                            const std::string& directory) {
  auto is_there = files.exists(directory + "/format");
  if (!is_there) return fail(is_there);
  if (!*is_there) {
    return fail(Errc::not_found,
                fmt::format("{} is no data directory: it has no file 'format'", directory));
  }
  auto lock = files.lock(directory, fmt::format("pid {}, a check", ::getpid()));
  if (!lock && lock.error().code == Errc::locked) {
    return fail(Errc::locked,
                fmt::format("{}; stop it first, or ask it with -b", lock.error().what));
  }
  return lock;
}

std::map<Uuid, std::string> read_topic_names(file::FileSystem& files,
                                             const std::string& directory) {
  std::map<Uuid, std::string> names;
  // Recovery happens in memory, and nothing that it wants to do later is ever run.
  log::DryRunFileSystem dry_run(files);
  SimExecutor executor;
  Metrics metrics;
  broker::BrokerOptions options;
  options.store.directory = directory;
  auto broker = broker::Broker::open({dry_run, executor, executor, metrics}, options, Random(1));
  if (!broker) {
    fmt::print(stderr, "the names of topics cannot be read: {}\n", broker.error().what);
    return names;
  }
  auto topics = (*broker)->topics();
  for (const broker::TopicPtr& topic : topics->topics()) names[topic->info.id] = topic->info.name;
  names[broker::catalog_partition().topic_id] = "(catalog)";
  return names;
}

std::string partition_name(const std::map<Uuid, std::string>& names, const TopicPartition& id) {
  auto known = names.find(id.topic_id);
  return fmt::format("{}/{}", known == names.end() ? id.topic_id.to_hex() : known->second,
                     id.partition.value());
}

}  // namespace leat::tools
