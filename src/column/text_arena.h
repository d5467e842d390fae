// Texts of a chunk that have no other home.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace leat::column {

/// Bytes that stay where they are until all is freed at once. Not thread-safe.
class TextArena {
 public:
  /// Room for up to `bytes`, good until the arena is gone. What is not kept is given out again.
  char* reserve(std::size_t bytes) {
    if (bytes > left_) {
      std::size_t size = std::max(bytes, block_bytes);
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
      next_ = blocks_.back().get();
      left_ = size;
    }
    return next_;
  }
  /// The first `bytes` of the last reservation are in use now.
  void keep(std::size_t bytes) {
    next_ += bytes;
    left_ -= bytes;
  }
  bool empty() const { return blocks_.empty(); }
  /// Forgets all texts. Keeps one block for the next ones, unless it is a large one.
  void clear() {
    if (blocks_.empty()) return;
    char* begin = blocks_.back().get();
    left_ += static_cast<std::size_t>(next_ - begin);
    next_ = begin;
    blocks_.erase(blocks_.begin(), blocks_.end() - 1);
    if (left_ > block_bytes) *this = TextArena();
  }

 private:
  static constexpr std::size_t block_bytes = 16 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace leat::column
