#include "pipeline/snapshot_writer.h"

#include <utility>

#include "base/assert.h"

namespace leat::pipeline {

SnapshotWriter::SnapshotWriter(Snapshots snapshots, const Clock& clock, Background background,
                               Written written)
    : snapshots_(std::make_shared<Snapshots>(std::move(snapshots))),
      clock_(clock),
      background_(std::move(background)),
      written_(std::move(written)),
      self_(std::make_shared<SnapshotWriter*>(this)) {
  policy_.taken(clock_.monotonic(), {});
}

void SnapshotWriter::take(const std::function<Snapshot()>& make) {
  ASSERT(!busy());
  auto begun = clock_.monotonic();
  waiting_ = make();
  auto now = clock_.monotonic();
  policy_.taken(now, now - begun);
}

void SnapshotWriter::epoch_durable(Offset next) {
  if (!waiting_) return;
  waiting_->next = next;
  writing_ = true;
  struct Job {
    Snapshot snapshot;
    Result<std::uint64_t> bytes = 0;
  };
  auto job = std::make_shared<Job>();
  job->snapshot = std::move(*waiting_);
  waiting_.reset();
  std::weak_ptr<SnapshotWriter*> weak = self_;
  background_(
      [job, snapshots = snapshots_] {
        job->bytes = snapshots->write(job->snapshot);
        job->snapshot.state = {};
      },
      [job, weak] {
        auto alive = weak.lock();
        if (!alive) return;
        SnapshotWriter& writer = **alive;
        writer.writing_ = false;
        if (!job->bytes) return writer.written_(fail(job->bytes));
        writer.policy_.written(*job->bytes, writer.clock_.monotonic());
        writer.written_(SnapshotStatus{job->snapshot.epoch, *job->bytes, writer.clock_.wall_ms()});
      });
}

}  // namespace leat::pipeline
