#include "stream/broker_topics.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/once.h"
#include "column/json_decoder.h"
#include "log/aborted_transactions.h"
#include "record/batch.h"
#include "stream/hidden_batch.h"
#include "stream/result_topics.h"

namespace leat::stream {

namespace {

/// Where what is committed ends.
Offset end_of(const log::LogView& view) {
  return view.last_stable_offset.value_or(view.start_offset);
}

/// Makes control batches, which have no rows, of those that belong to aborted transactions. They
/// keep their offsets, so nothing else has to know.
void hide_aborted(const log::LogView& view, MutableBytes batches) {
  if (!view.aborted) return;
  auto first = record::BatchView::parse(batches);
  if (!first) return;
  auto aborted = view.aborted->find(first->base_offset(), *view.last_stable_offset);
  for (MutableBytes left = batches; !aborted.empty() && !left.empty();) {
    auto batch = record::BatchView::parse(left);
    if (!batch) return;  // whoever reads them says what is wrong
    auto hides = [&](const log::AbortedTransaction& transaction) {
      return batch->is_transactional() && transaction.producer == batch->producer_id() &&
             transaction.first <= batch->base_offset() && batch->base_offset() < transaction.last;
    };
    if (std::any_of(aborted.begin(), aborted.end(), hides)) {
      hide_batch(left);
    }
    left = left.subspan(batch->size_bytes());
  }
}

}  // namespace

/// A partition, and who waits for it to move. Thread-safe.
class BrokerTopics::Feed {
 public:
  explicit Feed(std::shared_ptr<broker::Partition> partition) : partition_(std::move(partition)) {}

  /// On the partition's executor: from now on `feed` is told when it moves, and when it goes.
  /// Calls `known` when it is known what of it is committed.
  static void follow(const std::shared_ptr<Feed>& feed, Once<void> known) {
    std::shared_ptr<broker::Partition> partition = feed->partition();
    // The feed holds the tickets, so the listeners must not hold the feed.
    std::weak_ptr<Feed> weak = feed;
    feed->ticket_ = partition->log().on_advance([weak] {
      if (auto alive = weak.lock()) alive->advanced();
    });
    feed->gone_ticket_ = partition->on_gone([weak] {
      if (auto alive = weak.lock()) alive->end();
    });
    // Until that is known, nothing can be read.
    partition->load_producers([weak, known = std::move(known)](const Result<void>&) mutable {
      if (auto alive = weak.lock()) alive->advanced();
      known({});
    });
  }

  /// Errc::unknown_topic_or_partition once the partition has gone.
  Result<std::shared_ptr<const log::LogView>> view() const {
    if (std::shared_ptr<broker::Partition> there = partition()) return there->view();
    return fail(Errc::unknown_topic_or_partition, "the topic was deleted");
  }

  /// For those that want to know where the partition ends.
  Answer<void>& known() { return known_; }

  void when_readable(Offset offset, Work wake) {
    {
      // The view is published before advanced() takes the lock, so none is missed.
      std::lock_guard lock(mutex_);
      if (partition_ && end_of(*partition_->view()) <= offset) {
        waiting_.emplace_back(offset, std::move(wake));
        return;
      }
    }
    wake();
  }

 private:
  std::shared_ptr<broker::Partition> partition() const {
    std::lock_guard lock(mutex_);
    return partition_;
  }

  void advanced() {
    std::vector<Work> ready;
    {
      std::lock_guard lock(mutex_);
      if (!partition_) return;
      Offset end = end_of(*partition_->view());
      for (auto& [offset, wake] : waiting_) {
        if (end > offset) ready.push_back(std::exchange(wake, nullptr));
      }
      std::erase_if(waiting_, [](const auto& waiting) { return !waiting.second; });
    }
    for (auto& wake : ready) wake();
  }

  // The partition has gone: lets go of its files, and of who waits for records.
  void end() {
    std::shared_ptr<broker::Partition> gone;
    std::vector<std::pair<Offset, Work>> waiting;
    {
      std::lock_guard lock(mutex_);
      std::swap(gone, partition_);
      std::swap(waiting, waiting_);
    }
    for (auto& [offset, wake] : waiting) wake();
  }

  mutable std::mutex mutex_;
  std::shared_ptr<broker::Partition> partition_;  // guarded by mutex_; null: it has gone
  std::vector<std::pair<Offset, Work>> waiting_;  // guarded by mutex_
  Answer<void> known_;
  // The executor's:
  log::Log::Ticket ticket_;
  broker::Partition::Ticket gone_ticket_;
};

/// Reads from the views that logs publish.
class BrokerTopics::Reader final : public TopicReader {
 public:
  Reader(Topic topic, std::vector<std::shared_ptr<Feed>> feeds, ReadBuffers& buffers)
      : topic_(std::move(topic)), feeds_(std::move(feeds)), buffers_(buffers) {}

  const Topic& topic() const override { return topic_; }

