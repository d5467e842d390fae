#include "tools/demo_edits.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "leat/blocking.h"
#include "record/compression.h"
#include "record/partitioner.h"
#include "tools/record_json.h"

// The file as it lies in tests/data, so that the demo needs nothing but the program.
asm(R"(
  .section .rodata
  .global leat_demo_edits_begin
  .global leat_demo_edits_end
leat_demo_edits_begin:
  .incbin ")" LEAT_DEMO_EDITS R"("
leat_demo_edits_end:
  .byte 0
  .text
)");

extern "C" const char leat_demo_edits_begin[];
extern "C" const char leat_demo_edits_end[];

namespace leat::tools {

Result<DemoEdits> DemoEdits::load() {
  auto size = static_cast<std::size_t>(leat_demo_edits_end - leat_demo_edits_begin);
  record::Scratch scratch;
  auto text = record::decompress(record::Compression::gzip, as_bytes({leat_demo_edits_begin, size}),
                                 scratch);
  if (!text) return fail(text);
  DemoEdits edits;
  edits.text_.resize(text->size() + json_padding_bytes);
  std::memcpy(edits.text_.data(), text->data(), text->size());

  JsonLineReader reader;
  std::string_view rest(edits.text_.data(), text->size());
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    auto fields = reader.read_fields(line, "channel", "time");
    if (!fields) return fail(fields);
    const LineRecord& record = **fields;
    edits.edits_.push_back({line, std::string(*record.key), *record.timestamp});
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return edits;
}

std::int64_t feed(const DemoEdits& edits, const DemoFeed& options, blocking::Producer& producer,
                  const std::function<bool(std::int64_t sent)>& between) {
  using Clock = std::chrono::steady_clock;
  constexpr int steps_per_second = 10;
  // Without a rate a step is as many as make looking up cheap.
  const std::int64_t per_step =
      options.rate > 0 ? std::max<std::int64_t>(options.rate / steps_per_second, 1) : 4096;
  const Clock::time_point start = Clock::now();
  std::map<std::int32_t, std::int64_t> present = options.present;
  std::int64_t sent = 0;
  for (const DemoEdit& edit : edits.all()) {
    std::int32_t partition =
        record::partition_of_key(as_bytes(edit.channel), options.partitions).value();
    if (present[partition]-- > 0) continue;
    producer.enqueue({options.topic, edit.channel, edit.line, {}, partition, edit.time});
    if (++sent % per_step != 0) continue;
    if (!between(sent)) return sent;
    if (options.rate > 0) {
      auto due = std::chrono::duration<double>(static_cast<double>(sent) /
                                               static_cast<double>(options.rate));
      std::this_thread::sleep_until(start + std::chrono::duration_cast<Clock::duration>(due));
    }
  }
  producer.flush();
  return sent;
}

}  // namespace leat::tools
