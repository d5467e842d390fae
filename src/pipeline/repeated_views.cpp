#include "pipeline/repeated_views.h"

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "column/timestamp.h"
#include "pipeline/output_hash.h"
#include "pipeline/plan_traits.h"
#include "pipeline/recovery.h"
#include "pipeline/run_inputs.h"
#include "pipeline/snapshots.h"
#include "pipeline/version_run.h"
#include "pipeline/view.h"
#include "stream/pipeline.h"
#include "stream/task.h"

namespace leat::pipeline {

namespace {

constexpr std::size_t kept_max = 4;
constexpr std::size_t kept_bytes_max = std::size_t{256} << 20;

/// Topics to read. What is written goes nowhere, and no topic is made for it: of one that is gone
/// each caller is told the same, which was made up.
class SilentTopics final : public stream::TopicStore {
 public:
  explicit SilentTopics(stream::TopicStore& topics) : topics_(topics) {}

  Result<stream::Topic> find_topic(const std::string& name) override {
    return topics_.find_topic(name);
  }
  Result<stream::Topic> create_topic(const std::string& name, std::int32_t partitions) override {
    auto found = topics_.find_topic(name);
    if (found || found.error().code != Errc::unknown_topic_or_partition) return found;
    auto [at, is_new] = made_up_.try_emplace(name, stream::Topic{{}, name, partitions});
    if (is_new) {
      auto bytes = std::as_writable_bytes(std::span(at->second.id.bytes));
      store_big_endian(bytes.data(), static_cast<std::uint64_t>(made_up_.size()));
    }
    return at->second;
  }
  bool has_made_up() const { return !made_up_.empty(); }
  Result<std::unique_ptr<stream::TopicReader>> open(const stream::Topic& topic) override {
    return topics_.open(topic);
  }
  void append(const TopicPartition&, Bytes, AppendDone done) override {
    done(fail(Errc::invalid_request, "nothing is written to make a view again"));
  }

 private:
  stream::TopicStore& topics_;
  std::map<std::string, stream::Topic> made_up_;
};

/// The same plan, but that what it writes to files is shown to nobody.
plan::Plan without_files(plan::Plan plan) {
  for (plan::Node& node : plan.nodes) {
    auto* sink = std::get_if<plan::Sink>(&node.body);
    if (sink == nullptr || sink->files.empty()) continue;
    plan::Sink silent;
    silent.input = sink->input;
    silent.console = true;
    *sink = std::move(silent);
  }
  return plan;
}

/// The plan that a run of the version had: other values than now may have been filled in.
Result<plan::Plan> plan_of(const PastView& wanted, const BeginRecord& begin) {
  if (lasting_hash(wanted.plan) == begin.plan_hash) return wanted.plan;
  if (begin.plan.empty()) {
    return fail(Errc::invalid_request,
                fmt::format("view {} was made at epoch {} by a run with another plan, by a Leat "
                            "that did not keep plans: ask for it as it is now, or run that batch "
                            "again",
                            wanted.name, begin.epoch));
  }
  auto plan = plan::parse(begin.plan);
  if (plan) plan->mode = wanted.plan.mode;
  return plan;
}

std::vector<Offset> starts_of(const BeginRecord& begin) {
  std::vector<Offset> starts;
  for (const auto& input : begin.inputs) starts.push_back(input.start);
  return starts;
}

/// When an epoch was made; if it says nothing of it, as the one before.
std::int64_t time_of(const Record& record, std::int64_t before_ms) {
  if (const auto* begin = std::get_if<BeginRecord>(&record)) return begin->begun_ms;
  const auto& steps = std::get<EpochRecord>(record).steps;
  return steps.empty() ? before_ms : steps.back().step.now_ms;
}

}  // namespace

/// From where epochs are to be repeated, and up to which.
struct RepeatedViews::Place {
  /// Nothing: from where the version began.
  std::optional<Snapshot> snapshot;
  std::optional<BeginRecord> begin;
  EpochPlace from;
  std::optional<std::uint64_t> epoch;
  /// Of the last that there is, and of the first that was met.
  std::uint64_t last = 0;
  std::optional<std::int64_t> first_ms;
};

void RepeatedViews::find(PastView wanted, Done done) {
  environment_.executor.post(
      [this, wanted = std::move(wanted), done = std::move(done)]() mutable { done(make(wanted)); });
}

std::shared_ptr<const stream::View> RepeatedViews::find_kept(const PastView& wanted,
                                                             std::uint64_t epoch) {
  auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return kept.identity == wanted.identity && kept.number == wanted.number && kept.epoch == epoch;
  });
  if (found == kept_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found);
  return kept_.front().view;
}

