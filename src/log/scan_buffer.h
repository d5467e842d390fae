// A page-aligned buffer for reading files in large pieces.
#pragma once

#include <cstdlib>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"

namespace leat::log {

/// Grows on demand. The last one of a usual size that a thread let go of is kept for its next one:
/// the first touch of fresh memory costs more than reading it from the page cache. Page-aligned,
/// because copies to other alignments can be many times slower.
class ScanBuffer {
 public:
  ScanBuffer() = default;
  ~ScanBuffer() {
    if (size_ == usual_bytes && !spare_) spare_ = std::move(memory_);
  }
  ScanBuffer(const ScanBuffer&) = delete;
  ScanBuffer& operator=(const ScanBuffer&) = delete;

  /// Makes room for at least `bytes`; what was there is lost when it grows.
  void reserve(std::size_t bytes) {
    if (bytes <= size_) return;
    if (bytes <= usual_bytes && spare_) {
      memory_ = std::move(spare_);
      size_ = usual_bytes;
      return;
    }
    constexpr std::size_t page = 4096;
    size_ = bytes <= usual_bytes ? usual_bytes : (bytes + page - 1) / page * page;
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(page, size_)));
    ASSERT(memory_ != nullptr);
  }
  MutableBytes bytes() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<std::byte[], Free>;
  static constexpr std::size_t usual_bytes = std::size_t{1} << 20;
  static inline thread_local Memory spare_;

  Memory memory_;
  std::size_t size_ = 0;
};

}  // namespace leat::log
