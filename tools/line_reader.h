// Lines of a file or of stdin; gzip is recognised and decompressed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "file/gunzip.h"

namespace leat::tools {

/// Not thread-safe.
class LineReader {
 public:
  /// Opens `path`; "-" is stdin. With `wake_fd`, waiting for input ends when it becomes readable:
  /// that is an end of the input.
  static Result<LineReader> open(const std::string& path, int wake_fd);
  LineReader(LineReader&&) noexcept;
  ~LineReader();

  /// The next line without its "\n", valid until the next call, with json_padding_bytes readable
  /// behind it; nothing at the end. A line may be as long as line_bytes_max.
  Result<std::optional<std::string_view>> next();
  /// Of the line given last, from 1.
  std::int64_t line_number() const { return line_number_; }
  const std::string& name() const { return name_; }

  static constexpr std::size_t line_bytes_max = std::size_t{64} << 20;

 private:
  LineReader(std::string name, int fd, int wake_fd);
  /// Reads more input to the end of the buffer. False at the end of the input.
  Result<bool> fill();
  Result<std::size_t> read(MutableBytes into);
  Result<std::size_t> read_unpacked(MutableBytes into);

  std::string name_;
  int fd_;
  int wake_fd_;
  std::unique_ptr<file::Gunzip> gunzip_;
  bool started_ = false;
  std::vector<char> buffer_;
  /// [begin_, end_) of the buffer is not consumed; up to scanned_ it has no line end.
  std::size_t begin_ = 0;
  std::size_t scanned_ = 0;
  std::size_t end_ = 0;
  bool at_end_ = false;
  std::int64_t line_number_ = 0;
};

}  // namespace leat::tools
