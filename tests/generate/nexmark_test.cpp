#include "generate/nexmark.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>

#include <doctest/doctest.h>

namespace leat::generate {
namespace {

std::int64_t id_of(const NexmarkEvent& event) {
  if (const auto* person = std::get_if<Person>(&event)) return person->id;
  if (const auto* auction = std::get_if<Auction>(&event)) return auction->id;
  return std::get<Bid>(event).auction;
}

std::int64_t time_of(const NexmarkEvent& event) {
  return std::visit([](const auto& one) { return one.date_time_ms; }, event);
}

/// How many of so many things are so.
struct Share {
  double of = 0;
  double are = 0;
  void count(bool is_so) {
    ++of;
    if (is_so) ++are;
  }
  bool is_about(double wanted) const { return std::abs(are / of - wanted) < 0.01; }
};

/// Calls `look` with each bid of the first events, the last auction and the last person before it.
template <class Look>
void each_bid(const NexmarkOptions& options, int events, Look look) {
  NexmarkGenerator generator(options);
  std::int64_t last_auction = NexmarkGenerator::first_auction_id - 1;
  std::int64_t last_person = NexmarkGenerator::first_person_id - 1;
  for (int i = 0; i < events; ++i) {
    const NexmarkEvent& event = generator.next();
    if (std::holds_alternative<Person>(event)) last_person = id_of(event);
    if (std::holds_alternative<Auction>(event)) last_auction = id_of(event);
    if (const auto* bid = std::get_if<Bid>(&event)) look(*bid, last_auction, last_person);
  }
}

}  // namespace

TEST_SUITE_BEGIN("generate");

TEST_CASE("of every 50 events one is a person, three are auctions, 46 are bids") {
  NexmarkGenerator generator({});
  for (int epoch = 0; epoch < 200; ++epoch)
    for (std::size_t place = 0; place < 50; ++place)
      REQUIRE(generator.next().index() == (place == 0 ? 0u : place <= 3 ? 1u : 2u));
}

TEST_CASE("persons and auctions have ids one after the other, from 1000 on") {
  NexmarkGenerator generator({});
  std::int64_t person = 1000;
  std::int64_t auction = 1000;
  for (int i = 0; i < 10'000; ++i) {
    const NexmarkEvent& event = generator.next();
    if (std::holds_alternative<Person>(event)) REQUIRE(id_of(event) == person++);
    if (std::holds_alternative<Auction>(event)) REQUIRE(id_of(event) == auction++);
  }
  CHECK(person == 1200);
  CHECK(auction == 1600);
}

TEST_CASE("ids refer to what is there, or comes within the lead") {
  each_bid({}, 200'000, [](const Bid& bid, std::int64_t last_auction, std::int64_t last_person) {
    REQUIRE(bid.auction >= 1000);
    REQUIRE(bid.auction >= last_auction - 100);
    REQUIRE(bid.auction <= last_auction + NexmarkGenerator::id_lead);
    REQUIRE(bid.bidder >= 1000);
    REQUIRE(bid.bidder >= last_person - 1000);
    REQUIRE(bid.bidder <= last_person + NexmarkGenerator::id_lead);
  });
  NexmarkGenerator generator({});
  std::int64_t last_person = 0;
  for (int i = 0; i < 200'000; ++i) {
    const NexmarkEvent& event = generator.next();
    if (std::holds_alternative<Person>(event)) last_person = id_of(event);
    const auto* auction = std::get_if<Auction>(&event);
    if (!auction) continue;
    REQUIRE(auction->seller >= std::max<std::int64_t>(1000, last_person - 1000));
    REQUIRE(auction->seller <= last_person + NexmarkGenerator::id_lead);
    REQUIRE(auction->category >= 10);
    REQUIRE(auction->category <= 14);
    REQUIRE(auction->reserve >= auction->initial_bid + 100);
  }
}

TEST_CASE("bids ahead of their auctions and behind are there") {
  Share ahead;
  each_bid({}, 100'000, [&](const Bid& bid, std::int64_t last_auction, std::int64_t) {
    ahead.count(bid.auction > last_auction);
  });
  // Half of the bids choose among the 111 last and coming ones.
  CHECK(ahead.is_about(0.5 * 10 / 111));
}

