// What `leat gen` takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "generate/kinds.h"
#include "tools/command.h"
#include "tools/connect.h"

namespace leat::tools {

struct GenOptions {
  std::string brokers = default_brokers;
  std::optional<std::string> to;
  std::string codec = "none";
  std::optional<std::string> record_template;
  std::string format = "text";
  std::string speed = "max";
  std::optional<std::int64_t> count;

  // Traits, as they are written.
  double rate = 0;
  double hot = 0;
  double disorder = 0;
  double duplicates = 0;
  double drift = 0;
  std::int64_t seed = 0;
  std::int64_t first_event = 0;
  std::int64_t keys = 0;
  std::int64_t hot_keys = 0;
  std::int64_t hot_keys_unsaid = 0;  // what that is if nobody says it
  std::int64_t group = 0;
  std::int64_t partitions = 0;
  std::int64_t idle_partitions = 0;
  std::int64_t drift_after = 0;
  std::string start;
  std::string disorder_within;
  std::string duplicates_within;
  std::string idle_for;
  std::string idle_every;
  std::string drift_as;
};

/// With the defaults of a kind.
GenOptions options_for(const generate::Kind& kind);

/// Those that mean something to the kind.
void declare_options(Arguments& arguments, const generate::Kind& kind, GenOptions& options);

/// Checks all options but `to` and `speed`. `now_ms` is what times "ago" count from.
Result<generate::Traits> traits_of(const GenOptions& options, std::int64_t now_ms);

}  // namespace leat::tools
