#include "remote/topic_fetch.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include "client/metadata.h"

namespace leat::remote {

namespace asio = boost::asio;

namespace {

/// A broker holds back its answer as long as it has nothing new, and a partition that may be asked
/// for again waits for that. So brokers are not to wait long while one is not asked for.
constexpr std::chrono::milliseconds short_wait{5};

ConsumerOptions fetch_options(const ReadAhead& ahead) {
  ConsumerOptions options;
  options.read_committed = true;
  // Answers are taken as they come, so that this bounds only what memory is kept to be used again.
  options.prefetch_bytes = ahead.bytes;
  return options;
}

}  // namespace

TopicFetch::TopicFetch(asio::any_io_executor executor, ClientOptions options,
                       const ReadAhead& ahead, stream::Topic topic, Uuid id)
    : ahead_(ahead),
      topic_(std::move(topic)),
      id_(id),
      cluster_(std::make_shared<client::Cluster>(std::move(executor), std::move(options))),
      inbox_(std::make_shared<client::Inbox>()),
      flows_(static_cast<std::size_t>(topic_.partitions)) {
  for (std::int32_t i = 0; i < topic_.partitions; ++i)
    partitions_.push_back(std::make_unique<FetchedPartition>(topic_.name, i));
}

void TopicFetch::start() {
  client::FetcherHooks hooks;
  hooks.out_of_range = [weak = weak_from_this()](const client::FetchPlan::OutOfRange& lost) {
    if (auto self = weak.lock()) self->partition(PartitionId{lost.partition}).fail_with(lost.error);
    return true;  // whoever reads seeks, or gives up
  };
  hooks.ends_at = [weak = weak_from_this()](const client::FetchPlan::End& end) {
    if (auto self = weak.lock())
      self->partition(PartitionId{end.partition}).reaches(Offset{end.offset});
  };
  hooks.changed = [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->take();
  };
  fetcher_ =
      std::make_shared<client::Fetcher>(cluster_, fetch_options(ahead_), inbox_, std::move(hooks));
  fetcher_->start();
}

void TopicFetch::seek(PartitionId id, Offset offset) {
  asio::post(cluster_->executor(), [self = shared_from_this(), id, offset] {
    if (!self->fetcher_) self->start();
    self->flows_.at(static_cast<std::size_t>(id.value())) = {.is_fetched = true};
    self->fetcher_->add({self->topic_.name, id.value(), offset.value()});
    // Where fetching has ended nobody else tells.
    self->take();
  });
}

void TopicFetch::was_read() {
  asio::post(cluster_->executor(), [self = shared_from_this()] { self->balance(); });
}

void TopicFetch::stop() {
  asio::post(cluster_->executor(), [self = shared_from_this()] {
    if (self->fetcher_) self->fetcher_->stop();
    self->cluster_->close({Errc::cancelled, "nobody reads any more"});
  });
}

void TopicFetch::take() {
  if (is_another_topic()) {
    fail_all({Errc::unknown_topic_or_partition, "the topic was deleted, and made anew"});
    inbox_->fetched.clear();
    inbox_->bytes = 0;
    return fetcher_->stop();
  }
  // Parts of one answer hold all of it.
  std::shared_ptr<const void> last, held;
  for (client::Fetched& fetched : std::exchange(inbox_->fetched, {})) {
    if (fetched.owner != last) {
      last = fetched.owner;
      std::size_t size = inbox_->bytes;
      held_->fetch_add(size);
      auto let_go = [owner = fetched.owner, size, count = held_](const void*) mutable {
        owner.reset();
        count->fetch_sub(size);
      };
      held = std::shared_ptr<const void>(last.get(), std::move(let_go));
    }
    fetched.owner = held;
    partition(PartitionId{fetched.partition}).add(std::move(fetched));
  }
  inbox_->bytes = 0;
  if (inbox_->finished) {
    fail_all(inbox_->error.value_or(client::Error{Errc::cancelled, "fetching has ended"}));
  }
  balance();
}

void TopicFetch::balance() {
  bool any_paused = false;
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    Flow& flow = flows_[i];
    if (!flow.is_fetched) continue;
    std::size_t waiting = partitions_[i]->bytes();
    bool has_room = waiting < ahead_.partition_bytes && *held_ < ahead_.bytes;
    bool is_wanted = has_room || waiting == 0;
    any_paused = any_paused || !is_wanted;
    if (flow.is_paused != is_wanted) continue;
    flow.is_paused = !is_wanted;
    fetcher_->pause(topic_.name, static_cast<std::int32_t>(i), flow.is_paused);
  }
  if (fetcher_) fetcher_->set_wait(any_paused ? short_wait : fetch_options(ahead_).fetch_wait);
}

void TopicFetch::fail_all(const Error& error) {
  for (auto& partition : partitions_) partition->fail_with(error);
}

/// Offsets of one topic mean nothing in another of its name.
bool TopicFetch::is_another_topic() const {
  const client::TopicMetadata* known = cluster_->metadata().topic(topic_.name);
  return known && !known->id.is_zero() && known->id != id_;
}

}  // namespace leat::remote
