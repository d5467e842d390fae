// Each codec keeps its contexts per thread: making one costs as much as compressing a small batch.
//
// Snappy has no stream format of its own. What Java clients write is xerial's framing:
//   stream := (header block*)+          header := 0x82 'SNAPPY' 0 version:i32=1 compatible:i32=1
//   block  := length:i32 snappy_bytes   of up to 32 KiB before compression
// and everybody else may write one bare snappy block; readers tell them apart by the header.
#include "record/compression.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>

#include <fmt/format.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/assert.h"

namespace leat::record {
namespace {

constexpr std::size_t xerial_block_bytes = 32'768;
constexpr std::array<std::byte, 16> xerial_header = {
    std::byte{0x82}, std::byte{'S'}, std::byte{'N'}, std::byte{'A'}, std::byte{'P'}, std::byte{'P'},
    std::byte{'Y'},  std::byte{0},   std::byte{0},   std::byte{0},   std::byte{0},   std::byte{1},
    std::byte{0},    std::byte{0},   std::byte{0},   std::byte{1}};
constexpr std::size_t xerial_magic_bytes = 8;

tl::unexpected<Error> corrupt(std::string_view codec, std::string_view reason) {
  return fail(Errc::corrupt_message, fmt::format("bad {} data: {}", codec, reason));
}

/// Where decompressed bytes go: room in a scratch that grows with what really comes, up to a limit.
class Output {
 public:
  Output(Scratch& scratch, std::size_t expected, std::size_t max_bytes)
      : scratch_(scratch), max_bytes_(max_bytes) {
    room_ = clip(scratch_.room(std::min(std::max(expected, min_room), max_bytes)));
  }

  MutableBytes free() const { return room_.subspan(used_); }
  void add(std::size_t bytes) { used_ += bytes; }
  BytesView all() const { return room_.first(used_); }

  /// False at the limit, and then the memory is given back: nobody keeps a bomb's crater.
  bool grow() {
    if (room_.size() >= max_bytes_) {
      scratch_.release();
      return false;
    }
    room_ = clip(scratch_.room(std::min(room_.size() * 4, max_bytes_), used_));
    return true;
  }
  bool reserve(std::size_t bytes) {
    while (room_.size() - used_ < bytes) {
      if (!grow()) return false;
    }
    return true;
  }
  tl::unexpected<Error> too_large() const {
    return fail(Errc::message_too_large,
                fmt::format("a batch decompresses to more than {} bytes", max_bytes_));
  }

 private:
  static constexpr std::size_t min_room = 4096;
  MutableBytes clip(MutableBytes room) const {
    return room.first(std::min(room.size(), max_bytes_));
  }

  Scratch& scratch_;
  std::size_t max_bytes_;
  MutableBytes room_;
  std::size_t used_ = 0;
};

// ---- gzip

constexpr int gzip_window_bits = 15 + 16;  // zlib's way of asking for gzip's header and trailer

/// A deflater of one level. zlib can change the level of a live one only with care.
class Deflater {
 public:
  z_stream& at_level(int level) {
    if (level_ == level) {
      deflateReset(&stream_);
    } else {
      if (level_) deflateEnd(&stream_);
      level_.reset();
      int opened =
          deflateInit2(&stream_, level, Z_DEFLATED, gzip_window_bits, 8, Z_DEFAULT_STRATEGY);
      ASSERT(opened == Z_OK);
      level_ = level;
    }
    return stream_;
  }
  ~Deflater() {
    if (level_) deflateEnd(&stream_);
  }

 private:
  z_stream stream_{};
  std::optional<int> level_;
};

class Inflater {
 public:
  Inflater() {
    int opened = inflateInit2(&stream_, gzip_window_bits);
    ASSERT(opened == Z_OK);
  }
  ~Inflater() { inflateEnd(&stream_); }
  z_stream& fresh() {
    inflateReset(&stream_);
    return stream_;
  }

 private:
  z_stream stream_{};
};

Bytef* zlib_bytes(const std::byte* bytes) {
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes));
}

