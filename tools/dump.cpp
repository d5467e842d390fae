// leat dump: prints the batches and records of segment files as they lie on disk.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/logging.h"
#include "column/timestamp.h"
#include "file/posix_file_system.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/end_marker.h"
#include "record/record.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/data_topics.h"
#include "tools/output.h"
#include "tools/record_json.h"

namespace leat::tools {

namespace {

struct DumpOptions {
  std::vector<std::string> paths;
  bool records = false;
  std::string format = "text";
  bool json() const { return format == "json"; }
};

std::string time_text(std::int64_t timestamp_ms) {
  column::Timestamp time{timestamp_ms};
  if (timestamp_ms < column::timestamp_min.ms || timestamp_ms > column::timestamp_max.ms) {
    return std::to_string(timestamp_ms);
  }
  std::string text;
  column::append_timestamp(text, time);
  return text;
}

/// What a control batch says, as a field; nothing for one with records of clients.
std::string marker_json(const record::BatchView& batch, bool is_sound) {
  if (!batch.is_control()) return "";
  auto marker = is_sound ? record::parse_end_marker(batch) : std::nullopt;
  if (!marker) return "\"marker\":\"unknown\",";
  return marker->is_commit ? "\"marker\":\"commit\"," : "\"marker\":\"abort\",";
}

std::optional<std::string_view> text_of(const std::optional<BytesView>& bytes) {
  if (!bytes) return std::nullopt;
  return as_text(*bytes);
}

/// As a consumer would be given it. Its headers are put into `headers`.
InRecord as_polled(const record::Record& record, const std::string& topic, std::int32_t partition,
                   std::vector<Header>& headers) {
  headers.clear();
  for (const record::Header& header : record.headers)
    headers.push_back({header.key, text_of(header.value)});
  return {topic,
          partition,
          record.offset.value(),
          Timestamp(std::chrono::milliseconds(record.timestamp_ms)),
          text_of(record.key),
          text_of(record.value),
          headers};
}

class Dumping {
 public:
  Dumping(const DumpOptions& options, file::FileSystem& files) : options_(options), files_(files) {}

  Result<void> dump_directory(const std::string& directory);
  Result<void> dump_segment(const std::string& path, const std::string& topic,
                            std::int32_t partition);
  bool found_damage() const { return found_damage_; }
  bool is_done() const { return output_.closed(); }

 private:
  void print(const record::BatchView& batch, std::uint64_t position, const std::string& topic,
             std::int32_t partition);
  void print_records(const record::BatchView& batch, const std::string& topic,
                     std::int32_t partition);
  void print_damage(const std::string& path, std::uint64_t position, std::uint64_t bytes,
                    const std::string& cause);

