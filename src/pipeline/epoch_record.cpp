// The value of a record of a version's epochs, version 1, and 2 of a beginning:
//
//   record    := version:u8 kind:u8 epoch:uvarlong (begin | steps)
//
//   begin     := flags:u8 begun_ms:varlong plan_hash:text plan:text                       kind 1
//                count:uvarint input* repeats?                     no plan in version 1
//   flags     := 1 bounded, 2 flush, 4 repeats are there
//   input     := flags:u8 source:uvarint name:text topic_id:u8*16 partition:uvarint start:uvarlong
//                silent_to:uvarlong? end:uvarlong?
//   flags     := 1 silent_to is there, 2 end is there
//   repeats   := owner:text place place                        where it begins, and where it ends
//   place     := epoch:uvarlong next:uvarlong
//
//   steps     := flags:u8 suffix:text rows_in:uvarlong rows_out:uvarlong late:uvarlong bad:uvarlong
//                count:uvarint (output_hash:u64 step)* place?                             kind 2
//   flags     := 1 silent, 2 files, 4 finished, 8 a place is there
//   step      := as stream/step_record.cpp has it, version 1
//   text      := length:uvarint byte*
//
// Numbers are big-endian.
#include "pipeline/epoch_record.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace leat::pipeline {

namespace {

constexpr std::uint8_t version_1 = 1;
constexpr std::uint8_t version_2 = 2;
enum class Kind : std::uint8_t { begin = 1, steps = 2 };

constexpr std::uint8_t bit(bool set, int number) {
  return static_cast<std::uint8_t>(set ? 1 << number : 0);
}

class Writer {
 public:
  explicit Writer(Bytes& out) : writer_(out) {}

  void head(std::uint8_t version, Kind kind, std::uint64_t epoch) {
    writer_.write(version);
    writer_.write(static_cast<std::uint8_t>(kind));
    writer_.write_uvarlong(epoch);
  }
  void text(const std::string& text) {
    writer_.write_uvarlong(text.size());
    writer_.write_bytes(as_bytes(text));
  }
  void offset(Offset offset) { writer_.write_uvarlong(static_cast<std::uint64_t>(offset.value())); }
  void place(const EpochPlace& place) {
    writer_.write_uvarlong(place.epoch);
    offset(place.next);
  }

  void write(const BeginRecord& begin) {
    head(version_2, Kind::begin, begin.epoch);
    writer_.write<std::uint8_t>(bit(begin.bounded, 0) | bit(begin.flush, 1) |
                                bit(begin.repeats.has_value(), 2));
    writer_.write_varlong(begin.begun_ms);
    text(begin.plan_hash);
    text(begin.plan);
    writer_.write_uvarlong(begin.inputs.size());
    for (const auto& input : begin.inputs) write(input);
    if (!begin.repeats) return;
    text(begin.repeats->owner);
    place(begin.repeats->begin);
    place(begin.repeats->end);
  }

  void write(const EpochRecord& epoch) {
    head(version_1, Kind::steps, epoch.epoch);
    writer_.write<std::uint8_t>(bit(epoch.silent, 0) | bit(epoch.files, 1) |
                                bit(epoch.finished, 2) | bit(epoch.repeated.has_value(), 3));
    text(epoch.suffix);
    for (std::uint64_t count :
         {epoch.counts.rows_in, epoch.counts.rows_out, epoch.counts.late, epoch.counts.bad}) {
      writer_.write_uvarlong(count);
    }
    writer_.write_uvarlong(epoch.steps.size());
    for (const auto& [step, output_hash] : epoch.steps) {
      writer_.write(output_hash);
      step.encode(writer_);
    }
    if (epoch.repeated) place(*epoch.repeated);
  }

 private:
  void write(const BeginRecord::Input& input) {
    writer_.write<std::uint8_t>(bit(input.silent_to.has_value(), 0) |
                                bit(input.end.has_value(), 1));
    writer_.write_uvarint(input.source);
    text(input.name);
    writer_.write_bytes(std::as_bytes(std::span(input.topic_id.bytes)));
    writer_.write_uvarlong(static_cast<std::uint64_t>(input.partition.value()));
    offset(input.start);
    if (input.silent_to) offset(*input.silent_to);
    if (input.end) offset(*input.end);
  }

  ByteWriter writer_;
};

class Reader {
 public:
  explicit Reader(ByteReader& reader) : reader_(reader) {}

