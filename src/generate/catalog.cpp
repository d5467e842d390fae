#include "generate/catalog.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "generate/chance.h"
#include "generate/json_writer.h"

namespace leat::generate {

namespace {

constexpr std::int64_t unknown_one_of = 50;

constexpr std::array<std::string_view, 12> first_names{
    "Ada", "Bo", "Chen", "Dara", "Emil", "Fatma", "Gil", "Hana", "Ivo", "Jun", "Kofi", "Nora"};
constexpr std::array<std::string_view, 10> last_names{"Berg", "Costa", "Diaz",  "Ekberg", "Fuchs",
                                                      "Gray", "Haas",  "Ilves", "Jansen", "Kaya"};
constexpr std::array<std::string_view, 3> segments{"consumer", "business", "premium"};
constexpr std::array<std::string_view, 8> colours{"red",   "blue",  "green", "black",
                                                  "white", "brown", "grey",  "yellow"};
constexpr std::array<std::string_view, 25> things{
    "lamp",  "chair", "mug",   "scarf",  "pen",    "bowl",   "clock", "shelf",  "rug",
    "vase",  "desk",  "plate", "hat",    "ruler",  "spade",  "bench", "kettle", "apron",
    "stool", "glove", "tray",  "folder", "basket", "carafe", "frame"};
static_assert(colours.size() * things.size() == product_count);
constexpr std::array<std::string_view, 5> categories{"home", "kitchen", "office", "clothes",
                                                     "garden"};

/// A choice that a member of a table makes anew every fifth round, a fifth of the members in each.
std::uint64_t choice_in_round(std::uint64_t seed, std::uint64_t member, std::uint64_t round) {
  constexpr std::uint64_t rounds = 5;
  std::uint64_t choice = (round + member % rounds) / rounds;
  return Random(seed + choice * UINT32_MAX + member).next();
}

class Customers final : public Source {
 public:
  explicit Customers(const Traits& traits)
      : seed_(seed_for(Purpose::customers, traits.seed)),
        known_(static_cast<std::uint64_t>(known_customers(traits))) {}

  void write(std::uint64_t number, std::int64_t, std::string& key,
             std::string& value) const override {
    std::uint64_t place = number % known_;
    // The last of every 50 is left out.
    std::uint64_t customer = place + place / (unknown_one_of - 1);
    Random random(seed_ + customer);
    std::string_view first = first_names[random.below(first_names.size())];
    std::string_view last = last_names[random.below(last_names.size())];
    std::uint64_t choice = choice_in_round(seed_, customer, number / known_);
    std::string id = customer_id(customer);
    key += id;
    JsonWriter json(value);
    json.open();
    json.text("customer_id", id);
    json.text("customer_name", fmt::format("{} {}", first, last));
    json.text("customer_segment", segments[choice % segments.size()]);
    json.close();
  }

 private:
  std::uint64_t seed_;
  std::uint64_t known_;
};

class Products final : public Source {
 public:
  explicit Products(const Traits& traits) : seed_(seed_for(Purpose::products, traits.seed)) {}

  void write(std::uint64_t number, std::int64_t, std::string& key,
             std::string& value) const override {
    std::uint64_t product = number % product_count;
    std::uint64_t choice = choice_in_round(seed_, product, number / product_count);
    std::string id = product_id(product);
    std::string_view colour = colours[product % colours.size()];
    std::string_view thing = things[product / colours.size()];
    key += id;
    JsonWriter json(value);
    json.open();
    json.text("product_id", id);
    json.text("product_name", fmt::format("{} {}", colour, thing));
    json.text("category", categories[choice % categories.size()]);
    json.close();
  }

 private:
  std::uint64_t seed_;
};

}  // namespace

std::string customer_id(std::uint64_t customer) {
  return fmt::format("c{}", customer);
}

std::string product_id(std::uint64_t product) {
  return fmt::format("p{}", product);
}

std::int64_t product_cents(std::uint64_t product) {
  constexpr std::uint64_t cheapest = 199;
  constexpr std::uint64_t range = 20'000;
  return static_cast<std::int64_t>(cheapest + Random(product).below(range));
}

std::int64_t known_customers(const Traits& traits) {
  return traits.keys - traits.keys / unknown_one_of;
}

std::unique_ptr<const Source> make_customers(const Traits& traits) {
  return std::make_unique<Customers>(traits);
}

std::unique_ptr<const Source> make_products(const Traits& traits) {
  return std::make_unique<Products>(traits);
}

}  // namespace leat::generate
