// leat view: what a server's pipelines have come to, as tables.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/http_api.h"
#include "tools/output.h"
#include "tools/plan_files.h"
#include "tools/view_text.h"

namespace leat::tools {

namespace {

constexpr std::size_t rows_of_a_page = 10'000;

struct ViewOptions {
  std::vector<std::string> names;
  std::string http;
  std::optional<std::string> key;
  std::optional<std::string> moment;
  std::optional<std::int64_t> limit;
  std::optional<std::string> union_file;
  bool drop = false;
  std::string format = "box";
};

int print(const ViewOptions& options, const plan::Json& json,
          std::string (*to_text)(const plan::Json&)) {
  Output output;
  if (options.format == "json") {
    plan::append_json(output.buffer(), json);
    output.print("\n");
  } else {
    output.print(to_text(json));
  }
  return exit_ok;
}

std::string message_text(const plan::Json& answer) {
  return text_of(member(answer, "message")) + "\n";
}

int print_answer(const ViewOptions& options, const Result<plan::Json>& answer) {
  if (!answer) return fail_command(answer.error());
  return print(options, *answer, message_text);
}

int define(const ViewOptions& options, HttpApi& api) {
  auto text = read_plan_text(*options.union_file);
  if (!text) return fail_command(text.error());
  auto answer = api.ask("POST", "/v1/views", *text);
  if (!answer && answer.error().code == Errc::invalid_argument) {
    return fail_command({answer.error().code, *options.union_file + ": " + answer.error().what});
  }
  return print_answer(options, answer);
}

/// All rows that are wanted, by as many requests as it takes, all for the moment of the first.
Result<plan::Json> read(const ViewOptions& options, HttpApi& api) {
  auto left = static_cast<std::size_t>(options.limit.value_or(0));
  bool is_limited = options.limit.has_value();
  std::optional<plan::Json> all;
  std::string target = "/v1/views/" + url_text(options.names.front());
  std::string moment = options.moment ? "&as_of=" + url_text(*options.moment) : "";
  std::string key = options.key ? "&key=" + url_text(*options.key) : "";
  std::string after;
  while (true) {
    std::size_t wanted = is_limited ? std::min(left, rows_of_a_page) : rows_of_a_page;
    auto page =
        api.ask("GET", fmt::format("{}?limit={}{}{}{}", target, wanted, key, moment, after));
    if (!page) return page;
    left -= std::min(left, items_of(member(*page, "rows")).size());
    moment = "&as_of=" + url_text(text_of(member(*page, "moment")));
    std::string next = text_of(member(*page, "next"));
    after = "&after=" + url_text(next);
    if (!all) {
      all = std::move(*page);
    } else {
      auto& object = std::get<plan::JsonObject>(*all);
      auto& rows = std::get<plan::JsonArray>(object["rows"]);
      for (plan::Json row : items_of(member(*page, "rows"))) rows.push_back(std::move(row));
      object["next"] = member(*page, "next");
    }
    bool has_more = !std::holds_alternative<std::nullptr_t>(member(*all, "next"));
    if (!has_more || (is_limited && left == 0)) return std::move(*all);
  }
}

int show(const ViewOptions& options, HttpApi& api) {
  auto view = read(options, api);
  if (!view) return fail_command(view.error());
  int code = print(options, *view, options.format == "csv" ? view_csv : view_box);
  if (options.format == "box") fmt::print(stderr, "{}", view_moment_text(*view));
  return code;
}

int run(const ViewOptions& options) {
  HttpApi api(options.http);
  if (options.names.size() > 1) {
    complain("one view at a time");
    return exit_usage;
  }
  if (options.limit.value_or(0) < 0) {
    complain("--limit must not be negative");
    return exit_usage;
  }
  if (options.union_file) return define(options, api);
  if (!options.names.empty()) {
    if (!options.drop) return show(options, api);
    return print_answer(options, api.ask("DELETE", "/v1/views/" + url_text(options.names.front())));
  }
  bool asks = options.drop || options.key || options.moment || options.limit;
  if (asks) {
    complain("of which view: leat view lists them");
    return exit_usage;
  }
  auto list = api.ask("GET", "/v1/views");
  if (!list) return fail_command(list.error());
  return print(options, *list, views_text);
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<ViewOptions>();
  arguments.positionals("VIEW", options->names, "The view; all are listed if none is named", false);
  arguments.option("-k,--key KEY", options->key,
                   "Only the row of this key; a JSON array where it has several columns");
  arguments.option("--as-of MOMENT", options->moment,
                   "How it was: behind an epoch, or behind the last one made by @TIME (RFC 3339, "
                   "epoch ms, @-2h)");
  arguments.option("-n,--limit N", options->limit, "No more rows");
  arguments.choice("--format FORMAT", options->format, {"box", "csv", "json"},
                   "How results are printed");
  arguments.option("--union FILE", options->union_file,
                   "Makes a view of a batch's and a live one, which the file names");
  arguments.flag("--drop", options->drop, "Drops a union view");
  http_option(arguments, options->http);
  arguments.run([options] { return run(*options); });
}

}  // namespace

const Command view_command{
    "view", "Shows the results that pipelines keep as tables",
    "  leat view                                    which there are\n"
    "  leat view revenue                            always as of a committed epoch\n"
    "  leat view revenue --key 2026-03-02T00:00:00Z\n"
    "  leat view by-shop --key '[\"north\", 17]'      of two key columns\n"
    "  leat view revenue --as-of @-2h --format csv  as it was two hours ago\n"
    "  leat view revenue --as-of 17 --format json | jq .inputs\n"
    "  leat view revenue.v2                         of version 2, which is not live\n"
    "  leat view --union revenue.view.json          what a batch has, and what came since\n"
    "  leat view revenue --drop\n"
    "A sink of a deployed plan is a view by \"view\": \"NAME\" and its \"keys\".",
    declare};

}  // namespace leat::tools
