// A broker on a simulated disk, whose epochs are followed across crashes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/crashing_broker.h"
#include "broker/epochs.h"
#include "log/producer_table.h"

namespace leat::broker {

class EpochWorld : public CrashingBroker {
 public:
  using Writer = std::shared_ptr<EpochWriter>;

  explicit EpochWorld(std::uint64_t seed = 1, const Room& room = {}) : CrashingBroker(seed, room) {}

  void create_topic(const std::string& name, std::int32_t partitions,
                    const ConfigMap& configs = {}) {
    auto made = try_to_create(name, partitions, configs);
    REQUIRE_MESSAGE(made, made.error().what);
  }
  Result<Writer> open_owner(const std::string& owner = "p.1") {
    return run<Writer>(
        [&](Epochs::OpenDone done) { broker().epochs().open(owner, std::move(done)); });
  }
  Writer writer(const std::string& owner = "p.1") {
    auto opened = open_owner(owner);
    REQUIRE_MESSAGE(opened, opened.error().what);
    return *opened;
  }
  Result<void> remove_owner(const std::string& owner = "p.1") {
    return run<void>([&](Epochs::Done done) { broker().epochs().remove(owner, std::move(done)); });
  }

  static Bytes batch_of(const Values& values) {
    record::BatchBuilder builder;
    for (const std::string& value : values) builder.append(1'700'000'000'000, {}, as_bytes(value));
    return builder.build();
  }
  EpochWriter::Output to(const std::string& topic, std::int32_t partition, const Values& values) {
    return {{broker().find_topic(topic)->info.id, PartitionId{partition}}, batch_of(values)};
  }
  /// The value in every partition of topic "t".
  std::vector<EpochWriter::Output> everywhere(const std::string& value) {
    std::vector<EpochWriter::Output> output;
    std::int32_t count = broker().find_topic("t")->info.partitions;
    for (std::int32_t p = 0; p < count; ++p) output.push_back(to("t", p, {value}));
    return output;
  }
  static Bytes bytes_of(const std::string& text) {
    BytesView bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
  }
  Answer<void> start(const Writer& writer, const std::string& record,
                     std::vector<EpochWriter::Output> output) {
    auto answer = std::make_shared<std::optional<Result<void>>>();
    writer->commit(bytes_of(record), std::move(output),
                   [answer](Result<void> given) { *answer = std::move(given); });
    return answer;
  }
  Result<void> commit(const Writer& writer, const std::string& record,
                      std::vector<EpochWriter::Output> output) {
    if (is_over()) return fail(Errc::cancelled, "crashed");
    return wait(start(writer, record, std::move(output)));
  }
  /// An epoch of the value in its record and in every partition of topic "t".
  Result<void> commit(const Writer& writer, const std::string& value) {
    return commit(writer, value, everywhere(value));
  }

  Values records(const std::string& owner = "p.1") { return committed(epochs_topic(owner), 0); }
  /// The batches of a partition: "data", "commit" or "abort" each.
  Values kinds(const std::string& topic, std::int32_t number);
  /// Whether a producer has a transaction there without a marker.
  bool has_open(const std::string& topic, std::int32_t number) {
    load(topic, number);
    for (const auto& [id, producer] : at(topic, number)->log().producers().producers()) {
      if (producer.transaction) return true;
    }
    return false;
  }
  std::uint64_t syncs() { return counted("leat_log_syncs_total"); }
  std::uint64_t commits() { return counted("leat_log_commits_total"); }
};

inline CrashingBroker::Values EpochWorld::kinds(const std::string& topic, std::int32_t number) {
  auto view = at(topic, number)->view();
  Values kinds;
  Offset next = view->start_offset;
  while (next < view->high_watermark) {
    auto slice = view->read(next, 0);
    REQUIRE(slice);
    Bytes bytes(slice->bytes);
    REQUIRE(slice->file->read_at(slice->position, bytes));
    auto batch = record::BatchView::parse(bytes);
    REQUIRE(batch);
    auto marker = record::parse_end_marker(*batch);
    kinds.push_back(!marker ? "data" : marker->is_commit ? "commit" : "abort");
    next = batch->next_offset();
  }
  return kinds;
}

}  // namespace leat::broker
