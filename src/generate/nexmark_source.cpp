#include "generate/nexmark_source.h"

#include <string>

#include "generate/json_writer.h"
#include "generate/nexmark.h"

namespace leat::generate {

namespace {

std::int64_t write_event(JsonWriter& json, const Person& person) {
  json.open("person");
  json.number("id", person.id);
  json.text("name", person.name);
  json.text("emailAddress", person.email_address);
  json.text("creditCard", person.credit_card);
  json.text("city", person.city);
  json.text("state", person.state);
  json.time("dateTime", person.date_time_ms);
  json.text("extra", person.extra);
  return person.id;
}

std::int64_t write_event(JsonWriter& json, const Auction& auction) {
  json.open("auction");
  json.number("id", auction.id);
  json.text("itemName", auction.item_name);
  json.text("description", auction.description);
  json.number("initialBid", auction.initial_bid);
  json.number("reserve", auction.reserve);
  json.time("dateTime", auction.date_time_ms);
  json.time("expires", auction.expires_ms);
  json.number("seller", auction.seller);
  json.number("category", auction.category);
  json.text("extra", auction.extra);
  return auction.id;
}

std::int64_t write_event(JsonWriter& json, const Bid& bid) {
  json.open("bid");
  json.number("auction", bid.auction);
  json.number("bidder", bid.bidder);
  json.number("price", bid.price);
  json.text("channel", bid.channel);
  json.text("url", bid.url);
  json.time("dateTime", bid.date_time_ms);
  json.text("extra", bid.extra);
  return bid.auction;
}

NexmarkOptions options_of(const Traits& traits) {
  NexmarkOptions options;
  options.seed = traits.seed;
  options.base_time_ms = traits.start_ms;
  options.rate = traits.rate;
  return options;
}

class Nexmark final : public Source {
 public:
  explicit Nexmark(const Traits& traits) : generator_(options_of(traits)) {}

  void write(std::uint64_t number, std::int64_t time_ms, std::string& key,
             std::string& value) const override {
    NexmarkEvent event;
    generator_.make(number, time_ms, event);
    JsonWriter json(value);
    json.open();
    json.number("event_type", static_cast<std::int64_t>(event.index()));
    auto id = std::visit([&](const auto& one) { return write_event(json, one); }, event);
    json.close();
    json.close();
    key += std::to_string(id);
  }

 private:
  NexmarkGenerator generator_;
};

}  // namespace

std::unique_ptr<const Source> make_nexmark(const Traits& traits) {
  return std::make_unique<Nexmark>(traits);
}

}  // namespace leat::generate
