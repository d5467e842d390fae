// The field that carries record batches: never copied on its way in, and on its way out either
// copied or left as a hole that a file or a buffer fills.
#pragma once

#include <cstddef>

#include "base/assert.h"
#include "base/bytes.h"

namespace leat::wire {

/// The record batches of one partition in a Produce request or a Fetch response. Owns nothing: when
/// decoded it points into the frame, when encoded at the caller's bytes, or at none (`elsewhere`).
class Records {
 public:
  /// Null, as it may stand on the wire.
  Records() = default;
  /// Bytes that live as long as this, and that an encoder copies.
  explicit Records(BytesView bytes) : bytes_(bytes), size_(bytes.size()), state_(State::here) {}
  /// `size` bytes that are sent from elsewhere: the encoder writes their length and leaves a hole.
  static Records elsewhere(std::size_t size) {
    Records records;
    records.size_ = size;
    records.state_ = State::elsewhere;
    return records;
  }

  bool is_null() const { return state_ == State::null; }
  bool is_elsewhere() const { return state_ == State::elsewhere; }
  std::size_t size() const { return size_; }
  /// Empty when null. REQUIRES: the bytes are not elsewhere.
  BytesView bytes() const {
    ASSERT(state_ != State::elsewhere);
    return bytes_;
  }

 private:
  enum class State : unsigned char { null, here, elsewhere };
  BytesView bytes_;
  std::size_t size_ = 0;
  State state_ = State::null;
};

}  // namespace leat::wire
