// Results on stdout.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leat::tools {

/// Collects text and writes it in large pieces. Once the reader of stdout is gone (`leat … | head`)
/// it swallows everything, and closed() says that there is no point in going on.
class Output {
 public:
  ~Output() { flush(); }
  /// To be appended to; call written() then.
  std::string& buffer() { return buffer_; }
  void written() {
    if (buffer_.size() >= flush_bytes) flush();
  }
  void print(std::string_view text) {
    buffer_.append(text);
    written();
  }
  /// Writes what is collected. False when stdout takes no more.
  bool flush();
  bool closed() const { return closed_; }
  /// Stdout failed, and not because its reader went away: the disk is full, say.
  bool failed() const { return failed_; }

 private:
  static constexpr std::size_t flush_bytes = 64 << 10;
  std::string buffer_;
  bool closed_ = false;
  bool failed_ = false;
};

}  // namespace leat::tools
