// Memory that is used again and again for what is decompressed, compressed or put together.
#pragma once

#include <cstdlib>
#include <memory>
#include <utility>

#include "base/bytes.h"

namespace leat::record {

/// A block of bytes that only grows, and is not cleared when it does. One user at a time; keep one
/// per thread or per reader, so that the hot path stops allocating.
class Scratch {
 public:
  Scratch() = default;
  /// Leaves the other one empty.
  Scratch(Scratch&& other) noexcept
      : memory_(std::move(other.memory_)), capacity_(std::exchange(other.capacity_, 0)) {}
  Scratch& operator=(Scratch&& other) noexcept {
    memory_ = std::move(other.memory_);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  /// Room for at least `size` bytes, of which the first `keep` are those that were there before.
  /// Everything given out earlier is invalid afterwards. REQUIRES: `keep` <= capacity().
  MutableBytes room(std::size_t size, std::size_t keep = 0);
  std::size_t capacity() const { return capacity_; }
  /// Gives the memory back.
  void release();

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t capacity_ = 0;
};

}  // namespace leat::record
