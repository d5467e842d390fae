#include "net/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace leat::net {

namespace {
constexpr std::size_t page_bytes = 4096;

// What aligned_alloc() may be asked for.
std::size_t whole_pages(std::size_t size) {
  return std::max<std::size_t>(1, (size + page_bytes - 1) / page_bytes) * page_bytes;
}
}  // namespace

Buffer::Buffer(std::size_t size)
    : data_(static_cast<std::byte*>(std::aligned_alloc(page_bytes, whole_pages(size)))),
      size_(size) {
  if (data_ == nullptr) throw std::bad_alloc();
}

Buffer::~Buffer() {
  std::free(data_);
}

struct BufferPool::State {
  std::uint64_t bytes_max = 0;
  std::uint64_t spare_bytes_max = 0;
  std::mutex mutex;
  // Guarded by mutex:
  std::uint64_t lent_bytes = 0;
  std::uint64_t spare_bytes = 0;
  // By size, the one that came back last (and is likely in a cache) at the end.
  std::map<std::size_t, std::vector<std::unique_ptr<Buffer>>> spare;

  void give_back(std::unique_ptr<Buffer> buffer) {
    std::lock_guard lock(mutex);
    lent_bytes -= buffer->size();
    if (spare_bytes + buffer->size() > spare_bytes_max) return;
    spare_bytes += buffer->size();
    spare[buffer->size()].push_back(std::move(buffer));
  }
};

BufferPool::BufferPool(std::uint64_t bytes_max, std::uint64_t spare_bytes_max)
    : state_(std::make_shared<State>()) {
  state_->bytes_max = bytes_max;
  state_->spare_bytes_max = spare_bytes_max;
}

BufferPtr BufferPool::take(std::size_t bytes) {
  // Few sizes, so that spare buffers fit.
  std::size_t size = std::max(std::bit_ceil(bytes), standard_bytes);
  std::unique_ptr<Buffer> buffer;
  {
    std::lock_guard lock(state_->mutex);
    if (state_->lent_bytes + size > state_->bytes_max) return nullptr;
    state_->lent_bytes += size;
    auto at = state_->spare.find(size);
    if (at != state_->spare.end() && !at->second.empty()) {
      buffer = std::move(at->second.back());
      at->second.pop_back();
      state_->spare_bytes -= size;
    }
  }
  if (!buffer) buffer = std::make_unique<Buffer>(size);
  return {buffer.release(), [state = state_](Buffer* returned) {
            state->give_back(std::unique_ptr<Buffer>(returned));
          }};
}

std::uint64_t BufferPool::lent_bytes() const {
  std::lock_guard lock(state_->mutex);
  return state_->lent_bytes;
}

}  // namespace leat::net