  Result<std::vector<Readable>> readable() override {
    std::vector<Readable> all;
    for (const auto& feed : feeds_) {
      auto view = feed->view();
      if (!view) return fail(view);
      all.push_back({(*view)->start_offset, end_of(**view)});
    }
    return all;
  }

  std::optional<Offset> known_end(PartitionId partition) const override {
    auto view = feed(partition).view();
    return view ? std::optional(end_of(**view)) : std::nullopt;
  }

  Result<Batches> read(PartitionId partition, Offset from, std::size_t max_bytes) override;

  void when_readable(PartitionId partition, Offset offset, Work wake) override {
    feed(partition).when_readable(offset, std::move(wake));
  }

 private:
  Feed& feed(PartitionId partition) const {
    return *feeds_.at(static_cast<std::size_t>(partition.value()));
  }

  const Topic topic_;
  const std::vector<std::shared_ptr<Feed>> feeds_;
  ReadBuffers& buffers_;
};

Result<Batches> BrokerTopics::Reader::read(PartitionId partition, Offset from,
                                           std::size_t max_bytes) {
  auto view = feed(partition).view();
  if (!view) return fail(view);
  if (!(*view)->last_stable_offset) return Batches{};
  auto slice = (*view)->read_stable(from, max_bytes);
  if (!slice) return fail(slice);
  if (slice->bytes == 0) return Batches{};
  auto buffer = buffers_.take();
  MutableBytes room = buffer->room(slice->bytes + column::json_padding_bytes);
  MutableBytes bytes = room.first(slice->bytes);
  auto read = slice->file->read_at(slice->position, bytes);
  if (!read) return fail(read);
  if (*read != bytes.size()) {
    return fail(Errc::io_error, fmt::format("a segment ended {} bytes early at position {}",
                                            bytes.size() - *read, slice->position));
  }
  hide_aborted(**view, bytes);
  return Batches{std::move(buffer), bytes};
}

Topic BrokerTopics::follow(const broker::Topic& topic) {
  std::vector<std::shared_ptr<Feed>> feeds;
  {
    std::lock_guard lock(mutex_);
    for (const auto& partition : topic.partitions) {
      auto& feed = feeds_[partition->log().id()];
      feeds.push_back(feed);
      if (feed) continue;
      feeds.back() = feed = std::make_shared<Feed>(partition);
      // Also if the executor drops its work: then nothing will ever be known.
      Once<void> known([feed](const Result<void>&) { feed->known().give({}); }, gone);
      partition->executor().post([feed = feed, known = std::move(known)]() mutable {
        Feed::follow(feed, std::move(known));
      });
    }
  }
  for (auto& feed : feeds) static_cast<void>(feed->known().wait(pump_));
  return Topic{topic.info.id, topic.info.name, topic.info.partitions};
}

Result<Topic> BrokerTopics::find_topic(const std::string& name) {
  if (broker::TopicPtr topic = broker_.find_topic(name)) return follow(*topic);
  return fail(Errc::unknown_topic_or_partition, "there is no topic " + name);
}

Result<Topic> BrokerTopics::create_topic(const std::string& name, std::int32_t partitions) {
  using broker::TopicInfo;
  auto info = ask<TopicInfo>([this, name, partitions](Once<TopicInfo> made) {
    if (broker::TopicPtr topic = broker_.find_topic(name)) return made(topic->info);
    broker_.create_topic({name, partitions, {{ahead_config, any_time}}}, std::move(made));
  });
  if (!info) return fail(info);
  broker::TopicPtr topic = broker_.find_topic(info->id);
  if (!topic) return fail(Errc::unknown_topic_or_partition, name + " is being deleted");
  return follow(*topic);
}

Result<std::unique_ptr<TopicReader>> BrokerTopics::open(const Topic& topic) {
  std::vector<std::shared_ptr<Feed>> feeds;
  std::lock_guard lock(mutex_);
  for (std::int32_t id = 0; id < topic.partitions; ++id) {
    auto found = feeds_.find({topic.id, PartitionId{id}});
    ASSERT(found != feeds_.end());  // the topic is one of ours
    feeds.push_back(found->second);
  }
  return std::make_unique<Reader>(topic, std::move(feeds), buffers_);
}

void BrokerTopics::append(const TopicPartition& id, Bytes batch, AppendDone done) {
  Once<Offset> once(std::move(done), gone);
  auto partition = broker_.find_partition(id.topic_id, id.partition);
  if (!partition) return once(fail(Errc::unknown_topic_or_partition, "the topic was deleted"));
  Executor& shard = partition->executor();
  shard.post([partition, batch = std::move(batch), once = std::move(once)]() mutable {
    // The newest version's rules: a runtime has no old client to be kind to.
    constexpr int produce_version = 9;
    auto owner = std::make_shared<Bytes>(std::move(batch));
    partition->append(owner, *owner, produce_version,
                      [once = std::move(once)](Result<broker::Appended> appended) mutable {
                        if (!appended) return once(tl::unexpected(explained(appended.error())));
                        once(appended->base_offset);
                      });
  });
}

}  // namespace leat::stream
