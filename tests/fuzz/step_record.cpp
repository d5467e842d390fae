// What a pipeline keeps of a step.
#include "base/assert.h"
#include "fuzz/targets.h"
#include "stream/step_record.h"

namespace leat::fuzz {

using stream::StepRecord;

namespace {

Bytes encoded(const StepRecord& step) {
  Bytes bytes;
  ByteWriter writer(bytes);
  step.encode(writer);
  return bytes;
}

}  // namespace

/// Whatever is understood is written in a form that means the same.
void step_record(BytesView input) {
  ByteReader reader(input);
  auto step = StepRecord::decode(reader);
  if (!step) return;
  Bytes bytes = encoded(*step);
  ByteReader again(bytes);
  ASSERT(StepRecord::decode(again) == *step);
  ASSERT(again.remaining() == 0);
}

std::vector<Bytes> step_record_seeds() {
  StepRecord step;
  step.now_ms = 1'700'000'000'000;
  step.watermark = -5;
  step.consumed = {{0, Offset{7}, 7}, {3, Offset{1'000'000}, 12}};
  step.idle = {1, 4};
  step.decisions = {{3, Offset{999'990}, 1'000}};
  StepRecord flush;
  flush.flushed = true;
  flush.watermark = operators::watermark_max;
  return {encoded(step), encoded(flush)};
}

}  // namespace leat::fuzz
