// Cuts what a peer sends into Kafka's frames. No socket in here: bytes are put in, frames come out.
//
//   stream = frame*
//   frame  = i32 length, `length` bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "net/buffer_pool.h"

namespace leat::net {

/// A whole frame without its length, in a buffer that the frame keeps alive. Its bytes are the
/// owner's to change: no other frame shares them.
struct Frame {
  BufferPtr owner;
  MutableBytes bytes;
};

/// Usage: receive into space(), commit() what came, take frames with next() until there is none.
/// Reads ahead, so that many small frames cost one receive, and leaves a large frame where it was
/// received.
class FrameReader {
 public:
  FrameReader(BufferPool& pool, std::size_t frame_bytes_max)
      : pool_(pool), frame_bytes_max_(frame_bytes_max) {}

  /// Where the next bytes of the stream go. Empty when the pool's budget is used up. REQUIRES:
  /// next() has found no frame or no error.
  MutableBytes space();
  /// `bytes` were received into space().
  void commit(std::size_t bytes) { end_ += bytes; }

  /// The next frame; nullopt until more bytes are committed. Errc::malformed for a length that is
  /// negative or above the limit; nothing is allocated for it, and the stream is of no more use.
  Result<std::optional<Frame>> next();

  /// Bytes of a frame that is not whole yet are there.
  bool in_frame() const { return end_ > begin_; }
  /// Length of the frame that is not whole yet, its own four bytes included; 0 when not yet known.
  std::size_t expected_bytes() const { return expected_bytes_; }
  /// Lets go of the buffer where nothing is in it: an idle peer costs no memory.
  void release_if_empty();

 private:
  std::size_t capacity() const { return buffer_ ? buffer_->size() : 0; }
  std::size_t bytes_wanted() const;

  BufferPool& pool_;
  std::size_t frame_bytes_max_;
  BufferPtr buffer_;
  // Received and not handed out: [begin_, end_) of the buffer.
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t expected_bytes_ = 0;
};

}  // namespace leat::net
