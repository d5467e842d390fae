// The events of an online auction, by which stream processors are compared: Nexmark (Tucker, Tufte,
// Papadimos and Maier, 2008), in the form that Apache Beam and Apache Flink gave it.
//
// Of 50 events the first is a person, three are auctions, 46 are bids. What is drawn, and how often
// what, is as Flink's generator has it (github.com/nexmark/nexmark), but for these:
//
// - It has a seed, and each event follows from the seed and its number alone. Flink's has none.
// - Times count from a fixed one, at which windows begin, not from the clock's when it is made.
// - A bid's bidder is a person's id. There, 1000 is added twice, so that bids are by people who
// come
//   1000 later, or never: queries that join bids and persons find other ones there.
// - It begins with event 0, which is person 1000. Flink's begins with event 2, so that person and
//   auction 1000 are missing.
// - Disorder: `group` is its outOfOrderGroupSize. The delay that Flink's can be told of and has no
//   code for is here: `disorder` and `disorder_ms`.
// - Part of the stream can be made anywhere (`first_event`). Flink shares it out among generators
//   that each have ids, and hot ones, of their own.
// - E-mail addresses and cards come from 10,000 of each, other texts out of a long one, as `extra`
//   and url do there, too.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>

#include "generate/arrivals.h"
#include "generate/log_uniform.h"

namespace leat::generate {

struct Person {
  std::int64_t id;
  std::string_view name;
  std::string_view email_address;
  std::string_view credit_card;
  std::string_view city;
  std::string_view state;
  std::int64_t date_time_ms;
  std::string_view extra;
};

struct Auction {
  std::int64_t id;
  std::string_view item_name;
  std::string_view description;
  std::int64_t initial_bid;
  std::int64_t reserve;
  std::int64_t date_time_ms;
  std::int64_t expires_ms;
  std::int64_t seller;  // a person's id
  std::int64_t category;
  std::string_view extra;
};

struct Bid {
  std::int64_t auction;
  std::int64_t bidder;  // a person's id
  std::int64_t price;
  std::string_view channel;
  std::string_view url;
  std::int64_t date_time_ms;
  std::string_view extra;
};

/// Its index is what Flink's table calls event_type.
using NexmarkEvent = std::variant<Person, Auction, Bid>;

struct NexmarkOptions {
  std::uint64_t seed = 1;
  std::uint64_t first_event = 0;
  std::int64_t base_time_ms = 1'436'918'400'000;  // 2015-07-15
  /// Events a second of event time: how dense they are.
  double rate = 10'000;
  /// Events arrive in another order within groups of so many; 1: in order.
  std::int64_t group = 1;
  /// Which part of the events is delayed, and by how much at most.
  double disorder = 0;
  std::int64_t disorder_ms = 3000;
  /// Of n bids n - 1 are for the hot auction, of n auctions n - 1 by the hot seller, of n bids n -
  /// 1 by the hot bidder. 1: none is hot.
  std::uint32_t hot_auction_ratio = 2;
  std::uint32_t hot_seller_ratio = 4;
  std::uint32_t hot_bidder_ratio = 4;
  /// Among how many of the last auctions and persons the others choose.
  std::uint32_t in_flight_auctions = 100;
  std::uint32_t active_people = 1000;
  /// `extra` is as long as it takes to come to these, reckoned as Flink's does.
  std::uint32_t average_person_bytes = 200;
  std::uint32_t average_auction_bytes = 500;
  std::uint32_t average_bid_bytes = 100;
};

class NexmarkTexts;

/// All texts of its events are views of memory that it keeps until its end, some 4 MiB: nothing
/// is copied. Beside that it needs what Arrivals does. Not thread-safe.
class NexmarkGenerator {
 public:
  static constexpr std::int64_t first_person_id = 1000;
  static constexpr std::int64_t first_auction_id = 1000;
  static constexpr std::int64_t first_category = 10;
  static constexpr std::uint32_t categories = 5;
  /// Ids may be so far ahead of the persons and auctions that there are yet.
  static constexpr std::uint32_t id_lead = 10;
  static constexpr std::uint32_t channels = 10'000;

  /// REQUIRES: what check() says of rate, group and disorder; ratios are at least 1.
  explicit NexmarkGenerator(const NexmarkOptions& options);
  ~NexmarkGenerator();

  /// The next one in the order of arrival. Good until the next call, its texts for longer.
  const NexmarkEvent& next() {
    Arrival arrival = arrivals_.next();
    make(arrival.number, arrival.time_ms, event_);
    return event_;
  }
  /// Event `number`, which happens at `time_ms`.
  void make(std::uint64_t number, std::int64_t time_ms, NexmarkEvent& event) const;

 private:
  void make_person(std::uint64_t number, std::int64_t time_ms, Person& person) const;
  void make_auction(std::uint64_t number, std::int64_t time_ms, Auction& auction) const;
  void make_bid(std::uint64_t number, std::int64_t time_ms, Bid& bid) const;
  std::int64_t any_person(std::int64_t last_person, std::uint32_t bits) const;
  std::int64_t any_auction(std::int64_t last_auction, std::uint32_t bits) const;
  std::int64_t price(std::uint64_t bits) const;
  std::string_view extra(std::size_t bytes, std::uint32_t average_bytes, std::uint64_t bits) const;

  NexmarkOptions options_;
  std::uint64_t seed_;
  Arrivals arrivals_;
  LogUniform prices_;
  std::unique_ptr<const NexmarkTexts> texts_;
  NexmarkEvent event_;
};

}  // namespace leat::generate