BytesView gzip_compress(BytesView input, Scratch& scratch, std::optional<int> level) {
  thread_local Deflater deflater;
  z_stream& stream = deflater.at_level(level ? std::clamp(*level, Z_BEST_SPEED, Z_BEST_COMPRESSION)
                                             : Z_DEFAULT_COMPRESSION);
  MutableBytes out = scratch.room(deflateBound(&stream, input.size()));
  stream.next_in = zlib_bytes(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = zlib_bytes(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int ended = deflate(&stream, Z_FINISH);
  ASSERT(ended == Z_STREAM_END);
  return out.first(out.size() - stream.avail_out);
}

Result<BytesView> gzip_decompress(BytesView input, Output& output) {
  thread_local Inflater inflater;
  z_stream& stream = inflater.fresh();
  stream.next_in = zlib_bytes(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  while (true) {
    MutableBytes room = output.free();
    stream.next_out = zlib_bytes(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    int state = inflate(&stream, Z_NO_FLUSH);
    output.add(room.size() - stream.avail_out);
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) return output.all();
      // Another member follows; the stream's place in the input stays.
      inflateReset(&stream);
    } else if (state != Z_OK && state != Z_BUF_ERROR) {
      return corrupt("gzip", stream.msg != nullptr ? stream.msg : "not a gzip member");
    } else if (stream.avail_out == 0) {
      if (!output.grow()) return output.too_large();
    } else {
      return corrupt("gzip", "it ends too early");
    }
  }
}

// ---- snappy

BytesView snappy_compress(BytesView input, Scratch& scratch) {
  std::size_t blocks = (input.size() + xerial_block_bytes - 1) / xerial_block_bytes;
  std::size_t bound = snappy::MaxCompressedLength(xerial_block_bytes) + sizeof(std::int32_t);
  MutableBytes out = scratch.room(xerial_header.size() + blocks * bound);
  std::copy(xerial_header.begin(), xerial_header.end(), out.begin());
  std::size_t used = xerial_header.size();
  for (std::size_t at = 0; at < input.size(); at += xerial_block_bytes) {
    BytesView block = input.subspan(at, std::min(xerial_block_bytes, input.size() - at));
    std::byte* length_at = out.data() + used;
    used += sizeof(std::int32_t);
    std::size_t size = 0;
    snappy::RawCompress(as_text(block).data(), block.size(),
                        reinterpret_cast<char*>(out.data() + used), &size);
    store_big_endian(length_at, static_cast<std::int32_t>(size));
    used += size;
  }
  return out.first(used);
}

/// One bare snappy block. It declares its size, which is believed only up to what snappy can make
/// of that many bytes: a copy of 64 bytes takes three, or two for short distances.
Result<void> snappy_block(BytesView block, Output& output) {
  constexpr std::size_t max_ratio = 64;
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(as_text(block).data(), block.size(), &size)) {
    return corrupt("snappy", "no length");
  }
  if (size > block.size() * max_ratio) return corrupt("snappy", "an impossible length");
  if (!output.reserve(size)) return output.too_large();
  auto* out = reinterpret_cast<char*>(output.free().data());
  if (!snappy::RawUncompress(as_text(block).data(), block.size(), out)) {
    return corrupt("snappy", "a broken block");
  }
  output.add(size);
  return {};
}

Result<BytesView> snappy_decompress(BytesView input, Output& output) {
  auto at_header = [&](BytesView bytes) {
    return bytes.size() >= xerial_header.size() &&
           std::equal(bytes.begin(), bytes.begin() + xerial_magic_bytes, xerial_header.begin());
  };
  if (!at_header(input)) {
    Result<void> whole = snappy_block(input, output);
    if (!whole) return fail(whole);
    return output.all();
  }
  ByteReader reader(input);
  while (reader.remaining() > 0) {
    if (at_header(input.subspan(reader.position()))) {
      reader.read_bytes(xerial_header.size());
      continue;
    }
    auto length = reader.read<std::uint32_t>();
    BytesView block = reader.read_bytes(length);
    if (!reader.ok()) return corrupt("snappy", "a block runs past the end");
    Result<void> added = snappy_block(block, output);
    if (!added) return fail(added);
  }
  if (!reader.ok()) return corrupt("snappy", "a block runs past the end");
  return output.all();
}

// ---- lz4

struct FreeLz4 {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

using Lz4Decoder = std::unique_ptr<LZ4F_dctx, FreeLz4>;

Lz4Decoder new_lz4_decoder() {
  LZ4F_dctx* made = nullptr;
  LZ4F_createDecompressionContext(&made, LZ4F_VERSION);
  ASSERT(made != nullptr);
  return Lz4Decoder(made);
}

BytesView lz4_compress(BytesView input, Scratch& scratch, std::optional<int> level) {
  LZ4F_preferences_t preferences{};
  // The Java client refuses frames whose blocks refer to each other.
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.compressionLevel = level ? std::clamp(*level, 0, LZ4F_compressionLevel_max()) : 0;
  MutableBytes out = scratch.room(LZ4F_compressFrameBound(input.size(), &preferences));
  std::size_t size =
      LZ4F_compressFrame(out.data(), out.size(), input.data(), input.size(), &preferences);
  ASSERT(!LZ4F_isError(size));
  return out.first(size);
}

Result<BytesView> lz4_frames(LZ4F_dctx* decoder, BytesView input, Output& output) {
  std::size_t wanted = 1;
  while (!input.empty() || wanted != 0) {
    std::size_t in_size = input.size();
    MutableBytes room = output.free();
    std::size_t out_size = room.size();
    wanted = LZ4F_decompress(decoder, room.data(), &out_size, input.data(), &in_size, nullptr);
    if (LZ4F_isError(wanted)) return corrupt("lz4", LZ4F_getErrorName(wanted));
    input = input.subspan(in_size);
    output.add(out_size);
    if (wanted == 0) continue;  // a frame is done; another may follow
    if (out_size == room.size()) {
      if (!output.grow()) return output.too_large();
    } else if (input.empty() && out_size == 0) {
      return corrupt("lz4", "it ends too early");
    }
  }
  return output.all();
}

/// A decoder is used again only when its last frame was whole: LZ4 1.9.4 resets one without
/// forgetting how many bytes a frame still owed, and would refuse the next good one for that.
Result<BytesView> lz4_decompress(BytesView input, Output& output) {
  thread_local Lz4Decoder decoder;
  if (decoder == nullptr) decoder = new_lz4_decoder();
  Result<BytesView> result = lz4_frames(decoder.get(), input, output);
  if (!result) decoder.reset();
  return result;
}

// ---- zstd

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

BytesView zstd_compress(BytesView input, Scratch& scratch, std::optional<int> level) {
  thread_local std::unique_ptr<ZSTD_CCtx, FreeZstd> context(ZSTD_createCCtx());
  ASSERT(context != nullptr);
  int used_level =
      level ? std::clamp(*level, ZSTD_minCLevel(), ZSTD_maxCLevel()) : ZSTD_defaultCLevel();
  MutableBytes out = scratch.room(ZSTD_compressBound(input.size()));
  std::size_t size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), input.data(),
                                       input.size(), used_level);
  ASSERT(!ZSTD_isError(size));
  return out.first(size);
}

