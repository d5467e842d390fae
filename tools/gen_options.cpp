#include "tools/gen_options.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "column/timestamp.h"
#include "tools/position.h"

namespace leat::tools {

namespace {

using generate::Drift;
using generate::Kind;
using generate::Traits;

constexpr std::array<std::pair<const char*, Drift>, 5> drifts{{{"added", Drift::added},
                                                               {"renamed", Drift::renamed},
                                                               {"retyped", Drift::retyped},
                                                               {"missing", Drift::missing},
                                                               {"any", Drift::any}}};

/// As parse_duration_ms() reads it.
std::string duration_text(std::int64_t ms) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 3> units{
      {{3'600'000, "h"}, {60'000, "m"}, {1000, "s"}}};
  for (const auto& [unit_ms, name] : units)
    if (ms % unit_ms == 0) return fmt::format("{}{}", ms / unit_ms, name);
  return fmt::format("{}ms", ms);
}

std::string drift_text(Drift drift) {
  auto found = std::find_if(drifts.begin(), drifts.end(),
                            [&](const auto& one) { return one.second == drift; });
  return found->first;
}

void declare_output(Arguments& arguments, GenOptions& options) {
  arguments.option("--to TOPIC", options.to,
                   "The topic that the events go to, instead of stdout; made if it is missing");
  arguments.option("-p,--partitions N", options.partitions,
                   "How many a missing topic is made with; without --to, among how many events "
                   "are shared out");
  arguments.brokers(options.brokers);
  arguments.choice("-z,--compression CODEC", options.codec, codec_names(),
                   "How batches for --to are compressed");
  arguments.option("-f,--template TEMPLATE", options.record_template,
                   "What to print, as for leat consume (default: %s\\n)");
  arguments.choice("--format FORMAT", options.format, {"text", "json"},
                   "json: whole records, as leat produce -F json reads them");
  arguments.option("-n,--count N", options.count,
                   "How many records; 0: until it is interrupted (default: 10000, or all rows of "
                   "a table)");
  arguments.option("--speed X", options.speed, "Times the events' own pace, or max");
  arguments.option("--seed N", options.seed, "Other events for each");
  arguments.option("--first N", options.first_event, "The number of the first event");
  arguments.option("--start TIME", options.start,
                   "When event 0 happens: RFC 3339, ms since 1970, -2h (ago), or now");
  arguments.option("--rate R", options.rate, "Events a second of event time");
}

void declare_arrival(Arguments& arguments, GenOptions& options) {
  arguments.option("--disorder FRACTION", options.disorder, "How much of it arrives late");
  arguments.option("--disorder-within DURATION", options.disorder_within,
                   "And by how much at most");
  arguments.option("--duplicates FRACTION", options.duplicates, "How much of it arrives twice");
  arguments.option("--duplicates-within DURATION", options.duplicates_within,
                   "And how much later at most");
  arguments.option("--idle N", options.idle_partitions,
                   "How many partitions at a time are silent now and then");
  arguments.option("--idle-for DURATION", options.idle_for, "For how long they are");
  arguments.option("--idle-every DURATION", options.idle_every, "How often that comes");
}

void declare_fields(Arguments& arguments, GenOptions& options) {
  arguments.option("--hot FRACTION", options.hot, "How much of it has hot keys");
  arguments.option("--hot-keys N", options.hot_keys, "How many of these there are");
  arguments.option("--drift FRACTION", options.drift, "How much of it has another schema");
  std::vector<std::string> names;
  for (const auto& drift : drifts) names.push_back(drift.first);
  arguments.choice("--drift-as HOW", options.drift_as, names,
                   "A field is added, has another name, is a text, is missing, or any of these");
  arguments.option("--drift-after N", options.drift_after, "From which event on");
}

Result<std::int64_t> duration_of(std::string_view option, const std::string& text) {
  if (auto ms = parse_duration_ms(text)) return *ms;
  return fail(Errc::invalid_argument,
              fmt::format("{}: '{}' is no duration: 500ms, 30s and 1h30m are", option, text));
}

Result<std::int64_t> start_of(const std::string& text, std::int64_t now_ms) {
  if (text == "now") return now_ms;
  auto position = Position::parse("@" + text, now_ms);
  if (position) return position->number;
  return fail(Errc::invalid_argument,
              fmt::format("--start: '{}' is no time: 2026-03-02T09:00:00Z, 2026-03-02, -2h and "
                          "now are",
                          text));
}

Result<void> read_times(const GenOptions& options, std::int64_t now_ms, Traits& traits) {
  auto start = start_of(options.start, now_ms);
  if (!start) return fail(start);
  traits.start_ms = *start;
  const std::array<std::tuple<const char*, const std::string*, std::int64_t*>, 4> durations{
      {{"--disorder-within", &options.disorder_within, &traits.disorder_ms},
       {"--duplicates-within", &options.duplicates_within, &traits.duplicates_ms},
       {"--idle-for", &options.idle_for, &traits.idle_ms},
       {"--idle-every", &options.idle_every, &traits.idle_every_ms}}};
  for (const auto& [option, text, into] : durations) {
    auto ms = duration_of(option, *text);
    if (!ms) return fail(ms);
    *into = *ms;
  }
  return {};
}

}  // namespace

GenOptions options_for(const Kind& kind) {
  const Traits& traits = kind.defaults;
  GenOptions options;
  options.rate = traits.rate;
  options.hot = traits.hot;
  options.disorder = traits.disorder;
  options.duplicates = traits.duplicates;
  options.drift = traits.drift;
  options.seed = static_cast<std::int64_t>(traits.seed);
  options.first_event = static_cast<std::int64_t>(traits.first_event);
  options.keys = traits.keys;
  options.hot_keys = options.hot_keys_unsaid = traits.hot_keys;
  options.group = traits.group;
  options.partitions = traits.partitions;
  options.idle_partitions = traits.idle_partitions;
  options.drift_after = static_cast<std::int64_t>(traits.drift_after);
  column::append_timestamp(options.start, column::Timestamp{traits.start_ms});
  options.disorder_within = duration_text(traits.disorder_ms);
  options.duplicates_within = duration_text(traits.duplicates_ms);
  options.idle_for = duration_text(traits.idle_ms);
  options.idle_every = duration_text(traits.idle_every_ms);
  options.drift_as = drift_text(traits.drift_as);
  return options;
}

void declare_options(Arguments& arguments, const Kind& kind, GenOptions& options) {
  std::string_view name = kind.name;
  declare_output(arguments, options);
  if (!kind.is_table) declare_arrival(arguments, options);
  if (name == "nexmark")
    arguments.option("--group N", options.group, "So many events at a time are shuffled");
  else if (name != "products")
    arguments.option("--keys N", options.keys, "How many keys there are");
  if (!kind.is_table && name != "nexmark") declare_fields(arguments, options);
}

Result<Traits> traits_of(const GenOptions& options, std::int64_t now_ms) {
  auto refuse = [](std::string text) { return fail(Errc::invalid_argument, std::move(text)); };
  if (options.to && (options.record_template || options.format == "json"))
    return refuse("-f and --format are for stdout, not for --to");
  if (options.record_template && options.format == "json")
    return refuse("-f and --format json exclude each other");
  if (!options.to && options.codec != "none") return refuse("-z is for --to");
  if (options.count && *options.count < 0) return refuse("-n takes a count of records, 0 or more");
  if (options.seed < 0 || options.first_event < 0 || options.drift_after < 0)
    return refuse("--seed, --first and --drift-after are not below 0");
  // Fewer keys than are hot by themselves are all hot.
  if (options.hot_keys > options.keys && options.hot_keys != options.hot_keys_unsaid)
    return refuse(fmt::format("--hot-keys: {}, of the {} that there are by --keys",
                              options.hot_keys, options.keys));
  constexpr std::int64_t partitions_max = 100'000;
  if (options.partitions < 1 || options.partitions > partitions_max)
    return refuse(fmt::format("-p: 1 to {} partitions", partitions_max));
  if (options.idle_partitions < 0 || options.idle_partitions > partitions_max)
    return refuse(fmt::format("--idle: 0 to {} partitions", partitions_max));
  Traits traits;
  traits.rate = options.rate;
  traits.hot = options.hot;
  traits.disorder = options.disorder;
  traits.duplicates = options.duplicates;
  traits.drift = options.drift;
  traits.seed = static_cast<std::uint64_t>(options.seed);
  traits.first_event = static_cast<std::uint64_t>(options.first_event);
  traits.keys = options.keys;
  traits.hot_keys = options.hot_keys;
  traits.group = options.group;
  traits.partitions = static_cast<std::int32_t>(options.partitions);
  traits.idle_partitions = static_cast<std::int32_t>(options.idle_partitions);
  traits.drift_after = static_cast<std::uint64_t>(options.drift_after);
  auto times = read_times(options, now_ms, traits);
  if (!times) return fail(times);
  for (const auto& [name, drift] : drifts)
    if (options.drift_as == name) traits.drift_as = drift;
  if (auto checked = check(traits); !checked) return fail(checked);
  return traits;
}

}  // namespace leat::tools
