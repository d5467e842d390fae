#include "generate/clicks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "generate/catalog.h"
#include "generate/chance.h"
#include "generate/drift.h"
#include "generate/json_writer.h"
#include "generate/keys.h"

namespace leat::generate {

namespace {

struct Device {
  std::string_view type;
  std::string_view os;
};
struct Place {
  std::string_view country;
  std::string_view city;
};
constexpr std::array<Device, 5> devices{{{"mobile", "android"},
                                         {"mobile", "ios"},
                                         {"desktop", "windows"},
                                         {"desktop", "linux"},
                                         {"tablet", "ios"}}};
constexpr std::array<Place, 8> places{{{"DE", "Berlin"},
                                       {"DE", "Hamburg"},
                                       {"FR", "Lyon"},
                                       {"NL", "Utrecht"},
                                       {"PL", "Poznan"},
                                       {"US", "Seattle"},
                                       {"US", "Boston"},
                                       {"JP", "Osaka"}}};

/// Who clicks, and in which visit.
struct Visit {
  std::uint64_t user;
  std::uint64_t session;
  Device device;
  Place place;
};

class Clicks final : public Source {
 public:
  explicit Clicks(const Traits& traits)
      : seed_(seed_for(Purpose::clicks, traits.seed)),
        session_seed_(seed_for(Purpose::sessions, traits.seed)),
        visitors_(std::max<std::uint64_t>(1, std::llround(traits.rate * seconds_between_clicks))),
        keys_(traits),
        drift_(traits) {}

  void write(std::uint64_t number, std::int64_t time_ms, std::string& key,
             std::string& value) const override {
    Random random(seed_ + number);
    Drift drift = drift_.of(number);
    Visit visit = choose_visit(number, random);
    std::string user = fmt::format("u{}", visit.user);
    key += user;
    JsonWriter json(value);
    json.open();
    json.text("click_id", fmt::format("k{}", number));
    json.text("user_id", user);
    json.text("session_id", fmt::format("s{}", visit.session));
    write_page(json, random);
    write_drifting(json, drift, "duration_ms", "durationMs",
                   std::to_string(random.between(100, 30'000)));
    json.open("device");
    json.text("type", visit.device.type);
    json.text("os", visit.device.os);
    json.close();
    json.open("geo");
    json.text("country", visit.place.country);
    json.text("city", visit.place.city);
    json.close();
    json.time("timestamp", time_ms);
    if (drift == Drift::added) json.text("campaign", random.one_in(3) ? "mail" : "search");
    json.close();
  }

 private:
  static constexpr double seconds_between_clicks = 10;
  static constexpr std::uint64_t clicks_per_session = 12;

  Visit choose_visit(std::uint64_t number, Random& random) const {
    std::uint64_t visitor = random.below(visitors_);
    // Each visitor's session ends after so many clicks of all, one visitor's after the other's.
    std::uint64_t sessions_before = (number / clicks_per_session + visitor) / visitors_;
    std::uint64_t session = sessions_before * visitors_ + visitor;
    bool is_hot = keys_.is_hot(random);
    if (is_hot) session = keys_.hot_key(random);
    Random of_session(session_seed_ + session * 2 + is_hot);
    std::uint64_t user = keys_.any_key(of_session);
    if (is_hot) user = session;
    const Device& device = devices[of_session.below(devices.size())];
    const Place& place = places[of_session.below(places.size())];
    return {user, session * 2 + is_hot, device, place};
  }

  static void write_page(JsonWriter& json, Random& random) {
    constexpr std::array<std::string_view, 4> pages{"/", "/search", "/basket", "/account"};
    constexpr std::array<std::string_view, 4> referrers{"/", "/search", "https://example.com/",
                                                        "https://example.org/news"};
    std::vector<std::string> shown;
    bool is_product = random.one_in(2);
    std::uint64_t others = random.below(4);
    if (is_product) shown.push_back(product_id(random.below(product_count)));
    for (std::uint64_t i = 0; i < others; ++i)
      shown.push_back(product_id(random.below(product_count)));
    if (is_product)
      json.text("page", "/products/" + shown.front());
    else
      json.text("page", pages[random.below(pages.size())]);
    if (random.one_in(4))
      json.null("referrer");
    else
      json.text("referrer", referrers[random.below(referrers.size())]);
    json.texts("shown", shown);
  }

  std::uint64_t seed_;
  std::uint64_t session_seed_;
  std::uint64_t visitors_;  // at a time
  Keys keys_;
  DriftChoice drift_;
};

}  // namespace

std::unique_ptr<const Source> make_clicks(const Traits& traits) {
  return std::make_unique<Clicks>(traits);
}

}  // namespace leat::generate