TEST_CASE("half of the bids are for the hot auction, three quarters by the hot bidder") {
  Share auctions;
  Share bidders;
  each_bid({}, 500'000, [&](const Bid& bid, std::int64_t last_auction, std::int64_t last_person) {
    if (last_auction < 1200 || last_person < 3000) return;
    auctions.count(bid.auction == (last_auction - 1000) / 100 * 100 + 1000);
    bidders.count(bid.bidder == (last_person - 1000) / 100 * 100 + 1001);
  });
  CHECK(auctions.is_about(0.5 + 0.5 / 111));
  CHECK(bidders.is_about(0.75));
}

TEST_CASE("hot ratios can be changed, and of 1 nothing is hot") {
  NexmarkOptions options;
  options.hot_auction_ratio = 10;
  options.hot_bidder_ratio = 1;
  options.hot_seller_ratio = 2;
  Share auctions;
  Share bidders;
  each_bid(options, 500'000,
           [&](const Bid& bid, std::int64_t last_auction, std::int64_t last_person) {
             if (last_auction < 1200 || last_person < 3000) return;
             auctions.count(bid.auction == (last_auction - 1000) / 100 * 100 + 1000);
             bidders.count(bid.bidder == (last_person - 1000) / 100 * 100 + 1001);
           });
  CHECK(auctions.is_about(0.9));
  CHECK(bidders.is_about(0.001));
  NexmarkGenerator generator(options);
  Share sellers;
  for (std::uint64_t number = 100'001; number < 300'000; number += 50) {
    NexmarkEvent event;
    generator.make(number, 0, event);
    auto last_person = static_cast<std::int64_t>(number / 50);
    sellers.count(std::get<Auction>(event).seller == last_person / 100 * 100 + 1000);
  }
  CHECK(std::abs(sellers.are / sellers.of - 0.5) < 0.03);
}

TEST_CASE("prices are from 100 to 10^8, as many below 10^5 as above") {
  Share low;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  std::int64_t most = 0;
  each_bid({}, 200'000, [&](const Bid& bid, std::int64_t, std::int64_t) {
    least = std::min(least, bid.price);
    most = std::max(most, bid.price);
    low.count(bid.price < 100'000);
  });
  CHECK(least == 100);
  CHECK(most <= 100'000'000);
  CHECK(most > 99'000'000);
  CHECK(low.is_about(0.5));
}

TEST_CASE("half of the bids come by four channels, the others by 10,000") {
  std::map<std::string, int> hot;
  std::map<std::string, std::string> others;
  Share hot_share;
  Share with_id;
  each_bid({}, 500'000, [&](const Bid& bid, std::int64_t, std::int64_t) {
    REQUIRE(bid.url.starts_with("https://www.nexmark.com/"));
    REQUIRE(std::count(bid.url.begin(), bid.url.end(), '/') == 6);
    bool is_hot = !bid.channel.starts_with("channel-");
    hot_share.count(is_hot);
    if (is_hot) {
      ++hot[std::string(bid.channel)];
      return;
    }
    // A channel has one url.
    auto [at, is_new] = others.emplace(bid.channel, bid.url);
    REQUIRE(at->second == bid.url);
    if (is_new) with_id.count(bid.url.find("&channel_id=") != bid.url.npos);
  });
  CHECK(hot_share.is_about(0.5));
  CHECK(hot.size() == 4);
  CHECK(hot.contains("Apple"));
  CHECK(others.size() == 10'000);
  CHECK(with_id.is_about(0.9));
  // The number's bits from the last to the first, as long as one channel of these has an id.
  int with_right_id = 0;
  for (auto [channel, id] : {std::pair{"channel-1", "2147483648"},
                             {"channel-3", "1073741824"},
                             {"channel-4", "536870912"},
                             {"channel-5", "1610612736"}})
    if (others[channel].ends_with(std::string("&channel_id=") + id)) ++with_right_id;
  CHECK(with_right_id >= 2);
}

