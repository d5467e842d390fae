// Memory for what sockets receive: page-aligned, because the kernel copies into other blocks up to
// twenty times slower, and reused, because the first touch of a page costs more than filling it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace leat::net {

/// A block of memory. Whoever shares it keeps it from being reused.
class Buffer {
 public:
  explicit Buffer(std::size_t size);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  MutableBytes bytes() { return {data_, size_}; }
  std::size_t size() const { return size_; }

 private:
  std::byte* data_;
  std::size_t size_;
};

using BufferPtr = std::shared_ptr<Buffer>;

/// Hands out buffers within a budget for all of them together. Thread-safe; buffers may outlive it
/// and may be let go of on any thread.
class BufferPool {
 public:
  /// The size in which most requests fit: the loopback and the page cache are fastest with it.
  static constexpr std::size_t standard_bytes = 64 << 10;

  /// At most `bytes_max` are lent at a time. Of what comes back, `spare_bytes_max` are kept.
  explicit BufferPool(std::uint64_t bytes_max, std::uint64_t spare_bytes_max = 32 << 20);

  /// A buffer of at least `bytes`, in no particular state; nullptr when the budget is used up.
  BufferPtr take(std::size_t bytes);

  /// Bytes that are lent out now.
  std::uint64_t lent_bytes() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace leat::net
