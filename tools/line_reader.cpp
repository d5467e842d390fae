#include "tools/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/core.h>

#include "tools/record_json.h"

namespace leat::tools {

namespace {

constexpr std::size_t read_bytes = std::size_t{256} << 10;

}  // namespace

LineReader::LineReader(std::string name, int fd, int wake_fd)
    : name_(std::move(name)), fd_(fd), wake_fd_(wake_fd), buffer_(read_bytes) {}

LineReader::LineReader(LineReader&& other) noexcept
    : name_(std::move(other.name_)),
      fd_(std::exchange(other.fd_, -1)),
      wake_fd_(other.wake_fd_),
      gunzip_(std::move(other.gunzip_)),
      started_(other.started_),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_),
      scanned_(other.scanned_),
      end_(other.end_),
      at_end_(other.at_end_),
      line_number_(other.line_number_) {}

LineReader::~LineReader() {
  if (fd_ > STDERR_FILENO) close(fd_);
}

Result<LineReader> LineReader::open(const std::string& path, int wake_fd) {
  if (path == "-") return LineReader("stdin", STDIN_FILENO, wake_fd);
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fail(Errc::io_error, fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  return LineReader(path, fd, wake_fd);
}

Result<std::optional<std::string_view>> LineReader::next() {
  while (true) {
    char* from = buffer_.data() + scanned_;
    auto* line_end = static_cast<char*>(std::memchr(from, '\n', end_ - scanned_));
    if (line_end || (at_end_ && begin_ < end_)) {
      std::size_t line_size =
          (line_end ? line_end : buffer_.data() + end_) - buffer_.data() - begin_;
      std::string_view line(buffer_.data() + begin_, line_size);
      begin_ = scanned_ = std::min(end_, begin_ + line_size + 1);
      ++line_number_;
      return line;
    }
    if (at_end_) return std::optional<std::string_view>();
    scanned_ = end_;
    if (end_ - begin_ > line_bytes_max)
      return fail(Errc::bad_record, fmt::format("{}:{}: the line is longer than {} MiB", name_,
                                                line_number_ + 1, line_bytes_max >> 20));
    Result<bool> more = fill();
    if (!more) return fail(more);
    at_end_ = !*more;
  }
}

Result<bool> LineReader::fill() {
  // What is left of the last piece moves to the front, so that a line is always in one piece.
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  scanned_ -= begin_;
  end_ -= std::exchange(begin_, 0);
  if (buffer_.size() < end_ + read_bytes + json_padding_bytes)
    buffer_.resize(std::max(2 * buffer_.size(), end_ + read_bytes + json_padding_bytes));
  MutableBytes into(reinterpret_cast<std::byte*>(buffer_.data()) + end_, read_bytes);
  Result<std::size_t> size = gunzip_ ? read_unpacked(into) : read(into);
  if (!size) return fail(size);
  if (!std::exchange(started_, true) && file::Gunzip::is_gzip(into.first(*size))) {
    gunzip_ = std::make_unique<file::Gunzip>(into.first(*size));
    size = read_unpacked(into);
    if (!size) return fail(size);
  }
  end_ += *size;
  return *size > 0;
}

Result<std::size_t> LineReader::read(MutableBytes into) {
  while (true) {
    pollfd waited[] = {{fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    if (poll(waited, wake_fd_ < 0 ? 1 : 2, -1) < 0 && errno == EINTR) continue;
    if (waited[1].revents != 0) return 0;
    ssize_t got = ::read(fd_, into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR)
      return fail(Errc::io_error, fmt::format("cannot read {}: {}", name_, std::strerror(errno)));
  }
}

Result<std::size_t> LineReader::read_unpacked(MutableBytes into) {
  auto size = gunzip_->read(into, [this](MutableBytes packed) { return read(packed); });
  if (size) return size;
  return fail(size.error().code, fmt::format("{}: {}", name_, size.error().what));
}

}  // namespace leat::tools
