// Chunks that a store of rows keeps in place of copies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "column/chunk.h"

namespace leat::operators {

/// A chunk, and what its rows have that it says of runs of them.
struct KeptChunk {
  KeptChunk(const column::Chunk& kept, std::size_t own_bytes);

  column::Chunk chunk;
  std::vector<std::uint64_t> origins;
  std::size_t bytes;  // that it holds in memory, without the records that it was read from
};

/// How much memory the chunks keep. Records that several of them were read from count once. Not
/// thread-safe.
class KeptChunks {
 public:
  /// `row_bytes`: chunk_row_bytes() of what the chunks are of.
  explicit KeptChunks(std::size_t row_bytes) : row_bytes_(row_bytes) {}

  /// What a chunk keeps in memory without records, `text_bytes` of it texts.
  std::size_t bytes_of(const column::Chunk& chunk, std::size_t text_bytes) const;
  /// What records it would add to those that are kept. Nothing if it needs other buffers, which do
  /// not say how large they are, and may have the texts of many chunks.
  std::optional<std::size_t> record_bytes_more(const column::Chunk& chunk) const;
  void add(const KeptChunk& chunk);
  void remove(const KeptChunk& chunk);
  /// Of all, with records.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Records {
    const void* owner = nullptr;
    std::size_t bytes = 0;
    std::size_t chunks = 0;  // that were read from them
  };
  std::vector<Records>::const_iterator find(const void* owner) const;

  std::size_t row_bytes_;
  std::size_t bytes_ = 0;
  std::vector<Records> records_;  // few, and mostly the last ones are asked for
};

/// The bytes of the rows' texts and arrays, more or less: it looks at some.
std::size_t text_bytes_of(const column::Chunk& chunk, std::span<const std::uint32_t> rows);

}  // namespace leat::operators
