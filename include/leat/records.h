// Records that were fetched: read in place, in the memory in which they came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "leat/callback.h"
#include "leat/record.h"

namespace leat {

namespace client {
class RecordsMaker;
}

/// A record of a topic. Borrowed from Records: until the next one is asked for.
struct InRecord {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  /// The producer's time, or the broker's, where the topic is set to have that.
  Timestamp timestamp;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::span<const Header> headers;
};

struct PartitionRecords;

/// What one poll gave: whole batches, of one partition after the other, each in the order of its
/// offsets. They are decompressed one at a time while this is walked over, and not copied
/// otherwise. Holds the memory in which the answers of brokers came, until its end; not
/// thread-safe.
class Records {
 public:
  Records();
  ~Records();
  Records(Records&&) noexcept;
  Records& operator=(Records&&) noexcept;

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = InRecord;
    using difference_type = std::ptrdiff_t;

    const InRecord& operator*() const { return *current_; }
    const InRecord* operator->() const { return current_; }
    /// Throws Exception where a batch is damaged (ClientError::corrupt, malformed); begin() goes on
    /// with the next partition then. The consumer's position is behind all of this already: seek()
    /// to read again what was left out.
    Iterator& operator++() {
      current_ = records_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return current_ == nullptr; }

   private:
    friend class Records;
    Iterator(Records* records, const InRecord* current) : records_(records), current_(current) {}
    Records* records_;
    const InRecord* current_;
  };

  /// The first record that was not walked over yet. Throws as ++ does.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

  /// What was not walked over yet, each partition apart: to be read by a thread each, say, or
  /// merged by time. Nothing is left here. Throws as begin() does.
  std::vector<PartitionRecords> split();

  /// There is not a single batch.
  bool empty() const;
  /// Of the batches, as they came.
  std::size_t bytes() const;

 private:
  friend class client::RecordsMaker;
  struct Inside;
  /// Null at the end.
  const InRecord* next();
  bool is_at_end() const;
  detail::Owned<Inside> inside_;
};

/// What one poll gave of one partition.
struct PartitionRecords {
  Partition partition;
  /// Behind all of it: to be committed when that is done with.
  std::int64_t next_offset = 0;
  Records records;
};

}  // namespace leat
