// Fetches a topic ahead of one reader.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/uuid.h"
#include "client/cluster.h"
#include "client/fetcher.h"
#include "leat/options.h"
#include "remote/fetched_partition.h"
#include "remote/read_ahead.h"
#include "stream/topic_store.h"

namespace leat::remote {

/// A partition is asked for while less than ReadAhead::partition_bytes of it wait to be read; once
/// answers of ReadAhead::bytes are held by anybody, rows that point into them included, only such
/// as have nothing waiting. So none waits for another that is full.
class TopicFetch : public std::enable_shared_from_this<TopicFetch> {
 public:
  /// Has a cluster of its own: a broker serves the requests of a connection one after the other,
  /// and fetches wait. `id` is the topic's there, zero if brokers have no such ids.
  TopicFetch(boost::asio::any_io_executor executor, ClientOptions options, const ReadAhead& ahead,
             stream::Topic topic, Uuid id);

  const stream::Topic& topic() const { return topic_; }
  FetchedPartition& partition(PartitionId id) const {
    return *partitions_.at(static_cast<std::size_t>(id.value()));
  }

  // These are thread-safe, and happen soon:

  /// Begins anew there.
  void seek(PartitionId id, Offset offset);
  /// Something that waited was read.
  void was_read();
  /// For good.
  void stop();

 private:
  struct Flow {
    bool is_fetched = false;
    bool is_paused = false;
  };
  using Held = std::atomic<std::size_t>;

  // On the executor:
  void start();
  void take();
  void balance();
  void fail_all(const Error& error);
  bool is_another_topic() const;

  const ReadAhead ahead_;
  const stream::Topic topic_;
  const Uuid id_;
  std::vector<std::unique_ptr<FetchedPartition>> partitions_;
  // The executor's:
  std::shared_ptr<client::Cluster> cluster_;
  std::shared_ptr<client::Inbox> inbox_;
  std::shared_ptr<client::Fetcher> fetcher_;
  std::vector<Flow> flows_;
  /// Bytes of answers that somebody holds; shared with them.
  std::shared_ptr<Held> held_ = std::make_shared<Held>(0);
};

}  // namespace leat::remote
