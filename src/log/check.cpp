// Reads a whole data directory and tells what is wrong with it.
#include <algorithm>
#include <limits>
#include <set>

#include <fmt/core.h>

#include "log/dry_run.h"
#include "log/format.h"
#include "log/producer_snapshot.h"
#include "log/quarantine.h"
#include "log/recovery.h"
#include "log/seal.h"
#include "log/segment.h"
#include "log/store.h"

namespace leat::log {
namespace {

/// Nothing that a check finds depends on the time.
class NoClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 0; }
  std::chrono::nanoseconds monotonic() const override { return {}; }
};

using Progress = std::function<void(std::uint64_t, std::uint64_t)>;

/// Checks a directory as recovery would leave it.
class Checker {
 public:
  Checker(file::FileSystem& files, const Layout& layout, const Progress& progress)
      : files_(files), layout_(layout), progress_(progress) {}

  Result<CheckReport> run();

 private:
  Result<void> check_partition(const PartitionState& state);
  void add_known_damage(const PartitionState& state);
  /// A bad snapshot does no harm: the log is read instead.
  Result<void> check_producers(const PartitionState& state);
  Result<void> check_segment(const PartitionState& state, const SegmentState& segment);
  Result<void> check_index(const PartitionState& state, const SegmentState& segment,
                           const std::vector<Damage>& damaged,
                           const std::set<Place, bool (*)(const Place&, const Place&)>& places);
  Result<void> check_seal(const PartitionState& state, const SegmentState& segment,
                          const Seal& counted);
  Result<void> find_unknown(const std::vector<PartitionState>& states);
  void add(Finding::Kind kind, const PartitionState& state, OffsetRange offsets,
           const std::string& path, std::string cause);

  DryRunFileSystem files_;
  const Layout& layout_;
  const Progress& progress_;
  std::uint64_t total_ = 0;
  CheckReport report_;
};

bool by_position(const Place& a, const Place& b) {
  return a.position < b.position;
}

void Checker::add(Finding::Kind kind, const PartitionState& state, OffsetRange offsets,
                  const std::string& path, std::string cause) {
  Finding finding;
  finding.kind = kind;
  finding.partition = state.id;
  finding.offsets = offsets;
  finding.path = layout_.relative(path);
  finding.cause = std::move(cause);
  report_.findings.push_back(std::move(finding));
}

Result<CheckReport> Checker::run() {
  NoClock clock;
  RecoveryOptions options;
  options.is_quiet = true;
  Result<Recovered> recovered = recover(files_, clock, layout_, options);
  if (!recovered) return fail(recovered);
  report_.findings = std::move(recovered->findings);
  report_.partitions = recovered->partitions.size();
  for (const PartitionState& state : recovered->partitions) {
    for (const SegmentState& segment : state.segments) total_ += segment.bytes;
  }
  if (progress_) progress_(0, total_);
  for (const PartitionState& state : recovered->partitions) {
    Result<void> checked = check_partition(state);
    if (!checked) return fail(checked);
  }
  Result<void> looked = find_unknown(recovered->partitions);
  if (!looked) return fail(looked);
  return std::move(report_);
}

Result<void> Checker::check_partition(const PartitionState& state) {
  QuarantineJob quarantine{files_, layout_, 0, false};
  Result<std::vector<Finding>> behind = clear_behind_end(quarantine, state);
  if (!behind) return fail(behind);
  for (Finding& finding : *behind) {
    finding.cause =
        fmt::format("{} bytes behind the end of the log were never acknowledged", finding.bytes);
    report_.findings.push_back(std::move(finding));
  }
  for (const OffsetRange& gap : state.gaps) {
    add(Finding::Kind::accepted, state, gap, layout_.partition(state.id),
        "the loss of these records was accepted");
  }
  add_known_damage(state);
  for (const SegmentState& segment : state.segments) {
    Result<void> checked = check_segment(state, segment);
    if (!checked) return checked;
  }
  return check_producers(state);
}

