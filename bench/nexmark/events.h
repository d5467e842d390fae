// Nexmark's events as a pipeline meets them: chunks of one source, and a topic of JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "column/chunk.h"
#include "generate/nexmark.h"
#include "leat/types.h"
#include "stream/memory_topics.h"

namespace leat::nexmark {

/// What `event_type` says.
enum Kind : std::int64_t { person = 0, auction = 1, bid = 2 };

/// As Flink's table has it: rows may come so much behind the latest.
inline constexpr std::int64_t disorder_ms = 4000;

/// The columns of Flink's one table of all three kinds, each NULL in the rows of the others.
std::vector<flow::Column> columns();

/// Makes chunks of what a generator gives, all columns of it.
class EventMaker {
 public:
  EventMaker(const generate::NexmarkOptions& options, std::int32_t source);
  /// The next `rows`, whose texts the generator has.
  column::Chunk make(std::size_t rows);

 private:
  generate::NexmarkGenerator generator_;
  std::int32_t source_;
  std::int64_t next_place_ = 0;
  std::int64_t watermark_ms_;
};

/// All of one run, in memory.
struct Events {
  Events(const generate::NexmarkOptions& options, std::size_t count);
  std::size_t count;
  EventMaker maker;  // has the texts
  std::vector<column::Chunk> chunks;
};

/// The columns of one chunk, for programs.
struct EventColumns {
  explicit EventColumns(const column::Chunk& chunk);
  using Integers = std::span<const std::int64_t>;
  using Texts = std::span<const std::string_view>;
  struct Persons {
    Integers id;
    Texts name, email, card, city, state;
    Integers time;
    Texts extra;
  };
  struct Auctions {
    Integers id;
    Texts item, description;
    Integers initial_bid, reserve, time, expires, seller, category;
    Texts extra;
  };
  struct Bids {
    Integers auction, bidder, price;
    Texts channel, url;
    Integers time;
    Texts extra;
  };
  std::size_t rows;
  Integers type;
  Persons person;
  Auctions auction;
  Bids bid;

  /// Calls `take(row)` for each bid.
  template <class Take>
  void for_bids(const Take& take) const {
    for (std::size_t row = 0; row < rows; ++row) {
      if (type[row] == Kind::bid) take(row);
    }
  }
};

/// A topic `events` of one partition with the same events as JSON, each with its event time as the
/// record's timestamp; batches of 500, not compressed.
std::unique_ptr<stream::MemoryTopics> make_topic(const generate::NexmarkOptions& options,
                                                 std::size_t count);

}  // namespace leat::nexmark
