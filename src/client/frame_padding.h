// What may be read behind an answer.
#pragma once

#include <cstddef>

namespace leat::client {

/// Behind an answer's bytes so many more are readable, whatever they are: parsers of what is in it
/// may look a bit further than it goes.
inline constexpr std::size_t frame_padding_bytes = 64;

}  // namespace leat::client
