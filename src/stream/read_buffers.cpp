#include "stream/read_buffers.h"

#include <cstdlib>
#include <utility>

#include "base/assert.h"

namespace leat::stream {

void ReadBuffer::Free::operator()(std::byte* memory) const {
  std::free(memory);
}

MutableBytes ReadBuffer::room(std::size_t bytes) {
  constexpr std::size_t page = 4096;
  if (bytes > capacity_) {
    memory_.reset();
    capacity_ = (bytes + page - 1) / page * page;
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(page, capacity_)));
    ASSERT(memory_ != nullptr);
  }
  return {memory_.get(), bytes};
}

// Given back under the lock: that a count has come down to one does not say that what others read
// comes before what is written next.
std::shared_ptr<ReadBuffer> ReadBuffers::take() {
  std::unique_ptr<ReadBuffer> buffer;
  {
    std::lock_guard lock(kept_->mutex);
    if (!kept_->buffers.empty()) {
      buffer = std::move(kept_->buffers.back());
      kept_->buffers.pop_back();
    }
  }
  if (!buffer) buffer = std::make_unique<ReadBuffer>();
  return {buffer.release(), [kept = kept_](ReadBuffer* last) {
            std::unique_ptr<ReadBuffer> back(last);
            std::lock_guard lock(kept->mutex);
            if (kept->buffers.size() < kept_max) kept->buffers.push_back(std::move(back));
          }};
}

}  // namespace leat::stream
