#include "stream/memory_watch.h"

#include <sys/resource.h>

#include <algorithm>

namespace leat::stream {

namespace {

// The most memory that the process has had.
std::size_t peak_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

bool MemoryWatch::is_due(const Input& input) const {
  if (input.rows >= at_.rows + rows_between_) return true;
  if (input.bytes >= at_.bytes + bytes_max_ / 8) return true;
  return peak_bytes() >= peak_bytes_ + bytes_max_ / 8;
}

void MemoryWatch::counted(const Input& input, std::size_t bytes) {
  constexpr std::uint64_t rows_least = 1024, rows_most = 128 * 1024;
  std::uint64_t rows = std::max<std::uint64_t>(input.rows - at_.rows, 1);
  std::size_t grown = bytes - std::min(bytes, bytes_);
  std::size_t a_row = std::max<std::size_t>(grown / rows, 1);
  std::size_t left = bytes_max_ - std::min(bytes_max_, bytes);
  rows_between_ = std::clamp<std::uint64_t>(left / 8 / a_row, rows_least, rows_most);
  at_ = input;
  bytes_ = bytes;
  peak_bytes_ = peak_bytes();
}

}  // namespace leat::stream
