#include "stream/read_buffers.h"

#include <cstdlib>

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

std::shared_ptr<ReadBuffer> ReadBuffers::take() {
  std::lock_guard lock(mutex_);
  for (auto& buffer : buffers_) {
    if (buffer.use_count() == 1) return buffer;
  }
  auto buffer = std::make_shared<ReadBuffer>();
  if (buffers_.size() < kept_max) buffers_.push_back(buffer);
  return buffer;
}

}  // namespace leat::stream