/// Always in one go into the output, again with more room where it did not fit: a streaming
/// decoder would allocate the window that the frame declares. The second try is rare, since the
/// scratch has grown by then.
Result<BytesView> zstd_decompress(BytesView input, Output& output) {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeZstd> context(ZSTD_createDCtx());
  ASSERT(context != nullptr);
  while (true) {
    MutableBytes room = output.free();
    std::size_t size =
        ZSTD_decompressDCtx(context.get(), room.data(), room.size(), input.data(), input.size());
    if (!ZSTD_isError(size)) {
      output.add(size);
      return output.all();
    }
    if (ZSTD_getErrorCode(size) != ZSTD_error_dstSize_tooSmall) {
      return corrupt("zstd", ZSTD_getErrorName(size));
    }
    if (!output.grow()) return output.too_large();
  }
}

constexpr std::array<std::string_view, 5> names = {"none", "gzip", "snappy", "lz4", "zstd"};

}  // namespace

std::string_view name(Compression compression) {
  auto at = static_cast<std::size_t>(compression);
  return at < names.size() ? names[at] : "unknown";
}

std::optional<Compression> compression_named(std::string_view name) {
  auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return {};
  return static_cast<Compression>(found - names.begin());
}

BytesView compress(Compression compression, BytesView input, Scratch& scratch,
                   std::optional<int> level) {
  switch (compression) {
    case Compression::none: return input;
    case Compression::gzip: return gzip_compress(input, scratch, level);
    case Compression::snappy: return snappy_compress(input, scratch);
    case Compression::lz4: return lz4_compress(input, scratch, level);
    case Compression::zstd: return zstd_compress(input, scratch, level);
  }
  ASSERT(false);
  return {};
}

Result<BytesView> decompress(Compression compression, BytesView input, Scratch& scratch,
                             std::size_t max_bytes) {
  if (compression == Compression::none) return input;
  if (compression > Compression::zstd) {
    return fail(Errc::unsupported_compression,
                fmt::format("unknown codec {}", static_cast<int>(compression)));
  }
  // zlib would take nothing for a beginning, zstd for a whole.
  if (input.empty()) return corrupt(name(compression), "nothing there");
  // A first guess from what is there; batches of text shrink three- to eightfold. No input grows
  // more than a few thousandfold, so a short one need not start with much.
  Output output(scratch, input.size() * 4, max_bytes);
  switch (compression) {
    case Compression::gzip: return gzip_decompress(input, output);
    case Compression::snappy: return snappy_decompress(input, output);
    case Compression::lz4: return lz4_decompress(input, output);
    default: return zstd_decompress(input, output);
  }
}

}  // namespace leat::record
