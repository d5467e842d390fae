// What a peer sends, in pieces of any size, cut into frames: those that one plain pass over all of
// it finds, in memory that no other frame shares, with no more of it than the bytes warrant.
//
//   input := seed:u8 piece*               the seed draws how the stream is received
//   piece := n:u16 byte*n                 n < 32768
//          | n:u16                        else: (n - 32768) * 8 bytes that need no space here
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "fuzz/targets.h"
#include "net/frame_reader.h"

namespace leat::fuzz {
namespace {

constexpr std::size_t frame_bytes_max = 3 << 20;
constexpr std::size_t stream_bytes_max = 256 << 10;
/// What a reader may take at once for a frame that is only announced.
constexpr std::size_t lent_bytes_max = 1 << 20;

const Bytes& filler() {
  static const Bytes bytes = [] {
    Bytes made(stream_bytes_max);
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<std::byte>(i ^ (i >> 8));
    return made;
  }();
  return bytes;
}

Bytes make_stream(ByteReader& input) {
  Bytes stream;
  while (input.remaining() >= 2 && stream.size() < stream_bytes_max) {
    std::size_t n = input.read<std::uint16_t>();
    if (n < 32768) {
      n = std::min({n, input.remaining(), stream_bytes_max - stream.size()});
      BytesView bytes = input.read_bytes(n);
      stream.insert(stream.end(), bytes.begin(), bytes.end());
    } else {
      n = std::min((n - 32768) * 8, stream_bytes_max - stream.size());
      auto begin = filler().begin() + static_cast<std::ptrdiff_t>(stream.size());
      stream.insert(stream.end(), begin, begin + static_cast<std::ptrdiff_t>(n));
    }
  }
  return stream;
}

struct Expected {
  std::vector<BytesView> frames;
  bool is_malformed = false;  // behind them
  std::size_t rest = 0;       // bytes of a frame that is not whole
};

Expected plain_pass(BytesView stream) {
  Expected expected;
  while (stream.size() >= 4) {
    auto length = load_big_endian<std::int32_t>(stream.data());
    expected.is_malformed = length < 0 || static_cast<std::size_t>(length) > frame_bytes_max;
    auto bytes = static_cast<std::size_t>(length);
    if (expected.is_malformed || stream.size() - 4 < bytes) break;
    expected.frames.push_back(stream.subspan(4, bytes));
    stream = stream.subspan(4 + bytes);
  }
  expected.rest = stream.size();
  return expected;
}

/// One connection's side that receives.
class Receiver {
 public:
  Receiver(net::BufferPool& pool, std::uint64_t seed)
      : pool_(pool), random_(seed), reader_(pool, frame_bytes_max) {}

  void run(BytesView stream, const Expected& expected) {
    while (true) {
      Result<std::optional<net::Frame>> frame = reader_.next();
      if (!frame) {
        ASSERT(frame.error().code == Errc::malformed && expected.is_malformed);
        break;
      }
      if (*frame) {
        ASSERT(taken_ < expected.frames.size());
        take(std::move(**frame), expected.frames[taken_++]);
      } else if (stream.empty()) {
        ASSERT(!expected.is_malformed);
        ASSERT(reader_.in_frame() == (expected.rest > 0));
        break;
      } else {
        receive(stream);
      }
    }
    ASSERT(taken_ == expected.frames.size());
    let_go(held_.size());
    ASSERT(pool_.lent_bytes() <= lent_bytes_max);
    reader_.release_if_empty();
    ASSERT(reader_.in_frame() || pool_.lent_bytes() == 0);
  }

 private:
  void receive(BytesView& stream) {
    if (random_.one_in(8)) reader_.release_if_empty();
    MutableBytes space = reader_.space();
    if (space.empty()) {
      let_go(held_.size());
      space = reader_.space();
    }
    ASSERT(!space.empty());
    std::size_t n = std::min({draw_bytes(), space.size(), stream.size()});
    std::memcpy(space.data(), stream.data(), n);
    reader_.commit(n);
    stream = stream.subspan(n);
  }

  std::size_t draw_bytes() {
    switch (random_.below(4)) {
      case 0: return 1 + random_.below(8);
      case 1: return 1 + random_.below(100);
      case 2: return 1 + random_.below(10'000);
      default: return stream_bytes_max;
    }
  }

  /// Whoever has a frame may write to it.
  void take(net::Frame frame, BytesView expected) {
    ASSERT(as_text(frame.bytes) == as_text(expected));
    std::memset(frame.bytes.data(), mark, frame.bytes.size());
    held_.push_back(std::move(frame));
    if (random_.one_in(3)) let_go(random_.below(held_.size() + 1));
  }

  void let_go(std::size_t count) {
    static const Bytes marked(stream_bytes_max, std::byte{mark});
    for (std::size_t i = 0; i < count; ++i) {
      BytesView bytes = held_[i].bytes;
      ASSERT(as_text(bytes) == as_text(BytesView(marked).first(bytes.size())));
    }
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
  }

  static constexpr unsigned char mark = 0xa5;
  net::BufferPool& pool_;
  Random random_;
  net::FrameReader reader_;
  std::vector<net::Frame> held_;
  std::size_t taken_ = 0;
};

}  // namespace

void frames(BytesView input) {
  static net::BufferPool pool(2 * lent_bytes_max);
  ByteReader reader(input);
  auto seed = reader.read<std::uint8_t>();
  Bytes stream = make_stream(reader);
  Receiver(pool, seed).run(stream, plain_pass(stream));
}

std::vector<Bytes> frames_seeds() {
  auto seed_of = [](std::vector<std::int32_t> lengths) {
    Bytes seed;
    ByteWriter out(seed);
    out.write(std::uint8_t{1});
    for (std::int32_t length : lengths) {
      out.write(std::uint16_t{4});
      out.write(length);
      if (length > 0) out.write(static_cast<std::uint16_t>(32768 + length / 8));
    }
    return seed;
  };
  return {seed_of({0}),
          seed_of({-1}),
          seed_of({8, 16, 0, 24, 8, 8, 8}),
          seed_of({65'528, 8, 65'536, 16}),
          seed_of({100'000, 50'000, 8, 80'000}),
          seed_of({8, 1 << 20}),
          seed_of({8, 3 << 20, 8}),
          seed_of({16, (3 << 20) + 1})};
}

}  // namespace leat::fuzz
