// leat pipeline: what a server runs all the time, by its HTTP side.
#include <memory>
#include <string>

#include <fmt/core.h>

#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/http_api.h"
#include "tools/output.h"
#include "tools/pipeline_replay.h"
#include "tools/pipeline_text.h"
#include "tools/plan_files.h"

namespace leat::tools {

namespace {

int deploy(const PipelineOptions& options, HttpApi& api) {
  auto plan = read_plan_text(options.file);
  if (!plan) return fail_command(plan.error());
  std::string target = "/v1/pipelines";
  for (const std::string& value : options.values) {
    target += (&value == options.values.data() ? "?set=" : "&set=") + url_text(value);
  }
  auto answer = api.ask("POST", target, *plan);
  if (!answer && answer.error().code == Errc::invalid_argument) {
    return fail_command(
        {answer.error().code, options.file + ": " + with_hint(answer.error().what)});
  }
  return print_answer(options, answer);
}

/// Gets what is at the target and prints it, as text by `to_text`.
int print_what_is(const PipelineOptions& options, HttpApi& api, const std::string& target,
                  std::string (*to_text)(const plan::Json&)) {
  auto json = api.ask("GET", target);
  if (!json) return fail_command(json.error());
  if (options.json()) {
    print_json(*json);
  } else {
    Output output;
    output.print(to_text(*json));
  }
  return exit_ok;
}

int list(const PipelineOptions& options, HttpApi& api) {
  return print_what_is(options, api, "/v1/pipelines", pipelines_text);
}
int show(const PipelineOptions& options, HttpApi& api) {
  return print_what_is(options, api, options.target(), pipeline_text);
}
int why(const PipelineOptions& options, HttpApi& api) {
  return print_what_is(options, api, options.target("/why"), why_text);
}
int versions(const PipelineOptions& options, HttpApi& api) {
  return print_what_is(options, api, options.target("/versions"), versions_text);
}
int pause(const PipelineOptions& options, HttpApi& api) {
  return print_answer(options, api.ask("POST", options.target("/pause")));
}
int resume(const PipelineOptions& options, HttpApi& api) {
  return print_answer(options, api.ask("POST", options.target("/resume")));
}
int run_now(const PipelineOptions& options, HttpApi& api) {
  auto values = parse_parameters(options.values);
  if (!values) return fail_command(values.error());
  plan::Json body = plan::JsonObject{{"set", plan::JsonObject(values->begin(), values->end())}};
  std::string text;
  plan::append_json(text, body);
  return print_answer(options, api.ask("POST", options.target("/run"), text));
}
int drop(const PipelineOptions& options, HttpApi& api) {
  std::string topics = options.with_topics ? "topics=true" : "";
  if (options.version) {
    std::string query = fmt::format("/versions?version={}&{}", *options.version, topics);
    return print_answer(options, api.ask("DELETE", options.target(query)));
  }
  return print_answer(options,
                      api.ask("DELETE", options.target(topics.empty() ? "" : "?" + topics)));
}

using Action = int (*)(const PipelineOptions&, HttpApi&);
using Options = std::shared_ptr<PipelineOptions>;

Arguments& declare_action(Arguments& pipeline, const Options& options, const char* name,
                          const char* summary, const char* examples, Action action,
                          bool has_name = true) {
  Arguments& arguments = pipeline.subcommand(name, summary, examples);
  if (has_name) arguments.required("PIPELINE", options->name, "The pipeline");
  http_option(arguments, options->http);
  arguments.format(options->format);
  arguments.run([options, action] {
    HttpApi api(options->http);
    return action(*options, api);
  });
  return arguments;
}

void declare_looking(Arguments& pipeline, const Options& options) {
  Arguments& deploying = pipeline.subcommand(
      "deploy", "Has a server run a plan from now on, or gives a pipeline another version",
      "  leat pipeline deploy fraud.plan.json\n"
      "  leat pipeline deploy fraud.plan.json --format json | jq .pipeline.versions\n"
      "  leat pipeline deploy daily.plan.json --set shop=north\n"
      "The same plan again changes nothing. A changed plan becomes a version beside the one that\n"
      "runs, and does not run before `leat pipeline replay` or `promote`. A batch that has\n"
      "${yesterday} in its plan gets another day there for each run.");
  deploying.required("FILE", options->file, "The plan as JSON; - for stdin");
  deploying.option("--set NAME=VALUE", options->values, set_help);
  http_option(deploying, options->http);
  deploying.format(options->format);
  deploying.run([options] {
    HttpApi api(options->http);
    return deploy(*options, api);
  });
  declare_action(pipeline, options, "list", "Lists the pipelines", "  leat pipeline list", list,
                 false);
  declare_action(pipeline, options, "show", "Shows how a pipeline and its versions are doing",
                 "  leat pipeline show fraud\n"
                 "  leat pipeline show fraud --format json | jq .lag_records",
                 show);
  declare_action(pipeline, options, "why",
                 "Says why nothing comes out, or why it is behind, and what to do",
                 "  leat pipeline why fraud", why);
  declare_action(pipeline, options, "versions", "Lists a pipeline's versions",
                 "  leat pipeline versions fraud\n"
                 "  leat pipeline versions fraud --format json | jq '.versions[-1].plan'",
                 versions);
}

void declare_changing(Arguments& pipeline, const Options& options) {
  declare_action(pipeline, options, "pause", "Has a pipeline stand still, also across restarts",
                 "  leat pipeline pause fraud", pause);
  declare_action(pipeline, options, "resume", "Lets it go on, or try again what failed",
                 "  leat pipeline resume fraud", resume);
  Arguments& running = declare_action(
      pipeline, options, "run", "Runs a batch now, whatever its schedule says",
      "  leat pipeline run daily\n"
      "  leat pipeline run daily --set date=2026-03-02    in place of ${date} in its plan, once",
      run_now);
  running.option("--set NAME=VALUE", options->values, set_help);
  Arguments& dropping = declare_action(
      pipeline, options, "drop", "Stops a pipeline and forgets it; what it wrote stays",
      "  leat pipeline drop fraud\n"
      "  leat pipeline drop fraud --topics       the topics of its versions beside the live one,\n"
      "                                          such as alerts.v2, go too\n"
      "  leat pipeline drop fraud --version 1    that version alone, which must not be live:\n"
      "                                          one that was, before its 24 hours are over, a\n"
      "                                          shadow, or one that was never at work",
      drop);
  dropping.flag("--topics", options->with_topics, "Delete its shadow topics too");
  dropping.option("--version N", options->version, "This version alone");
}

void declare_replaying(Arguments& pipeline, const Options& options) {
  Arguments& replaying = declare_action(
      pipeline, options, "replay",
      "Has a version read history beside the live one, into topics of its own",
      "  leat pipeline replay fraud                          the newest version, from the start;\n"
      "                                                      the live one's plan if there is none\n"
      "  leat pipeline replay fraud --diff                   and compares what comes out\n"
      "  leat pipeline replay fraud --promote                and makes it live when it is there\n"
      "  leat pipeline replay fraud --from @-7d --rate 50000\n"
      "  leat pipeline replay fraud --to @2026-03-01 --final a bounded one: closes all windows\n"
      "  leat pipeline replay fraud --dead-letters           what was rejected, once more\n"
      "  leat pipeline replay fraud --late 2h --diff         what late rows would have changed\n"
      "  leat pipeline replay fraud --stop\n"
      "Version 2 writes to TOPIC.v2. It waits until the replay is done; Ctrl-C leaves it at work.",
      replay_pipeline);
  replaying.option("--from POSITION", options->from,
                   "Gives nothing of before: start, end, N, -N (before the end), +N (after the "
                   "start) or @TIME (RFC 3339, epoch ms, @-2h)");
  replaying.option("--to POSITION", options->to, "Ends there, instead of following as a shadow");
  replaying.option("--rate ROWS_PER_S", options->rate,
                   "Reads no faster, or with max as fast as it goes; if not said as fast as keeps "
                   "nothing that is live waiting");
  replaying.flag("--diff", options->diff, "Compare with what the live version gave");
  replaying.flag("--final", options->flush, "Close all windows at the end that --to says");
  replaying.flag("--promote", options->promote,
                 "Make it live when it has caught up; with --diff only if it gave the same");
  replaying.option("--version N", options->version, "This version");
  replaying.flag("--dead-letters", options->dead_letters,
                 "Give the live version's plan the records and rows that the pipeline has rejected "
                 "since the last time, once; what comes of them goes where its results go");
  replaying.option("--late DURATION", options->late,
                   "By a version of the live plan that waits so much longer for rows, so that "
                   "those count that were up to that late: 90s, 2h, 1d");
  replaying.option("--topic TOPIC", options->topic, "Which dead letters, if they go to several");
  replaying.flag("--stop", options->stop, "End a replay");
  replaying.flag("--no-wait", options->no_wait, "Do not wait for its end");
  Arguments& promoting = declare_action(
      pipeline, options, "promote", "Makes another version the live one, between two records",
      "  leat pipeline promote fraud 2           version 2 goes on where version 1 stands\n"
      "  leat pipeline promote fraud 1           and back: version 1 follows for 24 hours\n"
      "Readers of the sinks' topics see no record twice and miss none.",
      promote_pipeline);
  promoting.required("VERSION", options->promoted, "Its number");
  promoting.flag("--no-wait", options->no_wait, "Do not wait for it");
}

void declare(Arguments& pipeline) {
  auto options = std::make_shared<PipelineOptions>();
  declare_looking(pipeline, options);
  declare_changing(pipeline, options);
  declare_replaying(pipeline, options);
}

}  // namespace

const Command pipeline_command{"pipeline", "Deploys pipelines into a server, and looks after them",
                               "  leat pipeline deploy fraud.plan.json\n"
                               "  leat pipeline why fraud\n"
                               "  leat pipeline replay fraud --diff --promote",
                               declare};

}  // namespace leat::tools
