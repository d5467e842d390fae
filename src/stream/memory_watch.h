// When the memory of a task's state is to be counted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::stream {

/// To count it looks at every key, so it is not done behind each step, but before it can have grown
/// by much more than an eighth of what is left of its bound: as fast as it grew lately, or as the
/// process has.
class MemoryWatch {
 public:
  explicit MemoryWatch(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// What has come in: rows, and bytes that were read for them.
  struct Input {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
  };
  bool is_due(const Input& input) const;
  /// It was: so much is kept.
  void counted(const Input& input, std::size_t bytes);

 private:
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  Input at_;
  std::uint64_t rows_between_ = 1024;
  std::size_t peak_bytes_ = 0;  // of the process, by then
};

}  // namespace leat::stream
