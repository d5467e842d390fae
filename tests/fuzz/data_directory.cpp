// A data directory with bytes of its files changed, as a disk might: opening it must give the
// directory back or an error, what is read must be whole batches, and appends must go on.
//
//   input := flags:u8 patch*     flags: bit 0 the directory was closed, not killed; bit 1 the
//                                operating system was started anew
//   patch := file:u8 position:u16 n:u8 byte*n        with n = 0, the file is cut at the position
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/metrics.h"
#include "base/sim_executor.h"
#include "fuzz/memory_files.h"
#include "fuzz/targets.h"
#include "log/journal.h"
#include "log/store.h"
#include "record/builder.h"

namespace leat::fuzz {
namespace {

using Files = std::map<std::string, Bytes>;

TopicPartition partition(int topic) {
  TopicPartition id;
  id.topic_id.bytes[15] = static_cast<std::uint8_t>(topic);
  return id;
}

/// One machine with one data directory.
class Machine {
 public:
  Machine() {
    options_.directory = "/data";
    options_.journal_bytes = log::journal_bytes_min;
    options_.scrub_bytes_per_second = 0;  // its timers never end
    log_options_.segment_bytes = 400;
    log_options_.index_interval_bytes = 100;
    log_options_.retention_ms = -1;
  }

  bool open() {
    auto opened = log::Store::open({files_, executor_, executor_, metrics_}, options_);
    if (opened) store_ = std::move(*opened);
    return opened.has_value();
  }
  void close() {
    std::optional<Result<void>> closed;
    store_->close([&](Result<void> result) { closed = std::move(result); });
    executor_.run_until_idle();
    ASSERT(closed.has_value());
    store_.reset();
  }
  void reboot() { files_.reboot(); }

  log::Log& log(const TopicPartition& id) {
    auto log = store_->log(id, log_options_);
    ASSERT(log.has_value());
    // The store leaves that to the log's shard, whose turn comes later.
    (*log)->set_options(log_options_);
    return **log;
  }
  /// The new record's offset; nullopt where the log refuses it.
  std::optional<Offset> append(const TopicPartition& id, const std::string& text) {
    record::BatchBuilder builder;
    builder.append(1000, {}, as_bytes(text));
    auto owner = std::make_shared<Bytes>(builder.build());
    log::Batch batch{owner, MutableBytes(*owner), 1, 1000};
    std::optional<Result<Offset>> answer;
    auto queued = log(id).append(std::move(batch), [&](Result<Offset> done) { answer = done; });
    executor_.run_until_idle();
    if (!queued) return {};
    ASSERT(answer.has_value());
    return *answer ? std::optional(**answer) : std::nullopt;
  }
  /// Reads all that can be read; gives the offset behind it.
  Offset read_all(const TopicPartition& id) {
    auto view = log(id).view();
    Offset at = view->start_offset;
    while (at < view->high_watermark) {
      auto slice = view->read(at, 1000);
      if (slice) {
        check(*slice);
        ASSERT(slice->next_offset > at);
        at = slice->next_offset;
        continue;
      }
      executor_.run_until_idle();
      view = log(id).view();
      auto damage = std::find_if(view->damaged.begin(), view->damaged.end(),
                                 [&](const auto& r) { return r.base <= at && at < r.next; });
      if (damage == view->damaged.end()) break;
      at = damage->next;
    }
    return at;
  }

  Files save() const { return files_.save(); }
  void load(const Files& saved) {
    for (const auto& [path, content] : saved) files_.put(path, content);
  }

 private:
  static void check(const log::Slice& slice) {
    Bytes bytes(slice.bytes);
    ASSERT(*slice.file->read_at(slice.position, bytes) == slice.bytes);
    Offset expected = slice.base_offset;
    for (BytesView rest(bytes); !rest.empty();) {
      auto batch = record::BatchView::parse(rest);
      ASSERT(batch.has_value());
      ASSERT(batch->crc_matches());
      ASSERT(batch->base_offset() == expected);
      expected = batch->next_offset();
      rest = rest.subspan(batch->size_bytes());
    }
    ASSERT(expected == slice.next_offset);
  }

  SimExecutor executor_;
  MemoryFiles files_;
  Metrics metrics_;
  log::StoreOptions options_;
  log::LogOptions log_options_;
  std::unique_ptr<log::Store> store_;
};

Files make_directory(bool closed) {
  Machine machine;
  ASSERT(machine.open());
  for (int i = 0; i < 12; ++i) {
    ASSERT(machine.append(partition(1), "first topic, record " + std::to_string(i)).has_value());
    if (i % 3 == 0) ASSERT(machine.append(partition(2), std::string(200, 'x')).has_value());
  }
  if (closed) machine.close();
  return machine.save();
}

void patch(Files& files, ByteReader& input) {
  auto chosen = input.read<std::uint8_t>() % files.size();
  Bytes& file = std::next(files.begin(), static_cast<std::ptrdiff_t>(chosen))->second;
  std::size_t position = input.read<std::uint16_t>();
  BytesView bytes = input.read_bytes(input.read<std::uint8_t>());
  if (!input.ok() || file.empty()) return;
  position %= file.size();
  if (bytes.empty()) file.resize(position);
  for (std::size_t i = 0; i < bytes.size() && position + i < file.size(); ++i) {
    file[position + i] = bytes[i];
  }
}

}  // namespace

void data_directory(BytesView input) {
  static const Files killed = make_directory(false);
  static const Files closed = make_directory(true);
  ByteReader reader(input);
  auto flags = reader.read<std::uint8_t>();
  Files files = (flags & 1) != 0 ? closed : killed;
  while (reader.ok() && reader.remaining() > 0) patch(files, reader);

  Machine machine;
  if ((flags & 2) != 0) machine.reboot();
  machine.load(files);
  if (!machine.open()) return;
  std::vector<Offset> ends;
  for (int topic : {1, 2}) {
    machine.read_all(partition(topic));
    auto offset = machine.append(partition(topic), "more");
    if (offset) ASSERT(*offset + 1 == machine.log(partition(topic)).high_watermark());
    ends.push_back(machine.read_all(partition(topic)));
  }
  machine.close();
  // What it made of the damage, it can live with.
  ASSERT(machine.open());
  for (int topic : {1, 2}) {
    std::size_t i = static_cast<std::size_t>(topic) - 1;
    ASSERT(machine.read_all(partition(topic)) == ends[i]);
  }
}

}  // namespace leat::fuzz
