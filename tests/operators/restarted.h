// What a restart does to an operator's state.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

#include <doctest/doctest.h>

#include "base/state.h"
#include "operators/operator.h"

namespace leat::operators {

/// How large a snapshot of it is.
inline std::size_t snapshot_bytes(const OperatorState& state) {
  StateWriter writer;
  state.snapshot(writer);
  return writer.finish().size();
}

/// The state as another one that was written and read.
inline std::unique_ptr<OperatorState> restarted(const Operator& of, const OperatorState& state) {
  StateWriter writer;
  state.snapshot(writer);
  Bytes bytes = writer.finish();
  auto reader = StateReader::open(bytes);
  REQUIRE(reader.has_value());
  auto restored = of.make_state();
  auto ok = restored->restore(*reader);
  REQUIRE_MESSAGE(ok.has_value(), ok.error().what);
  REQUIRE(reader->finish().has_value());
  // Nothing may point to what it was read from.
  std::fill(bytes.begin(), bytes.end(), std::byte{0x3f});
  (void)restored->bytes();
  return restored;
}

}  // namespace leat::operators
