// Topics in memory, for tests and benchmarks of the runtime.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "column/json_decoder.h"
#include "record/builder.h"
#include "record/record.h"
#include "stream/topic_store.h"

namespace leat::stream {

/// What a record says, for comparing.
struct PlainRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t timestamp_ms = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  bool operator==(const PlainRecord&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const PlainRecord& record) {
  out << record.key.value_or("(null)") << " @" << record.timestamp_ms << " "
      << record.value.value_or("(null)");
  for (const auto& [key, value] : record.headers) out << " " << key << "=" << value;
  return out;
}

/// A TopicStore whose appends are done before append() returns.
class MemoryTopics final : public TopicStore {
 public:
  Result<Topic> find_topic(const std::string& name) override {
    std::lock_guard lock(mutex_);
    auto found = topics_.find(name);
    if (found == topics_.end()) {
      return fail(Errc::unknown_topic_or_partition, "there is no topic " + name);
    }
    return found->second;
  }

  Result<Topic> create_topic(const std::string& name, std::int32_t partitions) override {
    std::lock_guard lock(mutex_);
    auto [at, made] = topics_.try_emplace(name);
    if (!made) return at->second;
    Uuid id;
    id.bytes[0] = ++made_;
    at->second = {id, name, partitions};
    for (std::int32_t i = 0; i < partitions; ++i) partitions_[{id, PartitionId{i}}];
    return at->second;
  }

  /// Another one of its name has another id.
  void remove_topic(const std::string& name) {
    std::lock_guard lock(mutex_);
    topics_.erase(name);
  }

  std::vector<Topic> topics() {
    std::vector<Topic> all;
    std::lock_guard lock(mutex_);
    for (const auto& [name, topic] : topics_) all.push_back(topic);
    return all;
  }

  Result<std::unique_ptr<TopicReader>> open(const Topic& topic) override {
    return std::make_unique<Reader>(*this, topic);
  }

  void append(const TopicPartition& id, Bytes batch, AppendDone done) override {
    std::vector<Work> waiting;
    Offset base;
    {
      std::lock_guard lock(mutex_);
      base = partitions_.at(id).next;
      add(partitions_.at(id), batch);
      waiting = std::exchange(partitions_.at(id).waiting, {});
    }
    for (auto& wake : waiting) wake();
    done(base);
  }

  /// Appends batches that one read gives together.
  void append_extent(const TopicPartition& id, Bytes batches) {
    std::vector<Work> waiting;
    {
      std::lock_guard lock(mutex_);
      add(partitions_.at(id), batches);
      waiting = std::exchange(partitions_.at(id).waiting, {});
    }
    for (auto& wake : waiting) wake();
  }

  /// Deletes the records below `start`.
  void trim(const TopicPartition& id, Offset start) {
    std::lock_guard lock(mutex_);
    partitions_.at(id).start = start;
  }

  std::uint64_t reads() const { return reads_; }

  /// All records of a partition.
  std::vector<PlainRecord> records(const std::string& topic, std::int32_t partition) {
    std::vector<PlainRecord> all;
    std::lock_guard lock(mutex_);
    auto found = topics_.find(topic);
    if (found == topics_.end()) return all;
    for (auto& [base, extent] :
         partitions_.at({found->second.id, PartitionId{partition}}).extents) {
      BytesView left(extent.owner->data(), extent.size);
      while (!left.empty()) {
        auto batch = record::BatchView::parse(left);
        left = left.subspan(batch->size_bytes());
        record::RecordIterator records(*batch);
        while (const record::Record* record = records.next()) all.push_back(plain(*record));
      }
    }
    return all;
  }

 private:
  class Reader final : public TopicReader {
   public:
    Reader(MemoryTopics& topics, Topic topic) : topics_(topics), topic_(std::move(topic)) {}
    const Topic& topic() const override { return topic_; }
    Result<std::vector<Readable>> readable() override {
      std::vector<Readable> all;
      std::lock_guard lock(topics_.mutex_);
      for (std::int32_t i = 0; i < topic_.partitions; ++i) {
        const Partition& partition = topics_.partitions_.at({topic_.id, PartitionId{i}});
        all.push_back({partition.start, partition.next});
      }
      return all;
    }
    std::optional<Offset> known_end(PartitionId id) const override {
      std::lock_guard lock(topics_.mutex_);
      return topics_.partitions_.at({topic_.id, id}).next;
    }
    Result<Batches> read(PartitionId id, Offset from, std::size_t max_bytes) override {
      return topics_.read({topic_.id, id}, from, max_bytes);
    }
    void when_readable(PartitionId id, Offset offset, Work wake) override {
      topics_.when_readable({topic_.id, id}, offset, std::move(wake));
    }

   private:
    MemoryTopics& topics_;
    const Topic topic_;
  };

  Result<Batches> read(const TopicPartition& id, Offset from, std::size_t max_bytes) {
    std::lock_guard lock(mutex_);
    ++reads_;
    Partition& partition = partitions_.at(id);
    if (from < partition.start || from > partition.next) {
      return fail(Errc::offset_out_of_range, "out of range");
    }
    if (from == partition.next) return Batches{};
    auto extent = std::prev(partition.extents.upper_bound(from));
    const Extent& bytes = extent->second;
    BytesView left(bytes.owner->data(), bytes.size);
    while (record::BatchView::parse(left)->next_offset() <= from) {
      left = left.subspan(record::BatchView::parse(left)->size_bytes());
    }
    std::size_t size = 0;
    while (size < left.size()) {
      std::size_t batch = record::BatchView::parse(left.subspan(size))->size_bytes();
      if (size > 0 && size + batch > max_bytes) break;
      size += batch;
    }
    return Batches{bytes.owner, left.first(size)};
  }

  void when_readable(const TopicPartition& id, Offset offset, Work wake) {
    std::unique_lock lock(mutex_);
    Partition& partition = partitions_.at(id);
    if (partition.next <= offset) return partition.waiting.push_back(std::move(wake));
    lock.unlock();
    wake();
  }

  struct Extent {
    std::shared_ptr<std::vector<std::byte>> owner;  // with its padding, and not a byte more
    std::size_t size = 0;
  };
  struct Partition {
    Offset start;
    Offset next;
    std::map<Offset, Extent> extents;  // by base offset
    std::vector<Work> waiting;
  };

  static PlainRecord plain(const record::Record& record) {
    auto text = [](const std::optional<BytesView>& bytes) {
      return bytes ? std::optional(std::string(as_text(*bytes))) : std::nullopt;
    };
    PlainRecord result{text(record.key), text(record.value), record.timestamp_ms, {}};
    for (const auto& header : record.headers) {
      result.headers.emplace_back(header.key, as_text(*header.value));
    }
    return result;
  }

  static void add(Partition& partition, const Bytes& batches) {
    Extent extent{std::make_shared<Bytes>(batches), batches.size()};
    extent.owner->resize(batches.size() + column::json_padding_bytes, std::byte{'"'});
    extent.owner->shrink_to_fit();
    Offset base = partition.next;
    MutableBytes left(extent.owner->data(), extent.size);
    while (!left.empty()) {
      MutableBytes batch = left.first(*record::batch_size(left));
      record::set_base_offset(batch, partition.next);
      partition.next = record::BatchView::parse(batch)->next_offset();
      left = left.subspan(batch.size());
    }
    partition.extents.emplace(base, std::move(extent));
  }

  std::mutex mutex_;
  std::map<std::string, Topic> topics_;
  std::map<TopicPartition, Partition> partitions_;
  std::uint64_t reads_ = 0;
  std::uint8_t made_ = 0;
};

}  // namespace leat::stream
