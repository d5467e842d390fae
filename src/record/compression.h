// The codecs of record batches: what stands in the low three bits of a batch's attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "record/scratch.h"

namespace leat::record {

/// The values are those of the wire. A batch off the wire may carry 5, 6 or 7, which no codec has.
enum class Compression : std::uint8_t { none, gzip, snappy, lz4, zstd };

/// "none", "gzip", "snappy", "lz4", "zstd", or "unknown".
std::string_view name(Compression compression);
std::optional<Compression> compression_named(std::string_view name);

/// What a batch may decompress to unless the caller says otherwise. Real producers bound a batch
/// before they compress it, mostly at 1 MiB; a bomb makes a thousandfold of what was sent.
inline constexpr std::size_t default_max_decompressed_bytes = 64u << 20;

/// Compresses `input` into `scratch` and returns what it became there. Without `level` it is the
/// codec's own default, and a level out of the codec's range becomes its nearest one. What comes
/// out can be read by the Java client and librdkafka: a gzip member, snappy in xerial's framing, an
/// LZ4 frame of independent blocks, a zstd frame. REQUIRES: one of the five codecs, `input` outside
/// `scratch`.
BytesView compress(Compression compression, BytesView input, Scratch& scratch,
                   std::optional<int> level = {});

/// Decompresses `input` into `scratch` (for `none`, returns `input` itself). Takes what clients
/// send: concatenated members or frames, and snappy with or without xerial's framing.
/// Memory follows what really comes out, never what the input declares, up to `max_bytes`.
/// Fails with corrupt_message, message_too_large (more than `max_bytes`), or
/// unsupported_compression. REQUIRES: `input` outside `scratch`.
Result<BytesView> decompress(Compression compression, BytesView input, Scratch& scratch,
                             std::size_t max_bytes = default_max_decompressed_bytes);

}  // namespace leat::record
