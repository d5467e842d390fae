// Large blocks of memory that live shortly, used again and again. Of fresh memory every 4 KiB cost
// a page fault, which takes as long as to fill them.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"

namespace leat {

/// Bytes that are shared by what looks at them.
struct SharedBytes {
  std::shared_ptr<const std::byte[]> memory;
  std::size_t size = 0;
  BytesView view() const { return {memory.get(), size}; }
};

/// Thread-safe. What it gave out may outlive it.
class RecycledMemory : public std::enable_shared_from_this<RecycledMemory> {
 public:
  /// Keeps what comes back, as long as that and what is out are at most `bytes` together. More than
  /// that may be out; then nothing is kept.
  explicit RecycledMemory(std::size_t bytes = 0) : bound_(bytes) {}
  void set_bound(std::size_t bytes);
  /// Not cleared. Comes back when nobody holds it any more, on whatever thread.
  std::shared_ptr<std::byte[]> take(std::size_t size);

  std::size_t kept_bytes() const;

 private:
  struct Block {
    std::unique_ptr<std::byte[]> memory;
    std::size_t capacity = 0;
  };
  struct GiveBack;

  Block find(std::size_t size);
  void give_back(Block block);
  void let_go_of(std::size_t count);

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::size_t bound_;
  std::size_t out_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
  /// The last one was used last, and is the likeliest to be in the processor's cache.
  std::vector<Block> kept_;
  /// How many of the first ones were not needed in the last `takes_` calls.
  std::size_t spare_ = 0;
  int takes_ = 0;
};

}  // namespace leat
