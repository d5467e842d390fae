#include "broker/epoch_envelope.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "record/builder.h"
#include "record/record.h"

namespace leat::broker {
namespace {

constexpr std::string_view header_key = "leat.epoch";
constexpr std::uint8_t envelope_version = 1;
constexpr std::uint64_t int31_max = std::numeric_limits<std::int32_t>::max();

std::int32_t numbers_between(std::int32_t from, std::int32_t to) {
  return from <= to ? to - from : to - from + epoch_numbers;
}

void write_places(ByteWriter& out, std::int32_t number, const std::vector<EpochPlace>& places) {
  std::map<Uuid, std::vector<const EpochPlace*>> by_topic;
  for (const EpochPlace& place : places) by_topic[place.partition.topic_id].push_back(&place);
  out.write_uvarint(static_cast<std::uint32_t>(by_topic.size()));
  for (const auto& [topic, theirs] : by_topic) {
    out.write_bytes(std::as_bytes(std::span(topic.bytes)));
    out.write_uvarint(static_cast<std::uint32_t>(theirs.size()));
    for (const EpochPlace* place : theirs) {
      out.write_uvarint(static_cast<std::uint32_t>(place->partition.partition.value()));
      out.write_uvarint(static_cast<std::uint32_t>(numbers_between(place->number, number)));
      out.write_uvarint(static_cast<std::uint32_t>(place->last_sequence));
      out.write_uvarlong(static_cast<std::uint64_t>(place->next_offset.value()));
    }
  }
}

/// A number of 31 bits.
std::int32_t read_number(ByteReader& in) {
  std::uint32_t number = in.read_uvarint();
  if (number > int31_max) in.fail();
  return static_cast<std::int32_t>(number & int31_max);
}

EpochPlace read_place(ByteReader& in, const Uuid& topic, std::int32_t number) {
  EpochPlace place;
  place.partition = {topic, PartitionId{read_number(in)}};
  std::int32_t before = read_number(in);
  if (before >= epoch_numbers) in.fail();
  place.number = before <= number ? number - before : number - before + epoch_numbers;
  place.last_sequence = read_number(in);
  std::uint64_t next = in.read_uvarlong();
  if (next > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) in.fail();
  place.next_offset = Offset{static_cast<std::int64_t>(next)};
  return place;
}

std::vector<EpochPlace> read_places(ByteReader& in, std::int32_t number) {
  std::vector<EpochPlace> places;
  std::uint32_t topics = in.read_uvarint();
  for (std::uint32_t t = 0; t < topics && in.ok(); ++t) {
    Uuid topic;
    BytesView id = in.read_bytes(topic.bytes.size());
    if (!in.ok()) break;
    std::copy(id.begin(), id.end(), std::as_writable_bytes(std::span(topic.bytes)).begin());
    std::uint32_t count = in.read_uvarint();
    for (std::uint32_t p = 0; p < count && in.ok(); ++p) {
      places.push_back(read_place(in, topic, number));
    }
  }
  return places;
}

/// The one batch with `at`, or the first behind it; nothing at the end.
Result<Bytes> read_batch(const log::LogView& view, Offset at) {
  auto slice = view.read(at, 0);
  if (!slice) return fail(slice);
  Bytes bytes(slice->bytes);
  if (bytes.empty()) return bytes;
  auto got = slice->file->read_at(slice->position, bytes);
  if (!got) return fail(got);
  bytes.resize(*got);
  return bytes;
}

/// Where what stands before `next` begins, if it is a gap that was accepted.
std::optional<Offset> gap_before(const log::LogView& view, Offset next) {
  for (const log::OffsetRange& gap : view.gaps) {
    if (gap.base < next && next <= gap.next) return gap.base;
  }
  return std::nullopt;
}

Result<EpochEnvelope> envelope_of(const record::BatchView& batch) {
  record::RecordIterator records(batch);
  const record::Record* record = records.next();
  if (const Error* error = records.error()) return fail(error->code, error->what);
  auto header = record == nullptr ? std::nullopt : record->headers.find(header_key);
  if (!header || !header->value) return fail(Errc::corrupt_message, "a record that is no epoch's");
  return decode_epoch_envelope(*header->value);
}

}  // namespace

Bytes encode(const EpochEnvelope& envelope) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.write(envelope_version);
  out.write(envelope.number);
  write_places(out, envelope.number, envelope.places);
  write_places(out, envelope.number, envelope.ended);
  return bytes;
}

Result<EpochEnvelope> decode_epoch_envelope(BytesView bytes) {
  ByteReader in(bytes);
  auto version = in.read<std::uint8_t>();
  if (in.ok() && version != envelope_version) {
    return fail(Errc::unsupported_format, fmt::format("an epoch of version {}", version));
  }
  EpochEnvelope envelope;
  envelope.number = in.read<std::int32_t>();
  if (envelope.number < 0 || envelope.number >= epoch_numbers) in.fail();
  if (in.ok()) envelope.places = read_places(in, envelope.number);
  if (in.ok()) envelope.ended = read_places(in, envelope.number);
  if (!in.ok()) return fail(Errc::corrupt_message, "an epoch's envelope cannot be read");
  return envelope;
}

record::EndMarker epoch_marker(std::int32_t number, bool is_commit) {
  return {is_commit, 2 * number + (is_commit ? 0 : 1)};
}

Bytes build_epoch_record(const EpochRecord& record, BytesView value,
                         const EpochEnvelope& envelope) {
  Bytes bytes = encode(envelope);
  std::array headers{record::Header{header_key, BytesView(bytes)}};
  record::BatchBuilder builder;
  builder.append(record.timestamp_ms, std::nullopt, value, headers);
  record::BatchOptions options;
  options.producer_id = record.producer;
  options.producer_epoch = epoch_producer_epoch;
  options.base_sequence = record.sequence;
  options.is_transactional = true;
  return builder.build(options);
}

Result<std::optional<LastEpoch>> read_last_epoch(const log::LogView& view) {
  std::optional<record::EndMarker> marker;
  Offset next = view.high_watermark;
  while (next > view.start_offset) {
    if (auto gap = gap_before(view, next)) {
      next = *gap;
      continue;
    }
    auto bytes = read_batch(view, Offset{next.value() - 1});
    if (!bytes) return fail(bytes);
    auto batch = record::BatchView::parse(*bytes);
    if (!batch) return fail(batch);
    next = batch->base_offset();
    if (batch->is_control()) {
      if (!marker) marker = record::parse_end_marker(*batch);
      continue;
    }
    auto envelope = envelope_of(*batch);
    if (!envelope) return fail(envelope);
    LastEpoch last{batch->producer_id(), std::move(*envelope), LastEpoch::State::open};
    if (marker) {
      last.state = marker->is_commit ? LastEpoch::State::committed : LastEpoch::State::aborted;
    }
    return last;
  }
  return std::nullopt;
}

}  // namespace leat::broker