Result<void> Checker::check_producers(const PartitionState& state) {
  std::string path = layout_.producers(state.id);
  Result<Bytes> bytes = file::read_file(files_, path);
  if (!bytes && bytes.error().code == Errc::not_found) return {};
  if (!bytes) return fail(bytes);
  auto snapshot = decode_producer_snapshot(*bytes, std::numeric_limits<std::size_t>::max());
  if (!snapshot) {
    add(Finding::Kind::index, state, {}, path, snapshot.error().what);
  } else if (snapshot->offset > state.end_offset) {
    add(Finding::Kind::index, state, {}, path, "it counts more records than the log has");
  }
  return {};
}

/// Also that of segments of which nothing is left.
void Checker::add_known_damage(const PartitionState& state) {
  for (const Damage& damage : state.damage) {
    bool is_new =
        std::none_of(report_.findings.begin(), report_.findings.end(), [&](const Finding& finding) {
          return finding.kind == Finding::Kind::damage && finding.partition == state.id &&
                 finding.offsets == damage.offsets;
        });
    if (!is_new) continue;
    for (const OffsetRange& range : unreadable({damage}, state.gaps)) {
      Finding known = damage_finding(layout_, state, damage, "found damaged earlier");
      known.offsets = range;
      report_.findings.push_back(std::move(known));
    }
  }
}

Result<void> Checker::check_segment(const PartitionState& state, const SegmentState& segment) {
  std::string path = layout_.segment(state.id, segment.base_offset, segment.version);
  auto found = [&](const Damage& damage, const std::string& cause) {
    // Without an index a damaged range may look larger than it did when its loss was accepted.
    for (const OffsetRange& range : unreadable({damage}, state.gaps)) {
      report_.findings.push_back(damage_finding(layout_, state, damage, cause));
      report_.findings.back().offsets = range;
    }
  };
  Segment::Settings settings;
  settings.sink = std::make_shared<const DamageSink>(found);
  Segment checked(files_, path, segment, settings);
  for (const Damage& damage : state.damage) {
    if (damage.segment_base != segment.base_offset) continue;
    checked.add_damage(damage);
  }
  std::set<Place, bool (*)(const Place&, const Place&)> places(by_position);
  Seal counted;
  auto count = [&](const file::File&, const ScannedBatch& batch) -> Result<bool> {
    ++counted.batches;
    counted.records += static_cast<std::uint64_t>(batch.head.record_count);
    places.insert({batch.head.base_offset, batch.position});
    return true;
  };
  Result<void> visited =
      checked.visit({segment.base_offset, 0}, {segment.next_offset, segment.bytes}, count);
  if (!visited) return visited;
  report_.bytes += segment.bytes;
  report_.batches += counted.batches;
  report_.records += counted.records;
  if (progress_) progress_(report_.bytes, total_);
  if (checked.is_lost()) return {};
  std::vector<Damage> damaged = checked.damage();
  Result<void> index = check_index(state, segment, damaged, places);
  if (!index) return index;
  // That a damaged segment is not what was sealed has been said already, or was accepted.
  if (!damaged.empty()) return {};
  return check_seal(state, segment, counted);
}

Result<void> Checker::check_index(
    const PartitionState& state, const SegmentState& segment, const std::vector<Damage>& damaged,
    const std::set<Place, bool (*)(const Place&, const Place&)>& places) {
  std::string path =
      with_suffix(layout_.segment(state.id, segment.base_offset, segment.version), ".index");
  OffsetRange offsets{segment.base_offset, segment.next_offset};
  Result<Bytes> bytes = file::read_file(files_, path);
  if (!bytes && bytes.error().code != Errc::not_found) return fail(bytes);
  if (!bytes) {
    if (segment.sealed) {
      add(Finding::Kind::index, state, offsets, path, "the index is missing; it is made again");
    }
    return {};
  }
  Index index(segment.base_offset, layout_.segment(state.id, segment.base_offset, segment.version));
  index.decode(*bytes, {segment.next_offset, segment.bytes});
  if (bytes->size() != Index::file_position(index.size())) {
    add(Finding::Kind::index, state, offsets, path,
        fmt::format("entry {} of the index is bad; it is made again", index.size()));
    return {};
  }
  std::optional<Place> entry = index.ceil_position(0);
  while (entry) {
    auto place = places.find(*entry);
    bool behind_damage = std::any_of(damaged.begin(), damaged.end(), [&](const Damage& damage) {
      return damage.position <= entry->position;
    });
    if (!behind_damage && (place == places.end() || place->offset != entry->offset)) {
      add(Finding::Kind::index, state, offsets, path,
          fmt::format("the index says that offset {} is at byte {}, which it is not",
                      entry->offset.value(), entry->position));
      return {};
    }
    entry = index.ceil_position(entry->position + 1);
  }
  return {};
}