  const DumpOptions& options_;
  file::FileSystem& files_;
  Output output_;
  record::Scratch scratch_;
  bool found_damage_ = false;
};

void Dumping::print_damage(const std::string& path, std::uint64_t position, std::uint64_t bytes,
                           const std::string& cause) {
  found_damage_ = true;
  if (options_.json()) {
    std::string line = "{\"path\":";
    append_json_text(line, path);
    line += fmt::format(",\"position\":{},\"bytes\":{},\"damage\":", position, bytes);
    append_json_text(line, cause);
    output_.print(line + "}\n");
    return;
  }
  output_.print(fmt::format("  DAMAGE at position {}, {} bytes: {}\n", position, bytes, cause));
}

void Dumping::print(const record::BatchView& batch, std::uint64_t position,
                    const std::string& topic, std::int32_t partition) {
  bool is_sound = batch.crc_matches();
  if (options_.json()) {
    std::string line = "{\"topic\":";
    append_json_text(line, topic);
    line += fmt::format(
        ",\"partition\":{},\"position\":{},\"bytes\":{},\"base_offset\":{},\"next_offset\":{},"
        "\"leader_epoch\":{},\"records\":{},\"codec\":\"{}\",\"base_timestamp\":{},"
        "\"max_timestamp\":{},\"producer_id\":{},\"producer_epoch\":{},\"base_sequence\":{},"
        "\"transactional\":{},{}\"crc_ok\":{}}}\n",
        partition, position, batch.size_bytes(), batch.base_offset().value(),
        batch.next_offset().value(), batch.leader_epoch().value(), batch.record_count(),
        record::name(batch.compression()), batch.base_timestamp_ms(), batch.max_timestamp_ms(),
        batch.producer_id().value(), batch.producer_epoch(), batch.base_sequence(),
        batch.is_transactional(), marker_json(batch, is_sound), is_sound);
    output_.print(line);
  } else {
    output_.print(fmt::format(
        "  {:>12} {:>9} bytes  offsets {}:{}  {} records  {}  to {}  epoch {}  crc {}\n", position,
        batch.size_bytes(), batch.base_offset().value(), batch.next_offset().value(),
        batch.record_count(), record::name(batch.compression()),
        time_text(batch.max_timestamp_ms()), batch.leader_epoch().value(),
        is_sound ? "ok" : "WRONG"));
  }
  found_damage_ = found_damage_ || !is_sound;
  bool has_records = is_sound && !batch.is_control();
  if (options_.records && has_records) print_records(batch, topic, partition);
}

void Dumping::print_records(const record::BatchView& batch, const std::string& topic,
                            std::int32_t partition) {
  record::RecordIterator records(batch, scratch_);
  std::vector<Header> headers;
  while (const record::Record* record = records.next()) {
    if (!options_.json()) output_.print("    ");
    append_record_json(output_.buffer(), as_polled(*record, topic, partition, headers));
    output_.print("\n");
  }
  if (const Error* error = records.error()) {
    print_damage(topic, 0, batch.size_bytes(), error->what);
  }
}

Result<void> Dumping::dump_segment(const std::string& path, const std::string& topic,
                                   std::int32_t partition) {
  auto file = files_.open(path, file::OpenMode::read);
  if (!file) return fail(file);
  auto size = (*file)->size();
  if (!size) return fail(size);
  if (!options_.json()) output_.print(fmt::format("{}  {}/{}\n", path, topic, partition));
  constexpr std::uint64_t read_bytes = 4 << 20;
  Bytes buffer;
  std::uint64_t position = 0;
  std::uint64_t wanted = read_bytes;
  while (position < *size && !is_done()) {
    buffer.resize(std::min(wanted, *size - position));
    auto read = (*file)->read_at(position, buffer);
    if (!read) return fail(read);
    BytesView rest(buffer.data(), *read);
    std::string cause;
    while (!rest.empty()) {
      auto batch = record::BatchView::parse(rest);
      if (!batch) {
        cause = batch.error().what;
        break;
      }
      print(*batch, position, topic, partition);
      position += batch->size_bytes();
      rest = rest.subspan(batch->size_bytes());
    }
    // What is left may be the beginning of a batch: it is read again, whole if it says how long.
    wanted = read_bytes;
    if (rest.size() < *read) continue;
    auto claimed = record::batch_size(rest);
    if (!claimed || *claimed <= rest.size() || *claimed > *size - position) {
      print_damage(path, position, *size - position, cause);
      break;
    }
    wanted = *claimed;
  }
  return {};
}

Result<void> Dumping::dump_directory(const std::string& directory) {
  auto lock = hold_directory(files_, directory);
  if (!lock) return fail(lock);
  auto names = read_topic_names(files_, directory);
  auto topics = files_.list(directory + "/partitions");
  if (!topics) return fail(topics);
  for (const file::DirectoryEntry& topic : *topics) {
    auto id = Uuid::from_hex(topic.name);
    std::string topic_path = directory + "/partitions/" + topic.name;
    auto partitions = files_.list(topic_path);
    if (!partitions || !id) continue;
    auto known = names.find(*id);
    const std::string& name = known == names.end() ? topic.name : known->second;
    for (const file::DirectoryEntry& partition : *partitions) {
      std::string path = topic_path + "/" + partition.name;
      auto segments = files_.list(path);
      if (!segments) continue;
      for (const file::DirectoryEntry& segment : *segments) {
        if (!segment.name.ends_with(".log") || is_done()) continue;
        auto dumped = dump_segment(path + "/" + segment.name, name,
                                   static_cast<std::int32_t>(std::atoi(partition.name.c_str())));
        if (!dumped) return dumped;
      }
    }
  }
  return {};
}

int dump(const DumpOptions& options) {
  set_log_level(LogLevel::none);
  file::PosixFileSystem files;
  Dumping dumping(options, files);
  for (const std::string& path : options.paths) {
    bool is_segment = path.ends_with(".log");
    auto dumped =
        is_segment ? dumping.dump_segment(path, "segment", 0) : dumping.dump_directory(path);
    if (!dumped) return fail_command(dumped.error());
  }
  return dumping.found_damage() ? exit_error : exit_ok;
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<DumpOptions>();
  arguments.positionals("PATH", options->paths, "Data directories, or segment files (*.log)", true);
  arguments.flag("--records", options->records, "Print the records as well, as JSON");
  arguments.format(options->format);
  arguments.run([options] { return dump(*options); });
}

}  // namespace

const Command dump_command{
    "dump", "Prints the batches in a data directory's segments, without a server",
    "  leat dump ./leat-data                         every batch of every partition\n"
    "  leat dump ./leat-data --records --format json\n"
    "  leat dump 00000000000000000000.log            a single segment\n"
    "What a commit has written to the journal only is not in the segments before the next start.",
    declare};

}  // namespace leat::tools
