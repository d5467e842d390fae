#include "operators/kept_chunks.h"

#include <algorithm>

#include "base/assert.h"
#include "operators/gather.h"

namespace leat::operators {

namespace {

using column::Physical;

// Of every so many-th of `count` cells.
template <class RowOf>
std::size_t text_bytes(const column::Vector& column, std::size_t count, const RowOf& row_of) {
  constexpr std::size_t step = 32;
  std::size_t bytes = 0, seen = 0;
  for (std::size_t i = 0; i < count; i += step, ++seen) {
    if (!column.is_null(row_of(i))) bytes += column.text(row_of(i)).size();
  }
  return seen == 0 ? 0 : bytes * count / seen;
}

// Items are looked at whosever they are: chunks with arrays have as many as all rows.
std::size_t item_bytes(const column::Vector& items) {
  std::size_t bytes = items.size() * cell_bytes(items.type());
  if (physical(items.type()) == Physical::text)
    bytes += text_bytes(items, items.size(), [](std::size_t i) { return i; });
  return bytes;
}

}  // namespace

KeptChunk::KeptChunk(const column::Chunk& kept, std::size_t own_bytes)
    : chunk(kept), bytes(own_bytes) {
  origins.reserve(chunk.rows);
  for (const auto& run : chunk.context->runs) origins.resize(run.end, run.origin());
}

std::size_t KeptChunks::bytes_of(const column::Chunk& chunk, std::size_t text_bytes) const {
  const column::RowContext& context = *chunk.context;
  std::size_t rare = context.rests.size() * sizeof(std::string_view) + context.kinds.size() +
                     context.runs.size() * sizeof(column::RowRun);
  for (std::string_view rest : context.rests) rare += rest.size();
  return chunk.rows * (row_bytes_ + sizeof(std::uint64_t)) + rare + text_bytes;
}

std::optional<std::size_t> KeptChunks::record_bytes_more(const column::Chunk& chunk) const {
  std::size_t bytes = 0;
  for (const auto& buffer : chunk.context->buffers) {
    if (buffer.bytes.empty()) return {};
    if (find(buffer.owner.get()) == records_.end()) bytes += buffer.bytes.size();
  }
  return bytes;
}

void KeptChunks::add(const KeptChunk& chunk) {
  bytes_ += chunk.bytes;
  for (const auto& buffer : chunk.chunk.context->buffers) {
    auto found = find(buffer.owner.get());
    if (found == records_.end()) {
      records_.push_back({buffer.owner.get(), buffer.bytes.size(), 0});
      found = std::prev(records_.end());
      bytes_ += buffer.bytes.size();
    }
    ++records_[static_cast<std::size_t>(found - records_.begin())].chunks;
  }
}

void KeptChunks::remove(const KeptChunk& chunk) {
  bytes_ -= chunk.bytes;
  for (const auto& buffer : chunk.chunk.context->buffers) {
    auto found = find(buffer.owner.get());
    ASSERT(found != records_.end());
    Records& records = records_[static_cast<std::size_t>(found - records_.begin())];
    if (--records.chunks > 0) continue;
    bytes_ -= records.bytes;
    records_.erase(found);
  }
}

std::vector<KeptChunks::Records>::const_iterator KeptChunks::find(const void* owner) const {
  return std::find_if(records_.begin(), records_.end(),
                      [&](const Records& records) { return records.owner == owner; });
}

std::size_t text_bytes_of(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
  std::size_t bytes = 0;
  for (const auto& column : chunk.columns) {
    auto kind = physical(column->type());
    if (kind == Physical::text)
      bytes += text_bytes(*column, rows.size(), [&](std::size_t i) { return rows[i]; });
    if (kind == Physical::list) bytes += item_bytes(column->items());
  }
  return bytes;
}

}  // namespace leat::operators
