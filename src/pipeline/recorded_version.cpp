#include "pipeline/recorded_version.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pipeline/recovery.h"
#include "pipeline/snapshots.h"
#include "stream/snapshot_positions.h"

namespace leat::pipeline {

namespace {

std::vector<Offset> starts_of(const BeginRecord& begin) {
  std::vector<Offset> starts;
  for (const auto& input : begin.inputs) starts.push_back(input.start);
  return starts;
}

Result<void> go_on(const EpochRecord& epoch, std::vector<Offset>& positions) {
  for (const auto& step : epoch.steps) {
    for (const auto& consumed : step.step.consumed) {
      if (consumed.input >= positions.size()) {
        return fail(Errc::corrupt_message,
                    fmt::format("epoch {} is of a plan with more inputs than the {} that the "
                                "version began with",
                                epoch.epoch, positions.size()));
      }
      positions[consumed.input] = consumed.next;
    }
  }
  return {};
}

/// Reads on to the last record. `found` is what is known before `feed`, if something is.
Result<void> read_on(EpochFeed feed, std::optional<RecordedVersion>& found) {
  while (true) {
    auto record = feed.next();
    if (!record) return fail(record);
    if (*record == nullptr) return {};
    if (const auto* begin = std::get_if<BeginRecord>(*record)) {
      found = {*begin, starts_of(*begin)};
    } else if (!found) {
      return fail(Errc::corrupt_message, "its epochs have no beginning");
    } else if (auto ok = go_on(std::get<EpochRecord>(**record), found->positions); !ok) {
      return ok;
    }
  }
}

}  // namespace

Result<std::optional<BeginRecord>> find_first_begin(EpochStore& epochs, const std::string& owner) {
  auto reader = epochs.read(owner);
  if (!reader) {
    bool is_none = reader.error().code == Errc::unknown_topic_or_partition;
    if (!is_none) return fail(reader);
    return std::nullopt;
  }
  EpochFeed feed(**reader, {});
  auto record = feed.next();
  if (!record) return fail(record);
  if (*record == nullptr) return std::nullopt;
  const auto* begin = std::get_if<BeginRecord>(*record);
  if (begin == nullptr) {
    return fail(Errc::corrupt_message,
                fmt::format("{}: the first record is no beginning", (*reader)->topic()));
  }
  return *begin;
}

Result<std::optional<RecordedVersion>> find_recorded(EpochStore& epochs, file::FileSystem& files,
                                                     const std::string& data_directory,
                                                     const std::string& owner) {
  auto log = epochs.open(owner);
  if (!log) return fail(log);
  Snapshots snapshots(files, data_directory, owner);
  Recovery recovery(**log, snapshots);
  if (auto ok = recovery.find({}); !ok) return fail(ok);
  std::optional<RecordedVersion> found;
  if (!recovery.begin()) return found;
  auto at = recovery.snapshot() != nullptr ? stream::positions_in(recovery.snapshot()->state)
                                           : starts_of(*recovery.begin());
  bool is_known = at && at->size() == recovery.begin()->inputs.size();
  if (is_known) found = {*recovery.begin(), std::move(*at)};
  // A snapshot that is not understood says nothing that the epochs do not.
  auto read = read_on(is_known ? recovery.feed() : EpochFeed(**log, {}), found);
  if (!read) return fail(read);
  for (std::size_t i = 0; i < found->positions.size(); ++i) {
    const auto& silent_to = found->begin.inputs[i].silent_to;
    found->positions[i] = std::max(found->positions[i], silent_to.value_or(Offset{0}));
  }
  return found;
}

}  // namespace leat::pipeline
