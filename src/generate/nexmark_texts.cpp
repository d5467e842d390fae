#include "generate/nexmark_texts.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"
#include "generate/chance.h"
#include "generate/nexmark.h"

namespace leat::generate {

namespace {

constexpr std::size_t letters_bytes = 1 << 20;
constexpr std::size_t words_bytes = 64 << 10;
constexpr std::size_t text_bytes_min = 3;
constexpr std::size_t people_pool = 10'000;  // how many addresses and cards there are

constexpr std::array<std::string_view, 11> first_names{
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array<std::string_view, 9> last_names{
    "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"};
constexpr std::array<std::string_view, 10> cities{
    "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
    "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array<std::string_view, 6> states{"AZ", "CA", "ID", "OR", "WA", "WY"};

template <class Range>
const auto& chosen(const Range& range, std::uint32_t bits) {
  return range[scaled(bits, range.size())];
}

std::string random_letters(Random& random, std::size_t bytes) {
  std::string text(bytes, 'a');
  for (char& c : text) c = static_cast<char>('a' + random.below(26));
  return text;
}

/// One letter in 13 is `special`.
std::string random_words(Random& random, std::size_t bytes, char special) {
  std::string text = random_letters(random, bytes);
  for (char& c : text)
    if (random.one_in(13)) c = special;
  return text;
}

std::size_t random_size(Random& random, std::size_t bytes) {
  return text_bytes_min + random.below(bytes - text_bytes_min);
}

std::string_view trimmed(std::string_view text) {
  std::size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

std::string random_url(Random& random) {
  std::string url = "https://www.nexmark.com/";
  for (int i = 0; i < 3; ++i) url += random_words(random, random_size(random, 5), '_') + '/';
  return url + "item.htm?query=1";
}

/// The bits of `number` from the last to the first, without the sign that Java would read in them.
std::uint32_t channel_id(std::uint32_t number) {
  std::uint32_t reversed = 0;
  for (int i = 0; i < 32; ++i) reversed |= ((number >> i) & 1) << (31 - i);
  return reversed >> 31 ? 0 - reversed : reversed;
}

}  // namespace

NexmarkTexts::NexmarkTexts(std::uint64_t seed) {
  Random random(seed);
  letters_ = random_letters(random, letters_bytes);
  words_ = random_words(random, words_bytes + bytes_max, ' ');
  for (std::string_view first : first_names)
    for (std::string_view last : last_names) names_.push_back(fmt::format("{} {}", first, last));
  for (std::size_t i = 0; i < people_pool; ++i) {
    std::string user = random_words(random, random_size(random, 7), ' ');
    std::string host = random_words(random, random_size(random, 5), ' ');
    email_addresses_.push_back(fmt::format("{}@{}.com", trimmed(user), trimmed(host)));
    std::array<std::uint64_t, 4> parts;
    for (std::uint64_t& part : parts) part = random.below(10'000);
    credit_cards_.push_back(
        fmt::format("{:04} {:04} {:04} {:04}", parts[0], parts[1], parts[2], parts[3]));
  }
  make_channels(random);
}

void NexmarkTexts::make_channels(Random& random) {
  hot_channels_ = {Channel{"Google", random_url(random)}, Channel{"Facebook", random_url(random)},
                   Channel{"Baidu", random_url(random)}, Channel{"Apple", random_url(random)}};
  for (std::uint32_t i = 0; i < NexmarkGenerator::channels; ++i) {
    std::string url = random_url(random);
    if (!random.one_in(10)) url += fmt::format("&channel_id={}", channel_id(i));
    channels_.push_back({fmt::format("channel-{}", i), std::move(url)});
  }
}

const NexmarkTexts::Channel& NexmarkTexts::hot_channel(std::uint32_t bits) const {
  return chosen(hot_channels_, bits);
}
const NexmarkTexts::Channel& NexmarkTexts::channel(std::uint32_t bits) const {
  return chosen(channels_, bits);
}
std::string_view NexmarkTexts::name(std::uint32_t bits) const {
  return chosen(names_, bits);
}
std::string_view NexmarkTexts::email_address(std::uint32_t bits) const {
  return chosen(email_addresses_, bits);
}
std::string_view NexmarkTexts::credit_card(std::uint32_t bits) const {
  return chosen(credit_cards_, bits);
}
std::string_view NexmarkTexts::city(std::uint32_t bits) {
  return chosen(cities, bits);
}
std::string_view NexmarkTexts::state(std::uint32_t bits) {
  return chosen(states, bits);
}

std::string_view NexmarkTexts::letters(std::size_t bytes, std::uint32_t bits) const {
  ASSERT(bytes <= bytes_max);
  return std::string_view(letters_).substr(scaled(bits, letters_bytes - bytes), bytes);
}

std::string_view NexmarkTexts::words(std::size_t bytes, std::uint64_t bits) const {
  ASSERT(bytes > text_bytes_min && bytes <= bytes_max);
  std::size_t size =
      text_bytes_min + scaled(static_cast<std::uint32_t>(bits >> 32), bytes - text_bytes_min);
  std::size_t begin = scaled(static_cast<std::uint32_t>(bits), words_bytes);
  return trimmed(std::string_view(words_).substr(begin, size));
}

}  // namespace leat::generate