Result<std::shared_ptr<const stream::View>> RepeatedViews::make(const PastView& wanted) {
  if (stop_) return fail(Errc::cancelled, "the server is stopping");
  if (wanted.epoch) {
    if (auto kept = find_kept(wanted, *wanted.epoch)) return kept;
  }
  auto log = environment_.epochs.read(owner_of(wanted.pipeline, wanted.version));
  if (!log) {
    bool is_none = log.error().code == Errc::unknown_topic_or_partition;
    if (!is_none) return fail(log);
    return fail(Errc::not_found, fmt::format("view {} has no epoch yet", wanted.name));
  }
  auto place = find_place(wanted, **log);
  if (!place) return fail(place);
  if (auto kept = find_kept(wanted, *place->epoch)) return kept;
  std::uint64_t epoch = *place->epoch;
  auto view = repeat_to(wanted, **log, std::move(*place));
  if (!view) return view;
  if ((*view)->bytes() <= kept_bytes_max) {
    kept_.push_front({wanted.identity, wanted.number, epoch, *view});
    if (kept_.size() > kept_max) kept_.pop_back();
  }
  return view;
}

// Goes on from `place`, which knows no epoch yet, to the last moment that is not beyond what is
// wanted.
Result<void> RepeatedViews::look(const PastView& wanted, EpochReader& log, Place& place) const {
  Place now = place;
  std::int64_t time_ms = std::numeric_limits<std::int64_t>::min();
  bool knows_time = !place.snapshot;
  auto is_moment = [&](bool finished) { return now.begin && (!wanted.is_batch || finished); };
  auto take = [&] {
    place.begin = now.begin;
    place.from = now.from;
    if (!now.snapshot) place.snapshot.reset();
    place.epoch = now.last;
  };
  if (now.snapshot) {
    now.last = now.snapshot->epoch;
    // When that was is known by what follows.
    if (is_moment(now.snapshot->finished) && !wanted.time_ms) take();
  }
  EpochFeed feed(log, now.from);
  while (true) {
    if (stop_) return fail(Errc::cancelled, "the server is stopping");
    auto record = feed.next();
    if (!record) return fail(record);
    if (*record == nullptr) break;
    place.last = feed.place().epoch;
    time_ms = time_of(**record, time_ms);
    if (!place.first_ms) place.first_ms = time_ms;
    bool is_beyond = (wanted.epoch && feed.place().epoch > *wanted.epoch) ||
                     (wanted.time_ms && knows_time && time_ms > *wanted.time_ms);
    if (wanted.time_ms && !knows_time && time_ms > *wanted.time_ms) return {};
    knows_time = true;
    if (is_beyond) return {};
    now.last = feed.place().epoch;
    const auto* begin = std::get_if<BeginRecord>(*record);
    if (begin != nullptr) {
      now.begin = *begin;
      now.snapshot.reset();
      now.from = feed.place();
    }
    if (is_moment(begin == nullptr && std::get<EpochRecord>(**record).finished)) take();
  }
  place.last = std::max(place.last, now.last);
  return {};
}