TEST_CASE("extra makes up the average size, give or take a fifth") {
  NexmarkOptions options;
  NexmarkGenerator generator(options);
  double bytes = 0;
  int auctions = 0;
  for (int i = 0; i < 100'000; ++i) {
    const NexmarkEvent& event = generator.next();
    if (const auto* bid = std::get_if<Bid>(&event)) {
      REQUIRE(bid->extra.size() >= 54);
      REQUIRE(bid->extra.size() < 82);
    }
    if (const auto* auction = std::get_if<Auction>(&event)) {
      bytes += static_cast<double>(48 + auction->item_name.size() + auction->description.size() +
                                   auction->extra.size());
      ++auctions;
      REQUIRE(auction->item_name.size() < 20);
      REQUIRE(auction->description.size() < 100);
    }
  }
  CHECK(std::abs(bytes / auctions - 500) < 5);
  options.average_bid_bytes = 10;  // less than its numbers take
  each_bid(options, 1000,
           [](const Bid& bid, std::int64_t, std::int64_t) { REQUIRE(bid.extra.empty()); });
}

TEST_CASE("auctions last until a hundred others have begun, on average") {
  NexmarkGenerator generator({});
  double sum_ms = 0;
  int auctions = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto* auction = std::get_if<Auction>(&generator.next());
    if (!auction) continue;
    std::int64_t length_ms = auction->expires_ms - auction->date_time_ms;
    REQUIRE(length_ms >= 1);
    REQUIRE(length_ms <= 2 * 167);
    sum_ms += static_cast<double>(length_ms);
    ++auctions;
  }
  CHECK(std::abs(sum_ms / auctions - 167) < 4);
}

TEST_CASE("the rate says how dense events are, from a time at which windows begin") {
  NexmarkOptions options;
  options.rate = 1000;
  NexmarkGenerator generator(options);
  for (int i = 0; i < 1000; ++i) REQUIRE(time_of(generator.next()) == options.base_time_ms + i);
  CHECK(options.base_time_ms % 86'400'000 == 0);
}

TEST_CASE("a stream that begins later is the rest of one that begins at 0") {
  NexmarkOptions options;
  NexmarkGenerator whole(options);
  options.first_event = 12'345;
  NexmarkGenerator rest(options);
  for (std::uint64_t i = 0; i < options.first_event; ++i) whole.next();
  for (int i = 0; i < 500; ++i) {
    const NexmarkEvent& one = whole.next();
    const NexmarkEvent& other = rest.next();
    REQUIRE(one.index() == other.index());
    REQUIRE(id_of(one) == id_of(other));
    REQUIRE(time_of(one) == time_of(other));
    const auto* bid = std::get_if<Bid>(&one);
    if (!bid) continue;
    REQUIRE(bid->extra == std::get<Bid>(other).extra);
    REQUIRE(bid->url == std::get<Bid>(other).url);
    REQUIRE(bid->price == std::get<Bid>(other).price);
  }
}

TEST_CASE("delayed events keep their time, and nothing else changes") {
  NexmarkOptions options;
  options.disorder = 0.1;
  options.disorder_ms = 100;
  NexmarkGenerator generator(options);
  std::int64_t newest_ms = 0;
  int behind = 0;
  std::set<std::int64_t> persons;
  for (int i = 0; i < 100'000; ++i) {
    const NexmarkEvent& event = generator.next();
    if (std::holds_alternative<Person>(event)) REQUIRE(persons.insert(id_of(event)).second);
    if (time_of(event) < newest_ms) ++behind;
    REQUIRE(time_of(event) >= newest_ms - 100);
    newest_ms = std::max(newest_ms, time_of(event));
  }
  CHECK(behind > 9'000);
  CHECK(behind < 11'000);
}

TEST_CASE("texts stay where they are as long as the generator") {
  NexmarkGenerator generator({});
  std::vector<std::pair<std::string_view, std::string>> texts;
  for (int i = 0; i < 20'000; ++i) {
    const NexmarkEvent& event = generator.next();
    auto keep = [&](std::string_view text) { texts.emplace_back(text, std::string(text)); };
    if (const auto* person = std::get_if<Person>(&event)) {
      keep(person->name);
      keep(person->email_address);
      keep(person->credit_card);
      keep(person->city);
    } else if (const auto* auction = std::get_if<Auction>(&event)) {
      keep(auction->description);
      keep(auction->extra);
    } else {
      keep(std::get<Bid>(event).url);
    }
  }
  for (const auto& [view, text] : texts) REQUIRE(view == text);
}

TEST_SUITE_END();

}  // namespace leat::generate
