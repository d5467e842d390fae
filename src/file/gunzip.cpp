#include "file/gunzip.h"

#include <zlib.h>

#include <algorithm>

#include "base/assert.h"

namespace leat::file {

namespace {

constexpr std::size_t input_bytes = std::size_t{256} << 10;
/// Tells zlib to expect a gzip header.
constexpr int gzip_window_bits = 15 + 16;

}  // namespace

struct Gunzip::Stream {
  explicit Stream(BytesView begin) : input(std::max(input_bytes, begin.size())) {
    int ready = inflateInit2(&z, gzip_window_bits);
    ASSERT(ready == Z_OK);
    std::copy(begin.begin(), begin.end(), input.begin());
    give(begin.size());
  }
  ~Stream() { inflateEnd(&z); }
  void skip_padding() {
    for (; z.avail_in > 0 && *z.next_in == 0; ++z.next_in, --z.avail_in) is_padded = true;
  }
  void give(std::size_t bytes) {
    z.next_in = reinterpret_cast<Bytef*>(input.data());
    z.avail_in = static_cast<uInt>(bytes);
  }

  z_stream z{};
  Bytes input;
  bool input_ended = false;
  /// Between two members, or before the first.
  bool at_boundary = true;
  /// Behind a member, or behind what pads the last one.
  bool may_be_padded = false;
  bool is_padded = false;
};

Gunzip::Gunzip(BytesView begin) : stream_(std::make_unique<Stream>(begin)) {}

Gunzip::~Gunzip() = default;

bool Gunzip::is_gzip(BytesView begin) {
  return as_text(begin).starts_with("\x1f\x8b");
}

Result<std::size_t> Gunzip::read(MutableBytes into, const Read& read_packed) {
  z_stream& z = stream_->z;
  z.next_out = reinterpret_cast<Bytef*>(into.data());
  z.avail_out = static_cast<uInt>(into.size());
  while (z.avail_out == into.size()) {
    if (z.avail_in == 0 && !stream_->input_ended) {
      auto got = read_packed(MutableBytes(stream_->input));
      if (!got) return got;
      stream_->give(*got);
      stream_->input_ended = *got == 0;
    }
    if (stream_->may_be_padded) stream_->skip_padding();
    if (stream_->may_be_padded && z.avail_in == 0 && !stream_->input_ended) continue;
    if (stream_->input_ended && stream_->at_boundary && z.avail_in == 0) break;
    if (stream_->is_padded) return fail(Errc::io_error, "broken gzip data");
    stream_->at_boundary = stream_->may_be_padded = false;
    int code = inflate(&z, Z_NO_FLUSH);
    bool is_cut = code == Z_BUF_ERROR && stream_->input_ended;
    bool is_broken = code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR;
    if (is_cut || is_broken) {
      // What came before it is good, and the next call comes here again.
      if (z.avail_out < into.size()) break;
      return fail(Errc::io_error, is_cut ? "the gzip file is cut short" : "broken gzip data");
    }
    if (code == Z_STREAM_END) {
      // Another member may follow.
      inflateReset(&z);
      stream_->at_boundary = stream_->may_be_padded = true;
    }
  }
  return into.size() - z.avail_out;
}

}  // namespace leat::file
