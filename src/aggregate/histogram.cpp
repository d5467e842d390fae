// In a snapshot:
//
//   histogram := count:u32 (middle:f64 times:u64) *
#include "aggregate/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace leat::aggregate {

namespace {

constexpr int mantissa_bits = 52;

}  // namespace

void Histogram::add(double value, std::uint64_t times) {
  if (value == 0) {
    zeros_ += times;
    return;
  }
  auto bits = std::bit_cast<std::uint64_t>(std::fabs(value));
  auto exponent = static_cast<int>(bits >> mantissa_bits);
  std::size_t place = bits >> (mantissa_bits - digits) & (Counts().size() - 1);
  counts_of(value < 0 ? -exponent - 1 : exponent + 1)[place] += times;
}

Histogram::Counts& Histogram::counts_of(int order) {
  auto at = std::lower_bound(pages_.begin(), pages_.end(), order,
                             [](const Page& page, int wanted) { return page.order < wanted; });
  if (at == pages_.end() || at->order != order) {
    at = pages_.insert(at, {order, std::make_unique<Counts>()});
  }
  return *at->counts;
}

double Histogram::middle(int order, std::size_t place) {
  auto exponent = static_cast<std::uint64_t>(std::abs(order) - 1);
  std::uint64_t bits = (exponent << digits | place) << 1 | 1;
  auto magnitude = std::bit_cast<double>(bits << (mantissa_bits - digits - 1));
  return order < 0 ? -magnitude : magnitude;
}

void Histogram::for_each(auto use) const {
  bool zeros_are_due = zeros_ > 0;
  for (const Page& page : pages_) {
    if (page.order > 0 && zeros_are_due) {
      zeros_are_due = false;
      if (!use(0.0, zeros_)) return;
    }
    for (std::size_t i = 0; i < page.counts->size(); ++i) {
      std::size_t place = page.order > 0 ? i : page.counts->size() - 1 - i;
      std::uint64_t times = (*page.counts)[place];
      if (times > 0 && !use(middle(page.order, place), times)) return;
    }
  }
  if (zeros_are_due) use(0.0, zeros_);
}

void Histogram::merge(const Histogram& other) {
  zeros_ += other.zeros_;
  for (const Page& page : other.pages_) {
    Counts& counts = counts_of(page.order);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += (*page.counts)[i];
  }
}

double Histogram::at_rank(std::uint64_t rank) const {
  double found = 0;
  for_each([&](double value, std::uint64_t times) {
    found = value;
    bool further = times < rank;
    rank -= std::min(times, rank);
    return further;
  });
  return found;
}

void Histogram::write(StateWriter& writer) const {
  std::uint32_t count = 0;
  for_each([&](double, std::uint64_t) { return ++count > 0; });
  writer.write(count);
  for_each([&](double value, std::uint64_t times) {
    writer.write_double(value);
    writer.write(times);
    return true;
  });
}

void Histogram::read(StateReader& reader) {
  *this = {};
  for (auto left = reader.read_count(2 * sizeof(std::uint64_t)); left > 0; --left) {
    double value = reader.read_double();
    add(value, reader.read<std::uint64_t>());
  }
}

std::size_t Histogram::heap_bytes() const {
  return pages_.capacity() * sizeof(Page) + pages_.size() * sizeof(Counts);
}

}  // namespace leat::aggregate
