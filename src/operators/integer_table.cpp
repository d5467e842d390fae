#include "operators/integer_table.h"

#include <algorithm>

#include "base/assert.h"

namespace leat::operators {

std::uint32_t IntegerTable::find_or_add_null() {
  if (!null_) {
    null_ = static_cast<std::uint32_t>(keys_.size());
    keys_.push_back(0);
  }
  return *null_;
}

std::uint32_t IntegerTable::add(Slot& slot, std::int64_t key) {
  ASSERT(size() < 0x7fff'ffff);
  auto group = static_cast<std::uint32_t>(keys_.size());
  slot = {key, group + 1};
  keys_.push_back(key);
  if (keys_.size() * 2 > slots_.size()) double_slots(1);
  return group;
}

void IntegerTable::reserve(std::size_t keys) {
  int times = 0;
  while ((keys_.size() + keys) * 2 > slots_.size() << times) ++times;
  if (times > 0) double_slots(times);
  keys_.reserve(keys_.size() + keys);
}

void IntegerTable::double_slots(int times) {
  std::vector<Slot> old(slots_.size() << times);
  old.swap(slots_);
  shift_ -= times;
  for (const Slot& moved : old) {
    if (moved.group != 0) slots_[slot_of(moved.key)] = moved;
  }
}

void IntegerTable::clear() {
  keys_.clear();
  null_.reset();
  std::fill(slots_.begin(), slots_.end(), Slot{});
}

}  // namespace leat::operators
