// What it costs to check, read and build a record batch, per codec, beside what memory and the CRC
// allow: every figure is taken in this run, and the ratios are what may be quoted.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "record/builder.h"
#include "record/record.h"
#include "record/validate.h"

using namespace leat;
using namespace leat::record;

namespace {

constexpr int records_per_batch = 8000;
constexpr double seconds_per_figure = 0.25;

struct Row {
  std::string key;
  std::string value;
};

/// Events of some 105 bytes, as alike and as different as real ones.
std::vector<Row> make_rows() {
  constexpr const char* countries[] = {"NL", "DE", "FR", "US", "JP"};
  Random random(1);
  std::vector<Row> rows;
  for (int i = 0; i < records_per_batch; ++i) {
    auto user = random.below(5000);
    rows.push_back({fmt::format("user-{}", user),
                    fmt::format(R"({{"user":{},"page":"/item/{}","ms":{},"country":"{}","ok":{}}})",
                                user, random.below(100'000), random.below(3000),
                                countries[random.below(5)], random.one_in(2))});
  }
  return rows;
}

Bytes build(const std::vector<Row>& rows, BatchBuilder& builder, Compression compression) {
  std::int64_t time = 1'700'000'000'000;
  for (const Row& row : rows) builder.append(time++, as_bytes(row.key), as_bytes(row.value));
  return builder.build({.compression = compression});
}

/// Bytes a second, of the best of the runs that fit into the time: others use the machine too.
template <class Run>
double rate(std::size_t bytes, Run run) {
  using clock = std::chrono::steady_clock;
  auto until = clock::now() + std::chrono::duration<double>(seconds_per_figure);
  double best = 0;
  do {
    auto start = clock::now();
    run();
    std::chrono::duration<double> took = clock::now() - start;
    best = std::max(best, static_cast<double>(bytes) / took.count());
  } while (clock::now() < until);
  return best;
}

template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

struct Reference {
  double memcpy;
  double crc;
};

void print(std::string_view what, double bytes_per_second, int records, std::size_t bytes,
           const Reference& reference) {
  double records_per_second = bytes_per_second / static_cast<double>(bytes) * records;
  fmt::print(
      "{:<22} {:>7.0f} MB/s {:>6.1f} M records/s  {:>5.1f} % of memcpy {:>6.1f} % of crc32c\n",
      what, bytes_per_second / 1e6, records_per_second / 1e6,
      100 * bytes_per_second / reference.memcpy, 100 * bytes_per_second / reference.crc);
}

void measure(const std::vector<Row>& rows, Compression compression, std::size_t plain_bytes,
             const Reference& reference) {
  BatchBuilder builder;
  Bytes bytes = build(rows, builder, compression);
  Scratch scratch;
  std::string codec(name(compression));
  auto line = [&](const char* what, auto run) {
    print(codec + ' ' + what, rate(plain_bytes, run), records_per_batch, plain_bytes, reference);
  };
  fmt::print("{}: {} bytes, {:.1f} times smaller\n", codec, bytes.size(),
             static_cast<double>(plain_bytes) / static_cast<double>(bytes.size()));
  if (compression != Compression::none) {
    line("decompress", [&] {
      auto payload = decompress(compression, BatchView::parse(bytes)->payload(), scratch);
      ASSERT(payload.has_value());
      keep(*payload);
    });
  }
  line("iterate", [&] {
    RecordIterator records(*BatchView::parse(bytes), scratch);
    std::size_t sum = 0;
    while (const Record* record = records.next()) sum += record->value->size();
    ASSERT(records.error() == nullptr);
    keep(sum);
  });
  line("validate", [&] {
    auto produced = validate_produce(bytes, {.max_message_bytes = max_batch_bytes}, scratch);
    ASSERT(produced.has_value());
    keep(*produced);
  });
  line("build", [&] { keep(build(rows, builder, compression)); });
}

}  // namespace

int main() {
  std::vector<Row> rows = make_rows();
  BatchBuilder builder;
  Bytes plain = build(rows, builder, Compression::none);
  Bytes copy(plain.size());
  Reference reference{};
  reference.memcpy = rate(plain.size(), [&] {
    std::memcpy(copy.data(), plain.data(), plain.size());
    keep(copy);
  });
  reference.crc = rate(plain.size(), [&] { keep(crc32c(plain)); });
  fmt::print("{} records, {} bytes uncompressed; MB are uncompressed bytes throughout\n",
             records_per_batch, plain.size());
  print("memcpy", reference.memcpy, records_per_batch, plain.size(), reference);
  print("crc32c", reference.crc, records_per_batch, plain.size(), reference);
  for (auto compression : {Compression::none, Compression::lz4, Compression::snappy,
                           Compression::zstd, Compression::gzip}) {
    measure(rows, compression, plain.size(), reference);
  }
}