// By the newest snapshot from which the moment can be reached.
Result<RepeatedViews::Place> RepeatedViews::find_place(const PastView& wanted, EpochReader& log) {
  Snapshots snapshots(environment_.files, environment_.data_directory,
                      owner_of(wanted.pipeline, wanted.version));
  auto epochs = snapshots.list();
  if (!epochs) return fail(epochs);
  for (std::uint64_t epoch : *epochs) {
    if (wanted.epoch && epoch > *wanted.epoch) continue;
    auto snapshot = snapshots.read(epoch);
    if (!snapshot) continue;  // a newer one has taken its place meanwhile, or it is damaged
    auto end = log.end();
    if (!end) return fail(end);
    if (*end < snapshot->next) continue;
    Place place;
    place.begin = snapshot->begin;
    place.from = {snapshot->epoch, snapshot->next};
    place.snapshot = std::move(*snapshot);
    auto looked = look(wanted, log, place);
    if (!looked && looked.error().code == Errc::cancelled) return fail(looked);
    if (looked && place.epoch && (!wanted.epoch || *wanted.epoch <= place.last)) return place;
  }
  Place place;
  if (auto looked = look(wanted, log, place); !looked) return fail(looked);
  if (wanted.epoch && *wanted.epoch > place.last) {
    return fail(Errc::offset_out_of_range, fmt::format("view {} is at epoch {}, before epoch {}",
                                                       wanted.name, place.last, *wanted.epoch));
  }
  if (place.epoch) return place;
  if (!wanted.epoch && !wanted.time_ms) {
    return fail(Errc::not_found,
                wanted.is_batch
                    ? fmt::format("view {} is empty until its batch has run to the end: `leat "
                                  "pipeline run {}`",
                                  wanted.name, wanted.pipeline)
                    : fmt::format("view {} has no epoch yet", wanted.name));
  }
  std::string first = "nothing yet";
  if (place.first_ms) {
    column::append_timestamp(first.erase(), {*place.first_ms});
    first = "epoch 1, at " + first;
  }
  return fail(
      Errc::offset_out_of_range,
      fmt::format("view {} was not there by then: it begins with {}{}", wanted.name, first,
                  wanted.is_batch ? ", and shows nothing before its batch's first end" : ""));
}

Result<std::shared_ptr<const stream::View>> RepeatedViews::repeat_to(const PastView& wanted,
                                                                     EpochReader& log,
                                                                     Place place) {
  auto plan = plan_of(wanted, *place.begin);
  if (!plan) return fail(plan);
  SilentTopics topics(environment_.topics);
  stream::Task::Options options;
  options.exact = true;
  auto task = stream::Task::open(stream::shadow_of(without_files(*plan), wanted.suffix), topics,
                                 &environment_.files, environment_.clock, options);
  if (!task) return fail(task);
  OutputHash hash;
  for (const auto& name : output_topics(*plan)) {
    auto topic = topics.create_topic(name + wanted.suffix, 1);
    if (!topic) return fail(topic);
    hash.add_topic(name, topic->id);
  }
  // How many partitions a topic had that is gone nobody knows, so what went where neither.
  OutputHash* held_to = topics.has_made_up() ? nullptr : &hash;
  auto inputs = RunInputs::open(**task, *plan, topics);
  if (!inputs) return fail(inputs);
  if (auto same = inputs->check_same(*place.begin, wanted.pipeline); !same) return fail(same);
  (*task)->discard_output(true);
  auto views = (*task)->views();
  if (wanted.number >= views.size()) {
    return fail(Errc::not_found, fmt::format("view {} is not in the plan", wanted.name));
  }
  auto publish = [&](std::uint64_t epoch, std::int64_t at_ms) {
    stream::ViewMoment moment;
    moment.epoch = epoch;
    moment.committed_ms = at_ms;
    moment.watermark = (*task)->progress().watermark;
    for (const auto& position : inputs->named((*task)->positions())) {
      moment.inputs.push_back({position.name, position.partition, position.offset});
    }
    for (const auto& view : views) {
      view->seal();
      view->publish(moment);
    }
  };
  Result<void> begun = place.snapshot ? (*task)->restore(place.snapshot->state)
                                      : (*task)->seek(starts_of(*place.begin));
  if (!begun) return fail(begun);
  std::int64_t time_ms = place.begin->begun_ms;
  publish(place.from.epoch, time_ms);
  EpochFeed feed(log, place.from, EpochPlace{*place.epoch, {}});
  while (true) {
    if (stop_) return fail(Errc::cancelled, "the server is stopping");
    auto record = feed.next();
    if (!record) return fail(record);
    if (*record == nullptr) break;
    const auto& epoch = std::get<EpochRecord>(**record);
    (*task)->skip_views(epoch.silent);
    auto ok = repeat(epoch, owner_of(wanted.pipeline, wanted.version), **task, held_to, nullptr);
    if (!ok && ok.error().code == Errc::offset_out_of_range) {
      return fail(Errc::offset_out_of_range,
                  fmt::format("view {} cannot be made again as it was: {}; what it was made of has "
                              "been deleted, so ask for a later moment",
                              wanted.name, ok.error().what));
    }
    if (!ok) return fail(ok);
    time_ms = time_of(**record, time_ms);
    publish(epoch.epoch, time_ms);
  }
  return std::shared_ptr<const stream::View>(views[wanted.number]);
}

}  // namespace leat::pipeline
