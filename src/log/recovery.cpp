#include "log/recovery.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>
#include <xxhash.h>

#include "log/checkpoint.h"
#include "log/journal.h"
#include "log/partition_recovery.h"
#include "log/rebuild.h"

namespace leat::log {
namespace {

/// Room between the sequences of two lives of a directory, so that a frame tells by its sequence
/// which of them is newer even when the checkpoint is lost.
constexpr std::uint64_t sequence_gap = 1'000'000;

/// Without its checkpoint a directory knows a leader epoch only where something was appended under
/// it. Clients may have been told of later ones, one for each start that raised it: were one of
/// them given again, or a lower one, they would not ask whether what they have read is still there.
constexpr std::int32_t lost_epochs = 1000;

Finding journal_finding(std::string path, std::uint64_t position, std::string cause) {
  Finding finding;
  finding.kind = Finding::Kind::journal;
  finding.path = std::move(path);
  finding.position = position;
  finding.cause = std::move(cause);
  return finding;
}

/// Hard to guess for whoever may have bytes written into the journal, and another one each time.
std::uint64_t draw_salt(file::FileSystem& files, const Clock& clock, std::uint64_t last,
                        std::uint64_t sequence) {
  std::string text = fmt::format("{} {} {} {} {}", files.boot_id(), clock.wall_ms(),
                                 clock.monotonic().count(), last, sequence);
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace

void sort_events(const JournalScan& scan, std::map<TopicPartition, PartitionEvents>& events,
                 std::set<TopicPartition>& removed) {
  for (const Frame& frame : scan.frames) {
    std::uint64_t inline_position = frame.inline_position;
    for (const JournalEntry& any : frame.entries) {
      if (const auto* data = std::get_if<DataEntry>(&any)) {
        events[data->id].events.push_back(
            PartitionEvents::Data{*data, frame.sequence, frame.file, inline_position});
        if (data->is_inline) inline_position += data->bytes;
        removed.erase(data->id);
      } else if (const auto* start = std::get_if<StartEntry>(&any)) {
        events[start->id].events.push_back(*start);
      } else if (const auto* damage = std::get_if<DamageEntry>(&any)) {
        add_damage(events[damage->id].damage, damage->damage);
      } else if (const auto* gap = std::get_if<GapEntry>(&any)) {
        add_range(events[gap->id].gaps, gap->range);
      } else if (const auto* gone = std::get_if<RemovedEntry>(&any)) {
        events.erase(gone->id);
        removed.insert(gone->id);
      } else if (const auto* end = std::get_if<EndEntry>(&any)) {
        PartitionEvents& mine = events[end->id];
        mine.is_suspect = true;
        std::erase_if(mine.events, [&](const auto& event) {
          const auto* append = std::get_if<PartitionEvents::Data>(&event);
          return append != nullptr && append->entry.next_offset > end->end;
        });
      }
    }
  }
}

Result<LoadedCheckpoint> load_checkpoint(file::FileSystem& files, const Layout& layout) {
  LoadedCheckpoint loaded;
  Result<Bytes> bytes = file::read_file(files, layout.checkpoint());
  if (!bytes && bytes.error().code != Errc::not_found) return fail(bytes);
  if (bytes) {
    Result<Checkpoint> checkpoint = decode_checkpoint(*bytes);
    if (checkpoint) {
      loaded.checkpoint = std::move(*checkpoint);
      loaded.found = true;
      const std::string& flaw = loaded.checkpoint.flaw;
      if (!flaw.empty()) loaded.finding = journal_finding("checkpoint", 0, flaw);
      return loaded;
    }
    if (checkpoint.error().code != Errc::corrupt_message) return fail(checkpoint);
    loaded.finding = journal_finding("checkpoint", 0,
                                     checkpoint.error().what + ": all segments are read instead");
    return loaded;
  }
  Result<std::vector<file::DirectoryEntry>> topics = files.list(layout.partitions());
  if (!topics) return fail(topics);
  if (!topics->empty()) {
    loaded.finding = journal_finding("checkpoint", 0,
                                     "the checkpoint is missing: all segments are read instead");
  }
  return loaded;
}

namespace {

/// What is left of it by a crash before it is through is a stray, and is cleared away as one.
Result<void> remove_retired(file::FileSystem& files, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    Result<void> gone = files.remove_all(path);
    if (!gone && gone.error().code != Errc::not_found) return gone;
  }
  return {};
}

using Segments = std::vector<std::pair<TopicPartition, SegmentName>>;

Result<void> sync_segments(RecoveryJob& job, const Segments& segments) {
  // Not all at once: each takes a descriptor.
  constexpr std::size_t step = 256;
  for (std::size_t first = 0; first < segments.size(); first += step) {
    std::vector<file::FilePtr> files;
    for (std::size_t i = first; i < std::min(first + step, segments.size()); ++i) {
      const auto& [id, name] = segments[i];
      Result<file::FilePtr> file = job.files.open(job.layout.segment(id, name.base, name.version),
                                                  file::OpenMode::read_write);
      if (!file && file.error().code == Errc::not_found) continue;  // cut away again
      if (!file) return fail(file);
      files.push_back(std::move(*file));
    }
    for (const Result<void>& synced : job.files.sync_all(files)) {
      if (!synced) return synced;
    }
  }
  return {};
}

Result<void> sync_directories(RecoveryJob& job, const std::set<std::string>& directories) {
  for (const std::string& directory : directories) {
    Result<void> synced = job.files.sync_directory(directory);
    if (!synced && synced.error().code != Errc::not_found) return synced;
  }
  return {};
}

/// What no frame has the bytes of, and how to find it.
Result<void> sync_urgent(RecoveryJob& job) {
  std::set<std::string> directories;
  for (const auto& [id, name] : job.urgent) {
    directories.insert(job.layout.partition(id));
    directories.insert(job.layout.topic(id.topic_id));
    directories.insert(job.layout.partitions());
  }
  Result<void> synced = sync_segments(job, job.urgent);
  return synced ? sync_directories(job, directories) : synced;
}

/// Whether all that was done can be done again from the journal, by the next recovery.
bool can_wait(const RecoveryJob& job, const LoadedCheckpoint& loaded, const JournalScan& scan) {
  // More would not fit into a frame.
  constexpr std::uint64_t kept_bytes_max = std::uint64_t{8} << 20;
  std::uint64_t kept_bytes = 0;
  for (const DataEntry& kept : job.kept) kept_bytes += kept.bytes + data_entry_bytes;
  return loaded.found && !loaded.finding && !scan.frames.empty() && job.same_boot &&
         scan.holes.empty() && !job.is_changed && job.findings.empty() && job.retired.empty() &&
         kept_bytes <= kept_bytes_max;
}

Result<void> recover_partitions(RecoveryJob& job, const JournalScan& scan,
                                const RecoveryOptions& options,
                                std::map<TopicPartition, PartitionState>& states) {
  std::map<TopicPartition, PartitionEvents> events;
  std::set<TopicPartition> removed;
  sort_events(scan, events, removed);
  if (!scan.holes.empty()) {
    // Partitions that only the missing commits named may have more than the checkpoint knows.
    for (const auto& [id, state] : states) events[id];
  }
  for (const TopicPartition& id : removed) {
    states.erase(id);
    job.retired.push_back(job.layout.partition(id));
  }
  for (int i = 0; i < 2 && !events.empty(); ++i) {
    Result<file::FilePtr> file = job.files.open(job.layout.journal(i), file::OpenMode::read);
    if (!file && file.error().code != Errc::not_found) return fail(file);
    job.journals.push_back(file ? std::move(*file) : nullptr);
  }
  std::size_t done = 0;
  for (const auto& [id, mine] : events) {
    double part = static_cast<double>(done++) / static_cast<double>(events.size());
    if (options.progress && !options.progress(part)) {
      return fail(Errc::cancelled, "recovery was given up; the next start begins again");
    }
    PartitionState state;
    state.leader_epoch = job.epoch_floor;
    auto at = states.find(id);
    if (at != states.end()) state = std::move(at->second);
    state.id = id;
    PartitionRecovery recovery(job, std::move(state), mine.is_suspect);
    Result<PartitionState> recovered = recovery.run(mine);
    if (!recovered) return fail(recovered);
    states[id] = std::move(*recovered);
  }
  return {};
}

}  // namespace

namespace {

/// Raises the leader epoch of every partition, and of those that are to come.
void raise_epochs(std::int32_t by, LeaderEpoch& floor,
                  std::map<TopicPartition, PartitionState>& states) {
  floor = LeaderEpoch{floor.value() + by};
  for (auto& [id, state] : states) {
    state.leader_epoch = std::max(floor, LeaderEpoch{state.leader_epoch.value() + by});
  }
}

/// Each loss that was accepted, for damage that is found again.
void note_accepted(RecoveryJob& job, const Checkpoint& checkpoint, const JournalScan& scan) {
  for (const PartitionState& state : checkpoint.partitions) {
    if (!state.gaps.empty()) job.accepted[state.id] = state.gaps;
  }
  for (const Frame& frame : scan.frames) {
    for (const JournalEntry& any : frame.entries) {
      const auto* gap = std::get_if<GapEntry>(&any);
      if (gap != nullptr) add_range(job.accepted[gap->id], gap->range);
    }
  }
}

/// The states that the journal's frames are applied to.
Result<std::map<TopicPartition, PartitionState>> begin_states(RecoveryJob& job,
                                                              LoadedCheckpoint& loaded,
                                                              std::uint64_t boot) {
  std::map<TopicPartition, PartitionState> states;
  CheckpointHead& head = loaded.checkpoint.head;
  for (PartitionState& state : loaded.checkpoint.partitions) states[state.id] = std::move(state);
  if (loaded.finding) job.report(*loaded.finding);
  if (loaded.is_lost()) {
    Result<void> rebuilt = rebuild_states(job, states);
    if (!rebuilt) return fail(rebuilt);
    for (const auto& [id, state] : states) {
      head.epoch_floor = std::max(head.epoch_floor, state.leader_epoch);
    }
    raise_epochs(lost_epochs, head.epoch_floor, states);
  } else if (head.early_boot != 0 && head.early_boot != boot) {
    raise_epochs(1, head.epoch_floor, states);
  }
  job.epoch_floor = head.epoch_floor;
  return states;
}

}  // namespace

Result<Recovered> recover(file::FileSystem& files, const Clock& clock, const Layout& layout,
                          const RecoveryOptions& options) {
  Result<LoadedCheckpoint> loaded = load_checkpoint(files, layout);
  if (!loaded) return fail(loaded);
  CheckpointHead& head = loaded->checkpoint.head;
  std::optional<std::uint64_t> salt;
  if (loaded->found) salt = head.salt;
  Result<JournalScan> scan = scan_journal(files, layout, salt, head.sequence);
  if (!scan) return fail(scan);

  std::uint64_t boot = boot_hash(files);
  RecoveryJob job{files, layout};
  job.now_ms = clock.wall_ms();
  job.is_quiet = options.is_quiet;
  job.synced = scan->synced;
  job.rebuilt = loaded->is_lost();
  if (!scan->frames.empty()) {
    job.same_boot = scan->frames.back().boot == boot;
    job.newest = scan->frames.back().sequence;
  }
  note_accepted(job, loaded->checkpoint, *scan);
  auto states = begin_states(job, *loaded, boot);
  if (!states) return fail(states);
  for (const JournalScan::Hole& hole : scan->holes) {
    job.report(
        journal_finding(layout.relative(layout.journal(hole.file)), hole.position, hole.cause));
  }
  Result<void> applied = recover_partitions(job, *scan, options, *states);
  if (!applied) return fail(applied);

  Recovered recovered;
  recovered.head = head;
  recovered.head.early_boot = options.acknowledges_early ? boot : 0;
  recovered.findings = std::move(job.findings);
  for (auto& [id, state] : *states) recovered.partitions.push_back(std::move(state));
  bool is_marked = recovered.head.early_boot == head.early_boot;
  if (loaded->found && !loaded->finding && scan->sequence_max == 0 && is_marked) return recovered;
  if (recovered.head.early_boot == 0 && is_marked && can_wait(job, *loaded, *scan)) {
    Result<void> urgent = sync_urgent(job);
    if (!urgent) return fail(urgent);
    recovered.unsynced = Unsynced{scan->end, std::move(job.touched),
                                  std::move(job.touched_directories), std::move(job.kept)};
    return recovered;
  }
  Result<void> synced = sync_segments(job, job.touched);
  if (synced) synced = sync_directories(job, job.touched_directories);
  if (!synced) return fail(synced);
  recovered.head.sequence = std::max(head.sequence, scan->sequence_max) + sequence_gap;
  recovered.head.salt = draw_salt(files, clock, head.salt, recovered.head.sequence);
  CheckpointWriter writer(recovered.head);
  for (const PartitionState& state : recovered.partitions) writer.add(state);
  Result<void> written = file::replace_file(files, layout.checkpoint(), writer.finish());
  if (!written) return fail(written);
  Result<void> removed = remove_retired(files, job.retired);
  if (!removed) return fail(removed);
  return recovered;
}

}  // namespace leat::log
