#include "tools/pipeline_replay.h"

#include <poll.h>

#include <charconv>

#include <fmt/core.h>

#include "tools/connect.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/pipeline_text.h"
#include "tools/progress.h"
#include "tools/record_json.h"

namespace leat::tools {

namespace {

constexpr int look_ms = 200;
/// A cut takes milliseconds where both versions keep up.
constexpr double promote_patience_s = 120;

/// Until Ctrl-C, or for a moment; true if it came.
bool interrupted(const Interrupt& interrupt) {
  pollfd wake{interrupt.wake_fd(), POLLIN, 0};
  ::poll(&wake, 1, look_ms);
  return interrupt.requested();
}

Result<void> check_rate(const std::string& rate) {
  double rows_per_s = 0;
  auto [end, error] = std::from_chars(rate.data(), rate.data() + rate.size(), rows_per_s);
  bool is_number = error == std::errc{} && end == rate.data() + rate.size() && rows_per_s > 0;
  if (rate.empty() || rate == "max" || is_number) return {};
  return fail(Errc::invalid_argument,
              fmt::format("--rate {}: it is a number of rows a second, or max", rate));
}

std::string replay_body(const PipelineOptions& options) {
  std::string body = R"({"from":)";
  append_json_text(body, options.from);
  if (!options.to.empty()) {
    body += R"(,"to":)";
    append_json_text(body, options.to);
  }
  if (options.rate == "max") {
    body += R"(,"rate":"max")";
  } else if (!options.rate.empty()) {
    body += fmt::format(R"(,"rate":{})", options.rate);
  }
  body += fmt::format(R"(,"diff":{},"final":{},"promote":{})", options.diff, options.flush,
                      options.promote);
  if (options.version) body += fmt::format(R"(,"version":{})", *options.version);
  if (options.dead_letters) body += R"(,"dead_letters":true)";
  if (!options.topic.empty()) {
    body += R"(,"topic":)";
    append_json_text(body, options.topic);
  }
  if (!options.late.empty()) {
    body += R"(,"late":)";
    append_json_text(body, options.late);
  }
  return body + "}";
}

/// Whether the replay has done what it was told; an error if it cannot.
Result<bool> is_over(const PipelineOptions& options, const plan::Json& replay) {
  std::string state = text_of(member(replay, "state"));
  std::string version = text_of(member(replay, "version"));
  if (state == "failed") {
    return fail(Errc::broker_error, fmt::format("version {} has failed: {}", version,
                                                text_of(member(replay, "last_error"))));
  }
  if (state == "ended") {
    return fail(Errc::cancelled, fmt::format("somebody has stopped version {}", version));
  }
  bool has_difference = std::holds_alternative<plan::JsonObject>(member(replay, "diff"));
  bool is_live = text_of(member(replay, "role")) == "live";
  if (options.promote) {
    bool may_be =
        !options.diff || !has_difference || is_true(member(member(replay, "diff"), "same"));
    bool is_wanted = is_live || is_true(member(replay, "promotes"));
    if (may_be && !is_wanted) {
      return fail(Errc::cancelled,
                  fmt::format("version {} is not to become live any more: somebody has decided "
                              "otherwise",
                              version));
    }
    return is_live || (has_difference && !may_be);
  }
  return is_true(member(replay, "done")) && (!options.diff || has_difference);
}

bool has_failed(const plan::Json& pipeline, const std::string& version) {
  for (const plan::Json& shown : items_of(member(pipeline, "versions"))) {
    if (text_of(member(shown, "version")) == version) {
      return text_of(member(shown, "state")) == "failed";
    }
  }
  return false;
}

int tell_replay(const PipelineOptions& options, const plan::Json& replay) {
  if (options.json()) {
    print_json(replay);
  } else {
    Output output;
    output.print(replay_text(replay));
  }
  bool is_live = text_of(member(replay, "role")) == "live";
  if (!options.promote || is_live) return exit_ok;
  return fail_command({Errc::broker_error, "it gave something else, so it was not promoted"});
}

int follow(const PipelineOptions& options, const std::string& version, HttpApi& api) {
  Interrupt interrupt;
  Progress progress;
  std::string target = options.target("/replay?version=" + version);
  while (true) {
    auto replay = api.ask("GET", target);
    if (!replay) return fail_command(replay.error());
    auto over = is_over(options, *replay);
    if (!over) return fail_command(over.error());
    if (*over) {
      progress.wipe();
      return tell_replay(options, *replay);
    }
    progress.show([&] { return replay_progress_text(*replay); });
    if (!interrupted(interrupt)) continue;
    progress.wipe();
    fmt::print(stderr,
               "the replay goes on in the server; `leat pipeline show {}` shows how far it is, "
               "`leat pipeline replay {} --stop` ends it\n",
               options.name, options.name);
    return interrupt.exit_code();
  }
}

}  // namespace

std::string PipelineOptions::target(const std::string& behind) const {
  return "/v1/pipelines/" + url_text(name) + behind;
}

void print_json(const plan::Json& json) {
  std::string text;
  plan::append_json(text, json);
  Output output;
  output.print(text + "\n");
}

int print_answer(const PipelineOptions& options, const Result<plan::Json>& answer) {
  if (!answer) return fail_command(answer.error());
  if (options.json()) {
    print_json(*answer);
  } else {
    Output output;
    output.print(text_of(member(*answer, "message")) + "\n");
  }
  return exit_ok;
}

int replay_pipeline(const PipelineOptions& options, HttpApi& api) {
  if (options.stop) {
    std::string of = options.version ? fmt::format("?version={}", *options.version) : "";
    return print_answer(options, api.ask("DELETE", options.target("/replay" + of)));
  }
  if (auto ok = check_rate(options.rate); !ok) return fail_command(ok.error());
  auto begun = api.ask("POST", options.target("/replay"), replay_body(options));
  if (!begun) return fail_command(begun.error());
  bool has_begun = !std::holds_alternative<std::nullptr_t>(member(*begun, "version"));
  if (options.no_wait || !has_begun) return print_answer(options, begun);
  if (!options.json()) fmt::print(stderr, "{}\n", text_of(member(*begun, "message")));
  return follow(options, text_of(member(*begun, "version")), api);
}

int promote_pipeline(const PipelineOptions& options, HttpApi& api) {
  std::uint32_t version = 0;
  const std::string& said = options.promoted;
  auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), version);
  if (error != std::errc{} || end != said.data() + said.size()) {
    return fail_command({Errc::invalid_argument,
                         fmt::format("'{}' is no version: `leat pipeline versions {}` lists them",
                                     said, options.name)});
  }
  auto begun =
      api.ask("POST", options.target("/promote"), fmt::format(R"({{"version":{}}})", version));
  if (!begun || options.no_wait) return print_answer(options, begun);
  // It may have more to say than that.
  if (!options.json() && text_of(member(member(*begun, "pipeline"), "version")) == said) {
    return print_answer(options, begun);
  }
  Interrupt interrupt;
  Progress progress;
  std::string waits;
  while (progress.seconds() < promote_patience_s) {
    auto pipeline = api.ask("GET", options.target());
    if (!pipeline) return fail_command(pipeline.error());
    if (text_of(member(*pipeline, "version")) == said) {
      progress.wipe();
      if (options.json()) {
        print_json(*pipeline);
      } else {
        Output output;
        output.print(fmt::format("version {} of {} is live\n", said, options.name));
      }
      return exit_ok;
    }
    waits = waits_text(*pipeline, said);
    if (waits.empty() || has_failed(*pipeline, said)) break;
    progress.show([&] { return waits; });
    if (interrupted(interrupt)) return interrupt.exit_code();
  }
  progress.wipe();
  if (waits.empty()) {
    return fail_command({Errc::cancelled, fmt::format("version {} is not to become live any more: "
                                                      "somebody has decided otherwise",
                                                      said)});
  }
  return fail_command({Errc::request_timed_out,
                       fmt::format("version {} is not live yet. {} `leat pipeline why {}` says how "
                                   "it goes on",
                                   said, waits, options.name)});
}

}  // namespace leat::tools
