#include "net/frame_reader.h"

#include <algorithm>
#include <cstring>

#include <fmt/core.h>

namespace leat::net {

namespace {

constexpr std::size_t length_bytes = 4;
// A receive into less than this is not worth its system call.
constexpr std::size_t space_bytes_min = 4 << 10;
// A peer that announces more than this gets memory in growing steps, as its bytes arrive, so that
// an announcement alone costs us little. Up to here, no byte of a frame is copied twice.
constexpr std::size_t trusted_bytes = 1 << 20;
constexpr std::size_t growth = 4;

}  // namespace

std::size_t FrameReader::bytes_wanted() const {
  if (expected_bytes_ <= BufferPool::standard_bytes) return BufferPool::standard_bytes;
  if (expected_bytes_ <= trusted_bytes) return expected_bytes_;
  return std::min(expected_bytes_, std::max((end_ - begin_) * growth, trusted_bytes));
}

MutableBytes FrameReader::space() {
  std::size_t unread = end_ - begin_;
  // A large frame fills its buffer to the end; small ones want room for read-ahead.
  bool is_large = expected_bytes_ > BufferPool::standard_bytes;
  bool has_room = capacity() >= end_ + (is_large ? 1 : space_bytes_min);
  bool is_large_enough = capacity() >= begin_ + std::min(expected_bytes_, trusted_bytes);
  if (!has_room || !is_large_enough) {
    BufferPtr next = pool_.take(bytes_wanted());
    if (!next) return {};
    if (unread > 0) std::memcpy(next->bytes().data(), buffer_->bytes().data() + begin_, unread);
    buffer_ = std::move(next);
    begin_ = 0;
    end_ = unread;
  }
  std::size_t limit = capacity();
  // Not a byte behind a large frame: it would have to be copied out of its buffer.
  if (is_large) limit = std::min(limit, begin_ + expected_bytes_);
  return buffer_->bytes().subspan(end_, limit - end_);
}

Result<std::optional<Frame>> FrameReader::next() {
  expected_bytes_ = 0;
  std::size_t unread = end_ - begin_;
  if (unread < length_bytes) return std::nullopt;
  auto length = load_big_endian<std::int32_t>(buffer_->bytes().data() + begin_);
  if (length < 0 || static_cast<std::size_t>(length) > frame_bytes_max_)
    return fail(Errc::malformed, fmt::format("a frame of {} bytes; at most {} are allowed", length,
                                             frame_bytes_max_));
  expected_bytes_ = length_bytes + static_cast<std::size_t>(length);
  if (unread < expected_bytes_) return std::nullopt;
  Frame frame{buffer_,
              buffer_->bytes().subspan(begin_ + length_bytes, static_cast<std::size_t>(length))};
  begin_ += expected_bytes_;
  expected_bytes_ = 0;
  return frame;
}

void FrameReader::release_if_empty() {
  if (in_frame()) return;
  buffer_.reset();
  begin_ = 0;
  end_ = 0;
}

}  // namespace leat::net