  std::uint8_t flags(std::uint8_t known) {
    auto flags = reader_.read<std::uint8_t>();
    if (flags > known) reader_.fail();
    return flags;
  }
  std::string text() {
    std::uint64_t size = reader_.read_uvarlong();
    if (size > reader_.remaining()) reader_.fail();
    return std::string(as_text(reader_.read_bytes(reader_.ok() ? size : 0)));
  }
  Offset offset() {
    std::uint64_t offset = reader_.read_uvarlong();
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    if (offset > most) reader_.fail();
    return Offset{static_cast<std::int64_t>(offset & most)};
  }
  EpochPlace place() {
    std::uint64_t epoch = reader_.read_uvarlong();
    return {epoch, offset()};
  }
  // Of things of so many bytes at least.
  std::uint64_t count(std::size_t bytes_each) {
    std::uint64_t count = reader_.read_uvarlong();
    if (count > reader_.remaining() / bytes_each) reader_.fail();
    return reader_.ok() ? count : 0;
  }

  BeginRecord begin(std::uint8_t version, std::uint64_t epoch) {
    BeginRecord begin;
    begin.epoch = epoch;
    std::uint8_t flags = this->flags(7);
    begin.bounded = (flags & 1) != 0;
    begin.flush = (flags & 2) != 0;
    begin.begun_ms = reader_.read_varlong();
    begin.plan_hash = text();
    if (version >= version_2) begin.plan = text();
    for (auto left = count(input_bytes_min); left > 0 && reader_.ok(); --left) {
      begin.inputs.push_back(input());
    }
    if ((flags & 4) == 0) return begin;
    auto& repeats = begin.repeats.emplace();
    repeats.owner = text();
    repeats.begin = place();
    repeats.end = place();
    return begin;
  }

  Result<EpochRecord> steps(std::uint64_t number) {
    EpochRecord epoch;
    epoch.epoch = number;
    std::uint8_t flags = this->flags(15);
    epoch.silent = (flags & 1) != 0;
    epoch.files = (flags & 2) != 0;
    epoch.finished = (flags & 4) != 0;
    epoch.suffix = text();
    for (std::uint64_t* count :
         {&epoch.counts.rows_in, &epoch.counts.rows_out, &epoch.counts.late, &epoch.counts.bad}) {
      *count = reader_.read_uvarlong();
    }
    for (auto left = count(step_bytes_min); left > 0 && reader_.ok(); --left) {
      auto hash = reader_.read<std::uint64_t>();
      auto step = stream::StepRecord::decode(reader_);
      if (!step) return fail(step);
      epoch.steps.push_back({std::move(*step), hash});
    }
    if ((flags & 8) != 0) epoch.repeated = place();
    return epoch;
  }

 private:
  static constexpr std::size_t input_bytes_min = 21;
  static constexpr std::size_t step_bytes_min = 14;

  BeginRecord::Input input() {
    BeginRecord::Input input;
    std::uint8_t flags = this->flags(3);
    input.source = reader_.read_uvarint();
    input.name = text();
    BytesView id = reader_.read_bytes(input.topic_id.bytes.size());
    std::copy(id.begin(), id.end(),
              std::as_writable_bytes(std::span(input.topic_id.bytes)).begin());
    std::uint32_t partition = reader_.read_uvarint();
    if (partition > std::numeric_limits<std::int32_t>::max()) reader_.fail();
    input.partition = PartitionId{static_cast<std::int32_t>(partition)};
    input.start = offset();
    if ((flags & 1) != 0) input.silent_to = offset();
    if ((flags & 2) != 0) input.end = offset();
    return input;
  }

  ByteReader& reader_;
};

}  // namespace

std::uint64_t epoch_of(const Record& record) {
  return std::visit([](const auto& either) { return either.epoch; }, record);
}

Bytes encode(const Record& record) {
  Bytes bytes;
  Writer writer(bytes);
  std::visit([&](const auto& either) { writer.write(either); }, record);
  return bytes;
}

Result<Record> decode(BytesView bytes) {
  ByteReader reader(bytes);
  auto version = reader.read<std::uint8_t>();
  auto kind = reader.read<std::uint8_t>();
  auto known = kind == static_cast<std::uint8_t>(Kind::begin) ? version_2 : version_1;
  if (reader.ok() && (version < version_1 || version > known)) {
    return fail(Errc::unsupported_format,
                fmt::format("the record of an epoch is of version {}; this is Leat of version {}",
                            version, known));
  }
  std::uint64_t epoch = reader.read_uvarlong();
  std::optional<Record> record;
  Reader fields(reader);
  if (kind == static_cast<std::uint8_t>(Kind::begin)) {
    record = fields.begin(version, epoch);
  } else if (kind == static_cast<std::uint8_t>(Kind::steps)) {
    auto steps = fields.steps(epoch);
    if (!steps) return fail(steps);
    record = std::move(*steps);
  }
  if (!record || !reader.ok() || reader.remaining() > 0) {
    return fail(Errc::corrupt_message, "the record of an epoch is damaged");
  }
  return std::move(*record);
}

}  // namespace leat::pipeline
