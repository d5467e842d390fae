#include "base/state.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/crc32c.h"

namespace leat {

namespace {

constexpr std::string_view magic = "LEATSNAP";
constexpr std::uint8_t format = 1;
constexpr std::size_t crc_bytes = sizeof(std::uint32_t);

}  // namespace

StateWriter::StateWriter(std::size_t bytes) {
  constexpr std::size_t least_bytes = 256;
  bytes_.reserve(std::max(bytes, least_bytes));
  writer_.write_bytes(as_bytes(magic));
  writer_.write(format);
}

void StateWriter::section(std::string_view name, std::uint8_t version) {
  write_text(name);
  writer_.write(version);
}

void StateWriter::write_text(std::string_view text) {
  writer_.write_uvarlong(text.size());
  writer_.write_bytes(as_bytes(text));
}

Bytes StateWriter::finish() {
  writer_.write(crc32c(bytes_));
  return std::move(bytes_);
}

Result<StateReader> StateReader::open(BytesView snapshot) {
  if (snapshot.size() < magic.size() + sizeof format + crc_bytes ||
      as_text(snapshot.first(magic.size())) != magic) {
    return leat::fail(Errc::corrupt_message, "these bytes are no snapshot");
  }
  BytesView body = snapshot.first(snapshot.size() - crc_bytes);
  if (load_big_endian<std::uint32_t>(snapshot.data() + body.size()) != crc32c(body)) {
    return leat::fail(Errc::corrupt_message, "the snapshot fails its checksum");
  }
  auto written = std::to_integer<std::uint8_t>(body[magic.size()]);
  if (written != format) {
    return leat::fail(Errc::unsupported_format,
                      fmt::format("the snapshot has format {}, not {}", written, format));
  }
  return StateReader(body.subspan(magic.size() + sizeof format));
}

Result<void> StateReader::section(std::string_view name, std::uint8_t version) {
  std::string_view found = read_text();
  auto found_version = read<std::uint8_t>();
  if (!ok()) return leat::fail(Errc::corrupt_message, "the snapshot ends too soon");
  if (found == name && found_version == version) return {};
  return leat::fail(Errc::snapshot_mismatch,
                    fmt::format("the snapshot has {} version {} where {} version {} should be",
                                found, found_version, name, version));
}

std::string_view StateReader::read_text() {
  std::uint64_t size = reader_.read_uvarlong();
  if (size > reader_.remaining()) {
    reader_.fail();
    return {};
  }
  return as_text(reader_.read_bytes(size));
}

BytesView StateReader::read_bytes(std::size_t count, std::size_t bytes_each) {
  if (count > reader_.remaining() / bytes_each) {
    reader_.fail();
    return {};
  }
  return reader_.read_bytes(count * bytes_each);
}

std::uint32_t StateReader::read_count(std::size_t bytes_each) {
  auto count = read<std::uint32_t>();
  if (count > reader_.remaining() / bytes_each) {
    reader_.fail();
    return 0;
  }
  return count;
}

Result<void> StateReader::finish() const {
  if (ok() && reader_.remaining() == 0) return {};
  return leat::fail(Errc::corrupt_message, "the snapshot has other bytes than its sections");
}

}  // namespace leat
