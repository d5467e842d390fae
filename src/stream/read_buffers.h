// Memory for what is read from files.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"

namespace leat::stream {

/// A buffer that starts on a page, as fast copies want it.
class ReadBuffer {
 public:
  /// Throws away what was in it. REQUIRES: nobody else has it.
  MutableBytes room(std::size_t bytes);

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t capacity_ = 0;
};

/// Gives buffers out again when nobody uses them any more: the first touch of new memory costs more
/// than reading into it. Thread-safe; what it gave out may outlive it.
class ReadBuffers {
 public:
  /// Comes back with its last owner, on whatever thread.
  std::shared_ptr<ReadBuffer> take();

 private:
  // More than that are in use only when rows are kept for long; their memory is not kept then.
  static constexpr std::size_t kept_max = 16;
  struct Kept {
    std::mutex mutex;
    std::vector<std::unique_ptr<ReadBuffer>> buffers;  // guarded by mutex
  };
  const std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

}  // namespace leat::stream
