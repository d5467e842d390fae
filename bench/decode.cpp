// How fast values become columns, on one core: events of 105 bytes with four fields, all of them
// wanted, beside simdjson on-demand reading the same fields and keeping none.
//
//   bench-decode [--events N]
//
// Prints for JSON as it is mostly, with every other event's members in another order, with the
// fields nested, with one field of four wanted, and for the same as CSV: millions of events a
// second, and the ratio to simdjson's. The best of several rounds counts, since machines are
// shared.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <simdjson.h>

#include "column/csv_decoder.h"
#include "column/json_decoder.h"
#include "column/timestamp.h"

using namespace leat;
using column::Type;

namespace {

constexpr int rounds = 7;
constexpr std::size_t block_rows = 1024;

[[noreturn]] void quit(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

/// Texts one behind the other, with padding.
struct Buffer {
  void add(const std::string& one) {
    text += one;
    ends.push_back(text.size());
  }
  std::string text;
  std::vector<std::size_t> ends;
};

/// The four fields of event `n`, in a format with places {0} to {3}.
std::string event(std::string_view format, std::size_t n) {
  std::string time;
  column::append_timestamp(time, {1'442'018'700'001 + static_cast<std::int64_t>(n * 37)});
  return fmt::format(fmt::runtime(format), time, fmt::format("user-{:014}", n * 7919 % 999'999'999),
                     n % 3 == 0 ? "#en.wikipedia" : "#de.wikipedia", n * 31 % 100'000'000);
}

Buffer make(std::size_t events, std::initializer_list<std::string_view> formats) {
  Buffer buffer;
  for (std::size_t n = 0; n < events; ++n) {
    buffer.add(event(formats.begin()[n % formats.size()], n));
  }
  buffer.text.append(simdjson::SIMDJSON_PADDING, ' ');
  return buffer;
}

/// Millions of events a second.
double rate(std::size_t events, auto work) {
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    std::clock_t begin = std::clock();
    work();
    best = std::min(best, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return static_cast<double>(events) / best / 1e6;
}

double simdjson_rate(const Buffer& buffer) {
  std::uint64_t sum = 0;
  simdjson::ondemand::parser parser;
  double found = rate(buffer.ends.size(), [&] {
    std::size_t begin = 0;
    for (std::size_t end : buffer.ends) {
      simdjson::padded_string_view padded(buffer.text.data() + begin, end - begin,
                                          buffer.text.size() - begin);
      auto document = parser.iterate(padded);
      std::string_view time, user, channel;
      std::int64_t added = 0;
      if (document["time"].get(time) || document["user"].get(user) ||
          document["channel"].get(channel) || document["added"].get(added)) {
        quit("simdjson does not find a field");
      }
      sum += time.size() + user.size() + channel.size() + static_cast<std::uint64_t>(added);
      begin = end;
    }
  });
  if (sum == 0) quit("nothing was read");
  return found;
}

template <class Decoder>
double decoder_rate(Decoder& decoder, const Buffer& buffer, const std::vector<Type>& types) {
  std::vector<column::Vector> columns;
  for (const auto& type : types) columns.emplace_back(type).resize(block_rows);
  return rate(buffer.ends.size(), [&] {
    std::size_t begin = 0, row = 0;
    for (std::size_t end : buffer.ends) {
      std::string_view value(buffer.text.data() + begin, end - begin);
      if (!decoder.decode(value, columns, row)) quit(decoder.reason());
      begin = end;
      if (++row < block_rows) continue;
      row = 0;
      for (auto& column : columns) column.reset();
    }
  });
}

const std::vector<Type> types{Type::timestamp, Type::text, Type::text, Type::bigint};

column::JsonDecoder json_decoder(const std::vector<std::string>& outer, std::size_t wanted = 4) {
  std::vector<column::JsonField> fields;
  const char* names[] = {"time", "user", "channel", "added"};
  for (std::size_t i = 4 - wanted; i < 4; ++i) {
    column::JsonPath path(outer.begin(), outer.end());
    path.emplace_back(names[i]);
    fields.push_back({names[i], types[i], path, i});
  }
  return column::JsonDecoder(std::move(fields));
}

void report(const std::string& what, double found, double reference) {
  fmt::print("{:<28} {:6.2f} M events/s, ratio {:.2f}\n", what, found, found / reference);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t events = 300'000;
  if (argc == 3 && argv[1] == std::string_view("--events")) {
    events = std::strtoull(argv[2], nullptr, 10);
  } else if (argc != 1) {
    quit("usage: bench-decode [--events N]");
  }
  constexpr std::string_view plain = R"({{"time":"{0}","user":"{1}","channel":"{2}","added":{3}}})";
  constexpr std::string_view other = R"({{"user":"{1}","time":"{0}","added":{3},"channel":"{2}"}})";
  constexpr std::string_view nested =
      R"({{"edit":{{"by":{{"time":"{0}","user":"{1}","channel":"{2}","added":{3}}}}}}})";
  auto simple = make(events, {plain});
  double reference = simdjson_rate(simple);
  fmt::print("{} events of {} bytes\n", events, simple.text.size() / simple.ends.size());
  report("simdjson on-demand", reference, reference);
  auto four = json_decoder({});
  report("JSON", decoder_rate(four, simple, types), reference);
  auto one = json_decoder({}, 1);
  report("JSON, one field", decoder_rate(one, simple, types), reference);
  auto mixed = make(events, {plain, other});
  report("JSON, two orders", decoder_rate(four, mixed, types), reference);
  auto deep = json_decoder({"edit", "by"});
  auto inner = make(events, {nested});
  report("JSON, nested", decoder_rate(deep, inner, types), reference);
  std::vector<column::CsvField> fields;
  for (std::size_t i = 0; i < 4; ++i) fields.push_back({types[i], i, {}, i});
  column::CsvDecoder csv(fields, 4);
  auto lines = make(events, {"{0},{1},{2},{3}"});
  report("CSV", decoder_rate(csv, lines, types), reference);
  return 0;
}
