#include "record/scratch.h"

#include <new>

#include "base/assert.h"

namespace leat::record {

MutableBytes Scratch::room(std::size_t size, std::size_t keep) {
  ASSERT(keep <= capacity_);
  if (size > capacity_) {
    // Nothing to keep: do not let realloc copy what nobody reads.
    if (keep == 0) release();
    auto* grown = static_cast<std::byte*>(std::realloc(memory_.get(), size));
    if (grown == nullptr) throw std::bad_alloc();
    (void)memory_.release();
    memory_.reset(grown);
    capacity_ = size;
  }
  return {memory_.get(), capacity_};
}

void Scratch::release() {
  memory_.reset();
  capacity_ = 0;
}

}  // namespace leat::record
