// What goes wrong in a simulation, and how the disk gets well again.
#include <utility>

#include "sim/log_simulation.h"

namespace leat::sim {

void Faults::begin_anew() {
  write_ever_failed = sync_ever_failed = false;
  flipped_after_crash = flipped_journal = died_since_flip = false;
  flipped_checkpoint[0] = flipped_checkpoint[1] = false;
}

Excuses LogSimulation::excuses() const {
  return {faults_.flipped_segment || faults_.only_copy_lost, faults_.reads_fail};
}

void LogSimulation::flip_bit() {
  static constexpr const char* parts[] = {"/partitions/", "/partitions/", "/partitions/",
                                          "/journal/", "/checkpoint"};
  std::string part = parts[random_.below(5)];
  if (random_.one_in(12)) return lose_checkpoint();
  if (auto flipped = files_.flip_random_bit(simulated_directory + part)) note_flip(*flipped);
}

void LogSimulation::lose_checkpoint() {
  // The checkpoint tells which bytes are a partition's own; without it a batch that was there
  // before, or one behind a damaged one, cannot be told. One of these at a time.
  if (faults_.flipped_segment || end_ == End::power_loss) return;
  std::string path = std::string(simulated_directory) + "/checkpoint";
  auto file = files_.open(path, file::OpenMode::read);
  auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
  if (!size || *size < 2) return;
  for (std::uint64_t copy : {0, 1}) {
    std::uint64_t position = copy * (*size / 2) + random_.below(*size / 2);
    files_.flip_bit(path, position, 3);
    note_flip({path, position, 3});
  }
}

void LogSimulation::note_flip(const file::FakeFileSystem::FlippedBit& flipped) {
  trace("flipped bit {} of byte {} of {}", flipped.bit, flipped.position, flipped.path);
  const std::string& path = flipped.path;
  bool crashed = end_ != End::close;
  bool is_journal = path.find("/journal/") != std::string::npos;
  if (path.ends_with("/checkpoint")) {
    auto file = files_.open(path, file::OpenMode::read);
    auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
    faults_.flipped_checkpoint[size && flipped.position >= *size / 2 ? 1 : 0] = true;
    if (!faults_.checkpoint_is_lost()) return;
  } else if (path.ends_with(".seal")) {
    faults_.flipped_seal = true;
    return;
  } else if (path.ends_with(".index") || (is_journal && !crashed)) {
    return;  // no truth is lost
  }
  faults_.flipped_segment = true;
  faults_.flipped_after_crash = faults_.flipped_after_crash || crashed;
  // The last frame of a journal cannot be told from one that was cut off.
  faults_.flipped_journal = faults_.flipped_journal || is_journal;
}

/// Something fails while the store is opened.
void LogSimulation::break_opening() {
  opening_is_broken_ = with_failing_disk_ && random_.one_in(12);
  if (!opening_is_broken_) return;
  switch (random_.below(4)) {
    case 0:
      trace("reads will fail");
      files_.fail_reads(random_.one_in(2) ? "/partitions/" : "/leat/");
      break;
    case 1:
      trace("writes will fail");
      files_.fail_writes(random_.one_in(2) ? "/partitions/" : "/leat/");
      break;
    default:
      // Two failed syncs can take both copies of a record.
      if (faults_.sync_ever_failed) return;
      trace("a sync will fail");
      faults_.sync_ever_failed = true;
      faults_.only_copy_lost =
          faults_.only_copy_lost || options_.durability != log::Durability::fsync;
      files_.fail_sync("/leat", 1 + random_.below(8));
  }
}

void LogSimulation::break_disk() {
  // One failure at a time: two failed syncs can take both copies of a record.
  if (faults_.sync_ever_failed) return;
  switch (random_.below(5)) {
    case 0:
      trace("a sync of the journal will fail");
      faults_.sync_failed = faults_.sync_ever_failed = true;
      files_.fail_sync("/journal/", 1 + random_.below(5));
      break;
    case 1:
      trace("a sync of a segment will fail");
      faults_.sync_failed = faults_.sync_ever_failed = true;
      faults_.only_copy_lost =
          faults_.only_copy_lost || options_.durability != log::Durability::fsync;
      files_.fail_sync("/partitions/", 1 + random_.below(5));
      break;
    case 2:
      trace("writes fail");
      faults_.writes_fail = faults_.write_ever_failed = true;
      files_.fail_writes("/partitions/");
      break;
    case 3:
      trace("reads fail");
      faults_.reads_fail = true;
      files_.fail_reads("/partitions/");
      break;
    default:
      faults_.disk_limited = true;
      files_.set_free_bytes(random_.below(64 << 10));
      trace("disk nearly full");
  }
}

/// After a full disk, or one that refused, the store must come back by itself.
void LogSimulation::mend_disk() {
  if (!faults_.disk_limited && !faults_.reads_fail) return;
  settle();
  trace("disk mended");
  files_.set_free_bytes(std::nullopt);
  files_.heal();
  faults_.reads_fail = false;
  bool was_limited = std::exchange(faults_.disk_limited, false);
  // A write or a sync that failed for another reason stops what it hit until the next start.
  if (!was_limited || !store_ || faults_.writes_fail || faults_.sync_failed || !alive()) return;
  executor_.run_for(std::chrono::seconds(10));
  observe();
  for (auto& partition : partitions_) {
    if (alive() && partition->log) append_to(*partition);
  }
  settle();
}

}  // namespace leat::sim
