#include "generate/event_stream.h"

#include <utility>

#include "record/partitioner.h"

namespace leat::generate {

EventStream::EventStream(std::unique_ptr<const Source> source, const Traits& traits)
    : source_(std::move(source)),
      arrivals_(traits),
      silence_(traits),
      partitions_(traits.partitions) {}

const Event* EventStream::next() {
  for (;;) {
    Arrival arrival = arrivals_.next();
    if (arrival.arrival_ms >= Timeline::end_ms) return nullptr;
    event_.key.clear();
    event_.value.clear();
    source_->write(arrival.number, arrival.time_ms, event_.key, event_.value);
    event_.partition = record::partition_of_key(as_bytes(event_.key), partitions_).value();
    // What never arrived is not repeated.
    if (silence_.holds(event_.partition, arrival.time_ms) ||
        silence_.holds(event_.partition, arrival.first_ms) ||
        silence_.holds(event_.partition, arrival.arrival_ms))
      continue;
    event_.number = arrival.number;
    event_.time_ms = arrival.time_ms;
    event_.arrival_ms = arrival.arrival_ms;
    event_.is_repeat = arrival.is_repeat();
    return &event_;
  }
}

}  // namespace leat::generate
