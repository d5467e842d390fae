// A step, version 1:
//
//   step      := flags:u8 now_ms:varlong watermark_ms:varlong consumed idle decisions
//   flags     := 1 if it was a flush
//   consumed  := count:uvarint (input next:uvarlong records:uvarlong)*
//   idle      := count:uvarint input*
//   decisions := count:uvarint (input offset:uvarlong watermark_ms:varlong)*
//   input     := uvarint         how much greater than the one before in its list, or than 0
#include "stream/step_record.h"

#include <limits>
#include <optional>

namespace leat::stream {

namespace {

constexpr std::uint8_t flushed_flag = 1;

void write_offset(ByteWriter& writer, Offset offset) {
  writer.write_uvarlong(static_cast<std::uint64_t>(offset.value()));
}

// Of a list, each of whose entries takes so many bytes at least.
std::uint32_t read_count(ByteReader& reader, std::size_t bytes_each) {
  std::uint32_t count = reader.read_uvarint();
  if (count > reader.remaining() / bytes_each) reader.fail();
  return reader.ok() ? count : 0;
}

std::uint32_t read_input(ByteReader& reader, std::optional<std::uint32_t> before) {
  std::uint32_t more = reader.read_uvarint();
  bool again = before && more == 0;
  if (again || more > std::numeric_limits<std::uint32_t>::max() - before.value_or(0)) {
    reader.fail();
  }
  return before.value_or(0) + more;
}

Offset read_offset(ByteReader& reader) {
  std::uint64_t offset = reader.read_uvarlong();
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (offset > most) reader.fail();
  return Offset{static_cast<std::int64_t>(offset & most)};
}

}  // namespace

void StepRecord::encode(ByteWriter& writer) const {
  writer.write<std::uint8_t>(flushed ? flushed_flag : 0);
  writer.write_varlong(now_ms);
  writer.write_varlong(watermark);
  writer.write_uvarlong(consumed.size());
  std::uint32_t before = 0;
  for (const auto& [input, next, records] : consumed) {
    writer.write_uvarint(input - before);
    write_offset(writer, next);
    writer.write_uvarlong(records);
    before = input;
  }
  writer.write_uvarlong(idle.size());
  before = 0;
  for (std::uint32_t input : idle) {
    writer.write_uvarint(input - before);
    before = input;
  }
  writer.write_uvarlong(decisions.size());
  before = 0;
  for (const auto& [input, offset, raised_to] : decisions) {
    writer.write_uvarint(input - before);
    write_offset(writer, offset);
    writer.write_varlong(raised_to);
    before = input;
  }
}

Result<StepRecord> StepRecord::decode(ByteReader& reader) {
  StepRecord step;
  auto flags = reader.read<std::uint8_t>();
  if (flags > flushed_flag) reader.fail();
  step.flushed = flags == flushed_flag;
  step.now_ms = reader.read_varlong();
  step.watermark = reader.read_varlong();
  // In each list an input is there once.
  std::optional<std::uint32_t> before;
  for (std::uint32_t left = read_count(reader, 3); left > 0 && reader.ok(); --left) {
    before = read_input(reader, before);
    Offset next = read_offset(reader);
    step.consumed.push_back({*before, next, reader.read_uvarlong()});
  }
  before.reset();
  for (std::uint32_t left = read_count(reader, 1); left > 0 && reader.ok(); --left) {
    before = read_input(reader, before);
    step.idle.push_back(*before);
  }
  before.reset();
  for (std::uint32_t left = read_count(reader, 3); left > 0 && reader.ok(); --left) {
    before = read_input(reader, before);
    Offset offset = read_offset(reader);
    step.decisions.push_back({*before, offset, reader.read_varlong()});
  }
  if (!reader.ok()) return fail(Errc::corrupt_message, "the record of a step is damaged");
  return step;
}

}  // namespace leat::stream
