#include "remote/remote_topics.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstring>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/assert.h"
#include "client/admin.h"
#include "client/background.h"
#include "client/cluster.h"
#include "client/offset_lookup.h"
#include "client/sender.h"
#include "client/stop.h"
#include "remote/topic_fetch.h"
#include "stream/result_topics.h"

namespace leat::remote {

namespace asio = boost::asio;
using stream::Readable;
using stream::Topic;

namespace {

template <class T>
Result<T> plain(client::Result<T> result) {
  if (!result) return leat::fail(result.error().code, result.error().what);
  return std::move(*result);
}

SharedBytes share(Bytes bytes) {
  auto owner = std::make_shared<Bytes>(std::move(bytes));
  return {std::shared_ptr<const std::byte[]>(owner, owner->data()), owner->size()};
}

}  // namespace

/// What all calls share: two clusters, since what is asked for is not to wait behind what is
/// appended.
class RemoteTopics::Inside {
 public:
  Inside(ClientOptions options, const ReadAhead& ahead)
      : options_(std::move(options)),
        ahead_(ahead),
        asked_(std::make_shared<client::Cluster>(executor(), options_)),
        written_(std::make_shared<client::Cluster>(executor(), options_)),
        sender_(std::make_shared<client::Sender>(written_, ProducerOptions(), nullptr)),
        on_stop_(client::StopInside::token_of(options_.stop), [this] { close_asked(); }) {
    asio::post(executor(), [sender = sender_] { sender->start(); });
  }
  ~Inside();

  Result<Topic> find(const std::string& name);
  Result<Topic> create(const std::string& name, std::int32_t partitions);
  Result<std::vector<Readable>> readable(const Topic& topic);
  std::shared_ptr<TopicFetch> fetch(const Topic& topic);
  void append(const TopicPartition& partition, Bytes batch, AppendDone done);

 private:
  struct Known {
    Topic topic;
    /// Zero if brokers have no such ids.
    Uuid id;
    bool is_written = false;
  };

  asio::any_io_executor executor() { return background_.context().get_executor(); }
  /// Runs it on the thread and waits for what it gives.
  template <class T>
  client::Result<T> wait_for(net::Task<client::Result<T>> task);
  client::Result<Topic> describe(const std::string& name);
  Topic know(const client::TopicMetadata& metadata);
  Result<Known> known(const Uuid& id);
  Result<void> learn(const Known& known);
  void close_asked();

  const ClientOptions options_;
  const ReadAhead ahead_;
  client::Background background_;  // the last one to go of what follows it
  std::shared_ptr<client::Cluster> asked_;
  std::shared_ptr<client::Cluster> written_;
  std::shared_ptr<client::Sender> sender_;
  std::stop_callback<std::function<void()>> on_stop_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::map<Uuid, Known> topics_;
  std::map<std::string, Uuid> made_ids_;
};

RemoteTopics::Inside::~Inside() {
  std::promise<void> closed;
  asio::post(executor(), [&] {
    client::Error error{Errc::cancelled, "the topics are closed"};
    sender_->stop();
    written_->close(error);
    asked_->close(error);
    closed.set_value();
  });
  closed.get_future().wait();
}

void RemoteTopics::Inside::close_asked() {
  asio::post(executor(), [asked = asked_] { asked->close({Errc::cancelled, "interrupted"}); });
}

template <class T>
client::Result<T> RemoteTopics::Inside::wait_for(net::Task<client::Result<T>> task) {
  std::promise<client::Result<T>> promise;
  asio::co_spawn(executor(), std::move(task),
                 [&](std::exception_ptr thrown, client::Result<T> result) {
                   if (thrown) return promise.set_exception(std::move(thrown));
                   promise.set_value(std::move(result));
                 });
  return promise.get_future().get();
}

Topic RemoteTopics::Inside::know(const client::TopicMetadata& metadata) {
  std::lock_guard lock(mutex_);
  Uuid id = metadata.id;
  if (id.is_zero()) {
    // Of a broker from before Kafka 2.8: it is to have one here.
    auto [made, is_new] = made_ids_.try_emplace(metadata.name);
    std::uint64_t number = made_ids_.size();
    if (is_new) std::memcpy(made->second.bytes.data(), &number, sizeof number);
    id = made->second;
  }
  Topic topic{id, metadata.name, static_cast<std::int32_t>(metadata.partitions.size())};
  topics_.try_emplace(id, Known{topic, metadata.id});
  return topic;
}

Result<RemoteTopics::Inside::Known> RemoteTopics::Inside::known(const Uuid& id) {
  std::lock_guard lock(mutex_);
  auto found = topics_.find(id);
  if (found != topics_.end()) return found->second;
  return leat::fail(Errc::unknown_topic_or_partition,
                    fmt::format("topic {} was not looked up", id.to_hex()));
}

client::Result<Topic> RemoteTopics::Inside::describe(const std::string& name) {
  auto described = wait_for(client::describe_topic(asked_, name));
  if (!described) return tl::unexpected(described.error());
  return know(*described);
}

Result<Topic> RemoteTopics::Inside::find(const std::string& name) {
  auto found = describe(name);
  if (!found && found.error().code == Errc::unknown_topic_or_partition) {
    return leat::fail(found.error().code,
                      fmt::format("there is no topic {} at {}", name, options_.brokers));
  }
  return plain(std::move(found));
}

Result<Topic> RemoteTopics::Inside::create(const std::string& name, std::int32_t partitions) {
  auto found = describe(name);
  if (!found && found.error().code == Errc::unknown_topic_or_partition) {
    NewTopic asked(name, partitions);
    asked.configs = {{stream::ahead_config, stream::any_time}};
    auto created = wait_for(client::create_topic(asked_, asked));
    if (!created && created.error().code == Errc::invalid_config) {  // an older broker
      asked.configs.clear();
      created = wait_for(client::create_topic(asked_, asked));
    }
    // Somebody else may have been faster.
    if (!created && created.error().code != Errc::topic_already_exists) {
      return leat::fail(created.error().code, created.error().what);
    }
    // Brokers may take a moment to know it.
    auto described = wait_for(client::describe_topic(asked_, name, /*create=*/true));
    if (!described) return leat::fail(described.error().code, described.error().what);
    return know(*described);
  }
  return plain(std::move(found));
}

Result<std::vector<Readable>> RemoteTopics::Inside::readable(const Topic& topic) {
  auto now = describe(topic.name);
  if (!now) return leat::fail(now.error().code, now.error().what);
  if (now->id != topic.id) {
    return leat::fail(Errc::unknown_topic_or_partition, "the topic was deleted, and made anew");
  }
  std::vector<client::OffsetQuery> queries;
  for (std::int32_t i = 0; i < topic.partitions; ++i) {
    queries.push_back({topic.name, i, client::at_start});
    queries.push_back({topic.name, i, client::at_end});
  }
  auto found = wait_for(client::list_offsets(asked_, std::move(queries), /*read_committed=*/true));
  if (!found) return leat::fail(found.error().code, found.error().what);
  std::vector<Readable> all;
  for (std::size_t i = 0; i + 1 < found->size(); i += 2)
    all.push_back({Offset{(*found)[i].value_or(0)}, Offset{(*found)[i + 1].value_or(0)}});
  return all;
}

std::shared_ptr<TopicFetch> RemoteTopics::Inside::fetch(const Topic& topic) {
  auto there = known(topic.id);
  ASSERT(there);  // the topic is one of ours
  return std::make_shared<TopicFetch>(executor(), options_, ahead_, topic, there->id);
}

Result<void> RemoteTopics::Inside::learn(const Known& known) {
  if (known.is_written) return {};
  auto learned = wait_for(sender_->learn_topic(known.topic.name));
  if (!learned) return leat::fail(learned.error().code, learned.error().what);
  std::lock_guard lock(mutex_);
  topics_.at(known.topic.id).is_written = true;
  return {};
}

void RemoteTopics::Inside::append(const TopicPartition& partition, Bytes batch, AppendDone done) {
  auto topic = known(partition.topic_id);
  if (!topic) return done(leat::fail(topic));
  if (auto ok = learn(*topic); !ok) return done(leat::fail(ok));
  auto appended = [done = std::move(done)](client::Result<std::int64_t> offset) mutable {
    if (!offset) {
      return done(
          tl::unexpected(stream::explained(leat::Error{offset.error().code, offset.error().what})));
    }
    done(Offset{*offset});
  };
  sender_->append_batch(topic->topic.name, partition.partition.value(), share(std::move(batch)),
                        std::move(appended));
}

class RemoteTopics::Reader final : public stream::TopicReader {
 public:
  Reader(Inside& topics, std::shared_ptr<TopicFetch> fetch)
      : topics_(topics), fetch_(std::move(fetch)) {}
  ~Reader() override { fetch_->stop(); }

