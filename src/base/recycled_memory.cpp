#include "base/recycled_memory.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace leat {

namespace {

/// Below that malloc() does as well. Sizes are rounded up to a multiple, so that more of them fit.
constexpr std::size_t grain_bytes = std::size_t{64} << 10;
constexpr int takes_between_looks = 64;

}  // namespace

struct RecycledMemory::GiveBack {
  std::shared_ptr<RecycledMemory> to;
  std::size_t capacity = 0;
  void operator()(std::byte* memory) const {
    to->give_back({std::unique_ptr<std::byte[]>(memory), capacity});
  }
};

void RecycledMemory::set_bound(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  bound_ = bytes;
  while (!kept_.empty() && kept_bytes_ + out_bytes_ > bound_) let_go_of(1);
}

std::shared_ptr<std::byte[]> RecycledMemory::take(std::size_t size) {
  Block block = find(size);
  if (block.capacity == 0) return std::make_shared_for_overwrite<std::byte[]>(size);
  if (!block.memory) block.memory = std::make_unique_for_overwrite<std::byte[]>(block.capacity);
  GiveBack give_back{shared_from_this(), block.capacity};
  return {block.memory.release(), std::move(give_back)};
}

/// A kept block that is large enough, or the capacity that a new one is to have: 0 where it is
/// small. Small ones count, too: where only such are taken, what is kept is spare.
RecycledMemory::Block RecycledMemory::find(std::size_t size) {
  std::lock_guard lock(mutex_);
  Block block;
  if (size >= grain_bytes) {
    auto found = std::find_if(kept_.rbegin(), kept_.rend(),
                              [&](const Block& kept) { return kept.capacity >= size; });
    if (found != kept_.rend()) {
      block = std::move(*found);
      kept_bytes_ -= block.capacity;
      kept_.erase(std::next(found).base());
    } else {
      block.capacity = (size + grain_bytes - 1) / grain_bytes * grain_bytes;
    }
    out_bytes_ += block.capacity;
    while (!kept_.empty() && kept_bytes_ + out_bytes_ > bound_) let_go_of(1);
  }
  spare_ = std::min(spare_, kept_.size());
  if (++takes_ == takes_between_looks) {
    let_go_of(spare_);
    spare_ = kept_.size();
    takes_ = 0;
  }
  return block;
}

/// The first ones.
void RecycledMemory::let_go_of(std::size_t count) {
  auto end = kept_.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto block = kept_.begin(); block != end; ++block) kept_bytes_ -= block->capacity;
  kept_.erase(kept_.begin(), end);
  spare_ -= std::min(spare_, count);
}

void RecycledMemory::give_back(Block block) {
  std::lock_guard lock(mutex_);
  out_bytes_ -= block.capacity;
  if (kept_bytes_ + out_bytes_ + block.capacity > bound_) return;
  kept_bytes_ += block.capacity;
  kept_.push_back(std::move(block));
}

std::size_t RecycledMemory::kept_bytes() const {
  std::lock_guard lock(mutex_);
  return kept_bytes_;
}

}  // namespace leat
