#include "broker/epoch_ends.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/logging.h"
#include "broker/broker.h"

namespace leat::broker {
namespace {

/// Before a marker is tried again: at first, and at most.
constexpr std::chrono::milliseconds first_pause{1000};
constexpr std::chrono::milliseconds pause_max{16'000};

}  // namespace

/// The markers of one shard. Belongs to it until all are settled.
struct EpochEnds::Group {
  std::vector<Marker> markers;
  std::size_t left = 0;

  static void write(const std::shared_ptr<Group>& group, Executor& home,
                    const std::weak_ptr<EpochEnds>& ends) {
    group->left = group->markers.size();
    for (Marker& marker : group->markers) {
      auto written = [group, &marker, &home, ends](const Result<Offset>& at) {
        if (!at) marker.error = at.error();
        if (--group->left > 0) return;
        home.post([group, ends] {
          if (auto alive = ends.lock()) alive->settled(group->markers);
        });
      };
      marker.partition->end_epoch(marker.producer,
                                  epoch_marker(marker.place.number, marker.is_commit), written);
    }
  }
};

EpochEnds::EpochEnds(Broker& broker, std::string owner)
    : broker_(broker), owner_(std::move(owner)) {}

void EpochEnds::end(const EpochEnding& what, Work passed) {
  std::vector<Marker> markers;
  for (const EpochPlace& place : what.places) {
    markers.push_back({what.producer, what.is_commit, false, place, first_pause});
  }
  if (what.record) {
    Marker record{what.producer, what.is_commit, true, *what.record, first_pause};
    if (what.is_commit) {
      markers.push_back(std::move(record));
    } else {
      last_ = std::move(record);
    }
  }
  send(std::move(markers), std::move(passed));
  settle();
}

void EpochEnds::send(std::vector<Marker> markers, Work passed) {
  std::map<Executor*, std::shared_ptr<Group>> groups;
  for (Marker& marker : markers) {
    const TopicPartition& where = marker.place.partition;
    marker.partition = broker_.find_remaining(where);
    if (!marker.partition) {
      // What is deleted needs no end.
      pending_.erase(where);
      continue;
    }
    pending_[where] = marker;
    pending_[where].partition.reset();
    auto& group = groups[&marker.partition->executor()];
    if (!group) group = std::make_shared<Group>();
    group->markers.push_back(std::move(marker));
  }
  struct Passing {
    std::size_t left;
    Work passed;
    void one() {
      if (--left == 0 && passed) passed();
    }
  };
  auto passing = std::make_shared<Passing>(Passing{groups.size() + 1, std::move(passed)});
  Executor& home = broker_.executor();
  for (auto& [executor, group] : groups) {
    if (executor == &home) {
      Group::write(group, home, weak_from_this());
      passing->one();
      continue;
    }
    executor->post([group = group, &home, ends = weak_from_this(), passing] {
      Group::write(group, home, ends);
      home.post([passing] { passing->one(); });
    });
  }
  passing->one();
}

void EpochEnds::settled(const std::vector<Marker>& markers) {
  for (const Marker& marker : markers) {
    auto at = pending_.find(marker.place.partition);
    bool is_newest = at != pending_.end() && at->second.place == marker.place &&
                     at->second.producer == marker.producer;
    if (!is_newest) continue;
    bool is_over = !marker.error || marker.error->code == Errc::unknown_topic_or_partition ||
                   marker.error->code == Errc::invalid_producer_epoch;
    if (is_over) {
      pending_.erase(at);
    } else {
      retry(marker, *marker.error);
    }
  }
  settle();
}

void EpochEnds::retry(const Marker& marker, const Error& error) {
  tell(fail(error.code, "the last epoch cannot be ended yet: " + error.what));
  if (is_leaving_) return;
  log_warning("the last epoch of '{}' cannot be ended in {}-{} yet: {}", owner_,
              marker.partition->topic(), marker.place.partition.partition.value(), error.what);
  Marker again = marker;
  again.error.reset();
  again.partition.reset();
  again.pause = std::min(2 * marker.pause, pause_max);
  broker_.executor().after(marker.pause, [weak = weak_from_this(), again] {
    auto self = weak.lock();
    if (!self) return;
    auto at = self->pending_.find(again.place.partition);
    bool is_due = at != self->pending_.end() && at->second.place == again.place;
    if (is_due) self->send({again}, nullptr);
    self->settle();
  });
}

void EpochEnds::settle() {
  if (!pending_.empty()) return;
  if (last_) {
    send({*std::exchange(last_, std::nullopt)}, nullptr);
    if (!pending_.empty()) return;
  }
  tell({});
}

void EpochEnds::tell(const Result<void>& result) {
  for (Done& done : std::exchange(waiting_, {})) done(result);
}

std::vector<EpochPlace> EpochEnds::undone() const {
  std::vector<EpochPlace> places;
  for (const auto& [where, marker] : pending_) {
    if (marker.is_commit && !marker.is_of_record) places.push_back(marker.place);
  }
  return places;
}

void EpochEnds::when_done(Done done) {
  waiting_.push_back(std::move(done));
  settle();
}

}  // namespace leat::broker