  const Topic& topic() const override { return fetch_->topic(); }
  Result<std::vector<Readable>> readable() override;
  std::optional<Offset> known_end(PartitionId partition) const override {
    return fetch_->partition(partition).end();
  }
  Result<stream::Batches> read(PartitionId partition, Offset from, std::size_t max_bytes) override;
  void when_readable(PartitionId partition, Offset offset, Work wake) override;

 private:
  Inside& topics_;
  std::shared_ptr<TopicFetch> fetch_;
};

Result<std::vector<Readable>> RemoteTopics::Reader::readable() {
  auto all = topics_.readable(topic());
  if (!all) return all;
  for (std::size_t i = 0; i < all->size(); ++i) {
    PartitionId id{static_cast<std::int32_t>(i)};
    fetch_->partition(id).reaches((*all)[i].high_watermark);
  }
  return all;
}

Result<stream::Batches> RemoteTopics::Reader::read(PartitionId partition, Offset from,
                                                   std::size_t max_bytes) {
  FetchedPartition::Told told;
  auto batches = fetch_->partition(partition).read(from, max_bytes, told);
  if (told.seek) fetch_->seek(partition, *told.seek);
  if (told.has_taken) fetch_->was_read();
  return batches;
}

void RemoteTopics::Reader::when_readable(PartitionId partition, Offset offset, Work wake) {
  FetchedPartition::Told told;
  fetch_->partition(partition).when_readable(offset, std::move(wake), told);
  if (told.seek) fetch_->seek(partition, *told.seek);
}

RemoteTopics::RemoteTopics(ClientOptions options, const ReadAhead& ahead)
    : inside_(std::make_unique<Inside>(std::move(options), ahead)) {}
RemoteTopics::~RemoteTopics() = default;

Result<Topic> RemoteTopics::find_topic(const std::string& name) {
  return inside_->find(name);
}

Result<Topic> RemoteTopics::create_topic(const std::string& name, std::int32_t partitions) {
  return inside_->create(name, partitions);
}

Result<std::unique_ptr<stream::TopicReader>> RemoteTopics::open(const Topic& topic) {
  std::unique_ptr<stream::TopicReader> reader =
      std::make_unique<Reader>(*inside_, inside_->fetch(topic));
  // From here on it is known whether there is something to wait for.
  if (auto readable = reader->readable(); !readable) return leat::fail(readable);
  return reader;
}

void RemoteTopics::append(const TopicPartition& partition, Bytes batch, AppendDone done) {
  inside_->append(partition, std::move(batch), std::move(done));
}

}  // namespace leat::remote
