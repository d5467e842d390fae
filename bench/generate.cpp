// How fast events are made up, in seconds of one core's time: Nexmark's in the process, as
// bench/nexmark takes them, and every kind as JSON; beside a memcpy of as many bytes.
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "base/assert.h"
#include "generate/event_stream.h"
#include "generate/kinds.h"
#include "generate/nexmark.h"

using namespace leat;
using namespace leat::generate;

namespace {

constexpr int rounds = 9;

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Seconds of CPU that the best round took: others use the machine too.
template <class Run>
double best_seconds(Run run) {
  double best = 1e9;
  for (int i = 0; i < rounds; ++i) {
    double start = cpu_seconds();
    run();
    best = std::min(best, cpu_seconds() - start);
  }
  return best;
}

template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// Seconds for a memcpy of so many bytes from memory to memory.
double memcpy_seconds(std::size_t bytes) {
  std::vector<char> from(bytes, 'x');
  std::vector<char> to(bytes, 'y');
  return best_seconds([&] {
    std::memcpy(to.data(), from.data(), bytes);
    keep(to);
  });
}

void print(const std::string& what, std::size_t events, std::size_t bytes, double seconds) {
  double copy = memcpy_seconds(bytes);
  fmt::print("{:<34} {:>6.2f} M events/s {:>6.0f} MB/s  {:>5.1f} times memcpy's time\n", what,
             static_cast<double>(events) / seconds / 1e6,
             static_cast<double>(bytes) / seconds / 1e6, seconds / copy);
}

/// The bytes of an event's columns: numbers take 8.
std::size_t column_bytes(const NexmarkEvent& event) {
  if (const auto* bid = std::get_if<Bid>(&event))
    return 8 * 4 + bid->channel.size() + bid->url.size() + bid->extra.size();
  if (const auto* auction = std::get_if<Auction>(&event))
    return 8 * 7 + auction->item_name.size() + auction->description.size() + auction->extra.size();
  const auto& person = std::get<Person>(event);
  return 8 * 2 + person.name.size() + person.email_address.size() + person.credit_card.size() +
         person.city.size() + person.state.size() + person.extra.size();
}

/// Columns of bids as a program of its own would keep them.
struct BidColumns {
  std::vector<std::int64_t> auction, bidder, price, date_time_ms;
  std::vector<std::string_view> channel, url, extra;

  void clear() {
    for (auto* column : {&auction, &bidder, &price, &date_time_ms}) column->clear();
    for (auto* column : {&channel, &url, &extra}) column->clear();
  }
  void add(const Bid& bid) {
    auction.push_back(bid.auction);
    bidder.push_back(bid.bidder);
    price.push_back(bid.price);
    date_time_ms.push_back(bid.date_time_ms);
    channel.push_back(bid.channel);
    url.push_back(bid.url);
    extra.push_back(bid.extra);
  }
};

void measure_nexmark(const std::string& what, const NexmarkOptions& options) {
  constexpr std::size_t events = 2'000'000;
  constexpr std::size_t rows_per_chunk = 4096;
  std::size_t bytes = 0;
  NexmarkGenerator counted(options);
  for (std::size_t i = 0; i < events; ++i) bytes += column_bytes(counted.next());
  NexmarkGenerator made(options);
  double seconds = best_seconds([&] {
    for (std::size_t i = 0; i < events; ++i) keep(made.next());
  });
  print(what, events, bytes, seconds);
  NexmarkGenerator filled(options);
  BidColumns columns;
  seconds = best_seconds([&] {
    for (std::size_t i = 0; i < events; ++i) {
      if (const auto* bid = std::get_if<Bid>(&filled.next())) columns.add(*bid);
      if (columns.auction.size() < rows_per_chunk) continue;
      keep(columns);
      columns.clear();
    }
  });
  print("  and bids put into columns", events, bytes, seconds);
}

void measure_json(const Kind& kind) {
  constexpr std::size_t events = 200'000;
  EventStream stream(kind.make(kind.defaults), kind.defaults);
  std::size_t bytes = 0;
  double seconds = best_seconds([&] {
    bytes = 0;
    for (std::size_t i = 0; i < events; ++i) {
      const Event* event = stream.next();
      ASSERT(event != nullptr);
      bytes += event->value.size();
    }
  });
  print(fmt::format("{} as JSON", kind.name), events, bytes, seconds);
}

}  // namespace

int main() {
  NexmarkOptions options;
  measure_nexmark("nexmark", options);
  options.disorder = 0.1;
  measure_nexmark("nexmark, a tenth delayed up to 3 s", options);
  for (const Kind& kind : kinds()) measure_json(kind);
}
