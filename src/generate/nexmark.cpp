#include "generate/nexmark.h"

#include <algorithm>

#include "base/assert.h"
#include "generate/chance.h"
#include "generate/nexmark_texts.h"

namespace leat::generate {

namespace {

// Of so many events the first is a person, the next ones are auctions, the others bids.
constexpr std::uint64_t events_per_epoch = 50;
constexpr std::uint64_t auctions_per_epoch = 3;
/// One person and one auction of so many may be hot: the first one, and as a bidder the second.
constexpr std::int64_t hot_one_of = 100;

std::uint32_t high(std::uint64_t bits) {
  return static_cast<std::uint32_t>(bits >> 32);
}
std::uint32_t low(std::uint64_t bits) {
  return static_cast<std::uint32_t>(bits);
}
std::int64_t hot(std::int64_t last) {
  return last / hot_one_of * hot_one_of;
}

Traits arrival_traits(const NexmarkOptions& options) {
  Traits traits;
  traits.seed = options.seed;
  traits.first_event = options.first_event;
  traits.start_ms = options.base_time_ms;
  traits.rate = options.rate;
  traits.group = options.group;
  traits.disorder = options.disorder;
  traits.disorder_ms = options.disorder_ms;
  return traits;
}

}  // namespace

NexmarkGenerator::NexmarkGenerator(const NexmarkOptions& options)
    : options_(options),
      seed_(seed_for(Purpose::nexmark, options.seed)),
      arrivals_(arrival_traits(options)),
      texts_(std::make_unique<NexmarkTexts>(seed_for(Purpose::nexmark_texts, options.seed))),
      event_(Bid{}) {
  ASSERT(options.hot_auction_ratio > 0 && options.hot_seller_ratio > 0 &&
         options.hot_bidder_ratio > 0);
  ASSERT(std::max({options.average_person_bytes, options.average_auction_bytes,
                   options.average_bid_bytes}) <= NexmarkTexts::bytes_max / 2);
}
NexmarkGenerator::~NexmarkGenerator() = default;

void NexmarkGenerator::make(std::uint64_t number, std::int64_t time_ms, NexmarkEvent& event) const {
  std::uint64_t place = number % events_per_epoch;
  if (place > auctions_per_epoch)
    make_bid(number, time_ms, event.emplace<Bid>());
  else if (place > 0)
    make_auction(number, time_ms, event.emplace<Auction>());
  else
    make_person(number, time_ms, event.emplace<Person>());
}

void NexmarkGenerator::make_person(std::uint64_t number, std::int64_t time_ms,
                                   Person& person) const {
  Random random(seed_ + number);
  std::uint64_t bits = random.next();
  person.id = static_cast<std::int64_t>(number / events_per_epoch) + first_person_id;
  person.name = texts_->name(high(bits));
  person.email_address = texts_->email_address(low(bits));
  bits = random.next();
  person.credit_card = texts_->credit_card(high(bits));
  person.city = NexmarkTexts::city(low(bits));
  person.state = NexmarkTexts::state(high(random.next()));
  person.date_time_ms = time_ms;
  std::size_t bytes = 8 + person.name.size() + person.email_address.size() +
                      person.credit_card.size() + person.city.size() + person.state.size();
  person.extra = extra(bytes, options_.average_person_bytes, random.next());
}

void NexmarkGenerator::make_auction(std::uint64_t number, std::int64_t time_ms,
                                    Auction& auction) const {
  Random random(seed_ + number);
  auto epoch = static_cast<std::int64_t>(number / events_per_epoch);  // and the last person
  auto place = static_cast<std::int64_t>(number % events_per_epoch);
  constexpr auto per_epoch = static_cast<std::int64_t>(auctions_per_epoch);
  auction.id = epoch * per_epoch + place - 1 + first_auction_id;
  std::uint64_t bits = random.next();
  bool is_hot = scaled(high(bits), options_.hot_seller_ratio) > 0;
  auction.seller = (is_hot ? hot(epoch) : any_person(epoch, low(bits))) + first_person_id;
  bits = random.next();
  auction.category = static_cast<std::int64_t>(scaled(high(bits), categories)) + first_category;
  auction.initial_bid = price(random.next());
  auction.reserve = auction.initial_bid + price(random.next());
  auction.item_name = texts_->words(20, random.next());
  auction.description = texts_->words(100, random.next());
  auction.date_time_ms = time_ms;
  // For as long as it takes until in_flight_auctions others have begun, on average.
  std::uint64_t ahead = options_.in_flight_auctions * events_per_epoch / auctions_per_epoch;
  std::int64_t horizon_ms = arrivals_.timeline().time_ms(number + ahead) - time_ms;
  auction.expires_ms = time_ms + random.between(1, std::max<std::int64_t>(horizon_ms * 2, 1));
  std::size_t bytes = 8 + auction.item_name.size() + auction.description.size() + 8 * 5;
  auction.extra = extra(bytes, options_.average_auction_bytes, random.next());
}

void NexmarkGenerator::make_bid(std::uint64_t number, std::int64_t time_ms, Bid& bid) const {
  Random random(seed_ + number);
  auto epoch = static_cast<std::int64_t>(number / events_per_epoch);
  std::int64_t last_person = epoch;
  auto last_auction = (epoch + 1) * static_cast<std::int64_t>(auctions_per_epoch) - 1;
  std::uint64_t bits = random.next();
  bool is_hot = scaled(high(bits), options_.hot_auction_ratio) > 0;
  bid.auction =
      (is_hot ? hot(last_auction) : any_auction(last_auction, low(bits))) + first_auction_id;
  bits = random.next();
  is_hot = scaled(high(bits), options_.hot_bidder_ratio) > 0;
  bid.bidder =
      (is_hot ? hot(last_person) + 1 : any_person(last_person, low(bits))) + first_person_id;
  bits = random.next();
  bid.price = price(bits);
  bool has_hot_channel = (bits & 1) != 0;
  bits = random.next();
  const auto& channel =
      has_hot_channel ? texts_->hot_channel(high(bits)) : texts_->channel(high(bits));
  bid.channel = channel.name;
  bid.url = channel.url;
  bid.date_time_ms = time_ms;
  bid.extra = extra(8 * 4, options_.average_bid_bytes, random.next());
}

std::int64_t NexmarkGenerator::any_person(std::int64_t last_person, std::uint32_t bits) const {
  std::int64_t people = last_person + 1;
  std::int64_t active = std::min<std::int64_t>(people, options_.active_people);
  auto chosen = scaled(bits, static_cast<std::uint64_t>(active) + id_lead);
  return people - active + static_cast<std::int64_t>(chosen);
}

std::int64_t NexmarkGenerator::any_auction(std::int64_t last_auction, std::uint32_t bits) const {
  std::int64_t first = std::max<std::int64_t>(last_auction - options_.in_flight_auctions, 0);
  auto chosen = scaled(bits, static_cast<std::uint64_t>(last_auction - first) + 1 + id_lead);
  return first + static_cast<std::int64_t>(chosen);
}

std::int64_t NexmarkGenerator::price(std::uint64_t bits) const {
  return prices_.at(static_cast<std::uint32_t>(bits >> 34));
}

/// Letters, a fifth more or less of what `bytes` lack to the average.
std::string_view NexmarkGenerator::extra(std::size_t bytes, std::uint32_t average_bytes,
                                         std::uint64_t bits) const {
  if (bytes > average_bytes) return {};
  std::uint64_t wanted = average_bytes - bytes;
  std::uint64_t fifth = (wanted + 2) / 5;
  return texts_->letters(wanted - fifth + scaled(high(bits), 2 * fifth), low(bits));
}

}  // namespace leat::generate