Result<void> Checker::check_seal(const PartitionState& state, const SegmentState& segment,
                                 const Seal& counted) {
  if (!segment.sealed) return {};
  std::string log_path = layout_.segment(state.id, segment.base_offset, segment.version);
  std::string path = with_suffix(log_path, ".seal");
  OffsetRange offsets{segment.base_offset, segment.next_offset};
  Result<Bytes> bytes = file::read_file(files_, path);
  if (!bytes && bytes.error().code != Errc::not_found) return fail(bytes);
  Result<Seal> seal = bytes ? decode_seal(*bytes) : Result<Seal>(fail(bytes));
  if (!seal) {
    add(Finding::Kind::seal, state, offsets, path, seal.error().what);
    return {};
  }
  Result<file::FilePtr> file = files_.open(log_path, file::OpenMode::read);
  if (!file) return fail(file);
  Result<std::uint64_t> hash = hash_file(**file, 0, segment.bytes);
  if (!hash && hash.error().code != Errc::corrupt_message) return fail(hash);
  if (seal->bytes == segment.bytes && seal->next_offset == segment.next_offset && hash &&
      seal->hash == *hash) {
    return {};
  }
  add(Finding::Kind::seal, state, offsets, path,
      fmt::format("the segment is not what was sealed: {} bytes, {} batches and {} records were, "
                  "{} bytes, {} batches and {} records are there",
                  seal->bytes, seal->batches, seal->records, segment.bytes, counted.batches,
                  counted.records));
  return {};
}

Result<void> Checker::find_unknown(const std::vector<PartitionState>& states) {
  std::set<TopicPartition> known;
  for (const PartitionState& state : states) known.insert(state.id);
  PartitionState nobody;
  Result<std::vector<file::DirectoryEntry>> topics = files_.list(layout_.partitions());
  if (!topics) return fail(topics);
  for (const file::DirectoryEntry& topic : *topics) {
    std::string path = layout_.partitions() + "/" + topic.name;
    std::optional<Uuid> topic_id = Uuid::from_hex(topic.name);
    if (!topic_id) {
      add(Finding::Kind::unknown, nobody, {}, path, "not the directory of a topic");
      continue;
    }
    Result<std::vector<file::DirectoryEntry>> entries = files_.list(path);
    if (!entries) return fail(entries);
    for (const file::DirectoryEntry& entry : *entries) {
      std::optional<PartitionId> number = parse_partition_name(entry.name);
      if (number && known.contains({*topic_id, *number})) continue;
      add(Finding::Kind::unknown, nobody, {}, path + "/" + entry.name,
          "not the directory of a partition that has any records");
    }
  }
  return {};
}

}  // namespace

bool CheckReport::damaged() const {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.kind == Finding::Kind::damage || finding.kind == Finding::Kind::journal ||
           finding.kind == Finding::Kind::seal;
  });
}

Result<CheckReport> check_directory(file::FileSystem& files, const std::string& directory,
                                    const Progress& progress) {
  Layout layout(directory);
  Result<void> readable = check_format(files, layout);
  if (!readable) return fail(readable);
  return Checker(files, layout, progress).run();
}

}  // namespace leat::log
