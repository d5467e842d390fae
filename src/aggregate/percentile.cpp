// A value that a fraction of all does not exceed: exact for few values, of many by a histogram
// (plan/functions.h).
//
// In a snapshot, for each group:
//
//   percentile := count:u64 low:f64 high:f64 (few | many)
//   few        := 0x00 count:u32 value:f64 *
//   many       := 0x01 histogram                             as histogram.cpp writes it
#include <algorithm>
#include <cmath>

#include "aggregate/accumulators_of.h"
#include "aggregate/histogram.h"
#include "aggregate/kinds.h"

namespace leat::aggregate {

namespace {

class Values {
 public:
  void add(double value) {
    widen(value, value, 1);
    if (!many_ && count_ <= few_max) {
      few_.push_back(value);
      return;
    }
    become_many();
    many_->add(value);
  }
  void merge(const Values& other) {
    if (other.count_ == 0) return;
    widen(other.low_, other.high_, other.count_);
    if (!many_ && count_ <= few_max) {
      few_.insert(few_.end(), other.few_.begin(), other.few_.end());
      return;
    }
    become_many();
    for (double value : other.few_) many_->add(value);
    if (other.many_) many_->merge(*other.many_);
  }

  bool empty() const { return count_ == 0; }
  double percentile(double fraction) const {
    double of_all = std::ceil(fraction * static_cast<double>(count_));
    auto rank = static_cast<std::uint64_t>(std::max(of_all, 1.0));
    if (many_) return std::clamp(many_->at_rank(rank), low_, high_);
    std::vector<double> values = few_;
    auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
    std::nth_element(values.begin(), nth, values.end());
    return *nth;
  }

  void write(StateWriter& writer) const {
    writer.write(count_);
    writer.write_double(low_);
    writer.write_double(high_);
    writer.write(static_cast<std::uint8_t>(many_ ? 1 : 0));
    if (many_) return many_->write(writer);
    writer.write(static_cast<std::uint32_t>(few_.size()));
    for (double value : few_) writer.write_double(value);
  }
  void read(StateReader& reader) {
    *this = {};
    count_ = reader.read<std::uint64_t>();
    low_ = reader.read_double();
    high_ = reader.read_double();
    if (reader.read<std::uint8_t>() != 0) {
      many_ = std::make_unique<Histogram>();
      return many_->read(reader);
    }
    few_.resize(reader.read_count(sizeof(double)));
    for (double& value : few_) value = reader.read_double();
  }
  std::size_t heap_bytes() const {
    return few_.capacity() * sizeof(double) + (many_ ? sizeof *many_ + many_->heap_bytes() : 0);
  }

 private:
  static constexpr std::size_t few_max = 1024;

  void widen(double low, double high, std::uint64_t count) {
    low_ = count_ == 0 ? low : std::min(low_, low);
    high_ = count_ == 0 ? high : std::max(high_, high);
    count_ += count;
  }
  void become_many() {
    if (many_) return;
    many_ = std::make_unique<Histogram>();
    for (double value : few_) many_->add(value);
    few_ = {};
  }

  std::uint64_t count_ = 0;
  double low_ = 0;
  double high_ = 0;
  std::vector<double> few_;
  std::unique_ptr<Histogram> many_;  // of all, once they are more than few
};

struct Percentile {
  using State = Values;
  static constexpr bool grows = true;

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input& input) const {
    return [cells = input.argument->reals()](State& values, std::uint32_t row) {
      values.add(cells[row]);
    };
  }
  void merge(State& values, const State& other) const { values.merge(other); }
  bool result(const State& values, const Cell& cell) const {
    if (values.empty())
      cell.out.set_null(cell.row);
    else
      cell.out.set_real(cell.row, values.percentile(fraction));
    return true;
  }
  void write(const State& values, StateWriter& writer) const { values.write(writer); }
  void read(State& values, StateReader& reader) const { values.read(reader); }
  std::size_t heap_bytes(const State& values) const { return values.heap_bytes(); }

  double fraction;
};

}  // namespace

std::unique_ptr<Accumulators> make_percentiles(const plan::BoundAggregate& aggregate) {
  return accumulators_of(Percentile{*aggregate.aggregate->fraction});
}

}  // namespace leat::aggregate
