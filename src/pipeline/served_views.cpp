#include "pipeline/served_views.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pipeline/view.h"
#include "pipeline/view_answer.h"
#include "pipeline/view_rows.h"

namespace leat::pipeline {

namespace {

using plan::Json;
using plan::JsonArray;
using plan::JsonObject;

Json names(const std::vector<std::string>& names) {
  JsonArray array;
  for (const std::string& name : names) array.emplace_back(name);
  return array;
}

Json table_json(const ServedView& view) {
  JsonObject object;
  object["view"] = view.name;
  object["kind"] = "table";
  object["pipeline"] = view.pipeline;
  object["version"] = json_number(std::uint64_t{view.version});
  object["role"] = std::string(name(view.role));
  object["keys"] = names(view.keys);
  object["columns"] = names(view.columns);
  object["epoch"] = nullptr;
  object["rows"] = nullptr;
  object["watermark"] = nullptr;
  if (!view.now) return object;
  stream::View::Query none;
  none.limit = 0;
  if (auto answer = view.now->read(none)) {
    object["epoch"] = json_number(answer->moment.epoch);
    object["watermark"] = json_time(answer->moment.complete_to);
  }
  object["rows"] = json_number(std::uint64_t{view.now->rows()});
  return object;
}

Json union_json(const UnionView& view) {
  JsonObject object;
  object["view"] = view.name;
  object["kind"] = "union";
  object["batch"] = view.batch;
  object["live"] = view.live;
  object["column"] = view.column;
  object["granularity_ms"] = json_number(view.granularity_ms);
  return object;
}

}  // namespace

/// What `then` does with what it is given, on the executor, unless this has gone by then.
template <class Then>
auto ServedViews::later(Then then) {
  return [&executor = environment_.executor, alive = std::weak_ptr<char>(alive_),
          then = std::move(then)](auto... arguments) mutable {
    executor.post([alive, then = std::move(then), ... arguments = std::move(arguments)]() mutable {
      if (!alive.expired()) then(std::move(arguments)...);
    });
  };
}

Json ServedViews::list() const {
  std::map<std::string, Json> all;
  for (const ServedView& view : environment_.list()) all.emplace(view.name, table_json(view));
  for (const auto& [name, view] : environment_.catalog.unions()) {
    all.emplace(name, union_json(view));
  }
  JsonArray views;
  for (auto& [name, json] : all) views.push_back(std::move(json));
  return JsonObject{{"views", std::move(views)}};
}

Result<ServedView> ServedViews::find(const std::string& name) const {
  if (auto view = environment_.find(name)) return std::move(*view);
  std::vector<std::string> there;
  for (ServedView& view : environment_.list()) there.push_back(std::move(view.name));
  for (const auto& [other, view] : environment_.catalog.unions()) there.push_back(other);
  std::sort(there.begin(), there.end());
  return fail(Errc::not_found,
              fmt::format("there is no view {}; {}", name,
                          there.empty() ? "there are none: a sink of a deployed plan is one, with "
                                          "\"view\": \"NAME\" and \"keys\""
                                        : fmt::format("there are: {}", fmt::join(there, ", "))));
}

void ServedViews::find_past(const ServedView& view, const ViewTime& at, Found found) {
  if (environment_.past == nullptr) {
    return found(fail(Errc::unsupported, fmt::format("how view {} was is not known", view.name)));
  }
  PastView wanted = view.past;
  wanted.epoch = at.epoch;
  wanted.time_ms = at.time_ms;
  environment_.past->find(
      std::move(wanted),
      later([found = std::move(found)](Result<std::shared_ptr<const stream::View>> made) mutable {
        if (!made) return found(fail(made));
        stream::View::Query none;
        none.limit = 0;
        auto answer = (*made)->read(none);
        if (!answer) return found(fail(answer));
        found(ViewAt{std::move(*made), std::move(answer->moment)});
      }));
}

void ServedViews::find_at(const ServedView& view, const ViewTime& at, Found found) {
  if (view.never_ran) {
    return found(fail(Errc::not_found,
                      fmt::format("view {} is empty until its batch has run to the end: `leat "
                                  "pipeline run {}`",
                                  view.name, view.pipeline)));
  }
  auto later_please = [&view] {
    return fail(Errc::cancelled, fmt::format("view {} is being made: ask again soon; `leat "
                                             "pipeline show {}` says how far it is",
                                             view.name, view.pipeline));
  };
  if (!view.now) {
    bool waits = at.is_now() && view.is_recovering && !view.past.is_batch;
    if (!waits) return find_past(view, at, std::move(found));
    return found(later_please());
  }
  stream::View::Query query;
  query.epoch = at.epoch;
  query.time_ms = at.time_ms;
  query.limit = 0;
  auto answer = view.now->read(query);
  // Before its first epoch it was nothing.
  bool was_there = answer && answer->moment.epoch > 0;
  if (was_there) return found(ViewAt{view.now, std::move(answer->moment)});
  if (answer && at.is_now()) return found(later_please());
  bool is_ahead = at.epoch && *at.epoch > view.now->epochs().second;
  if (is_ahead && !answer) return found(fail(answer));
  find_past(view, at, std::move(found));
}

void ServedViews::read(const ViewQuestion& question, Text answer) {
  if (const UnionView* of = environment_.catalog.find_union(question.view)) {
    return read_union(*of, question, std::move(answer));
  }
  auto view = find(question.view);
  if (!view) return answer(fail(view));
  read_one(*view, question, std::move(answer));
}

void ServedViews::read_one(const ServedView& view, const ViewQuestion& question, Text answer) {
  if (question.at.live_epoch) {
    return answer(fail(Errc::invalid_argument,
                       fmt::format("view {} has one epoch: two are a union view's", view.name)));
  }
  find_at(view, question.at,
          [view, question, answer = std::move(answer)](Result<ViewAt> at) mutable {
            if (!at) return answer(fail(at));
            ViewRows rows(*at, view, question.limit);
            auto taken = rows.take(question.key, question.after);
            if (!taken) return answer(fail(taken));
            JsonObject head = moment_json(view, at->moment);
            head["view"] = view.name;
            answer(answer_text(std::move(head), rows));
          });
}

// ---- Unions ------------------------------------------------------------------------------------

void ServedViews::read_union(const UnionView& of, const ViewQuestion& question, Text answer) {
  auto sides = std::make_shared<Sides>();
  sides->of = of;
  for (auto [name, side] : {std::pair(&of.batch, &sides->batch), {&of.live, &sides->live}}) {
    auto view = find(*name);
    if (!view) {
      return answer(fail(view.error().code, fmt::format("union view {}: {}; deploy it again, or "
                                                        "drop the union: leat view {} --drop",
                                                        of.name, view.error().what, of.name)));
    }
    *side = std::move(*view);
  }
  if (question.at.epoch && !question.at.live_epoch) {
    return answer(fail(Errc::invalid_argument,
                       fmt::format("union view {} has two epochs, of {} and of {}: ask for @TIME, "
                                   "or for both, as in 17,4711",
                                   of.name, of.batch, of.live)));
  }
  ViewTime live_at = question.at;
  live_at.epoch = question.at.live_epoch;
  // First the batch: its boundary comes with its rows, and the live view has what lies behind that
  // at any later moment, too.
  find_at(
      sides->batch, question.at,
      [this, sides, question, live_at, answer = std::move(answer)](Result<ViewAt> batch) mutable {
        bool is_none = !batch && batch.error().code == Errc::not_found;
        bool is_before =
            !batch && batch.error().code == Errc::offset_out_of_range && question.at.time_ms;
        if (!batch && !is_none && !is_before) return answer(fail(batch));
        if (batch) sides->batch_at = std::move(*batch);
        find_at(sides->live, live_at,
                [sides, question, answer = std::move(answer)](Result<ViewAt> live) mutable {
                  if (!live) return answer(fail(live));
                  sides->live_at = std::move(*live);
                  answer(merge(*sides, question));
                });
      });
}

Result<std::string> ServedViews::merge(const Sides& sides, const ViewQuestion& question) {
  std::optional<std::int64_t> boundary_ms;
  if (sides.batch_at) boundary_ms = sides.of.boundary_ms(sides.batch_at->moment.complete_to);
  std::int64_t dropped_to_ms = sides.live_at.moment.dropped_to_ms;
  bool misses = dropped_to_ms != operators::watermark_min &&
                dropped_to_ms >= boundary_ms.value_or(operators::watermark_min);
  if (misses) {
    return fail(
        Errc::invalid_request,
        fmt::format("union view {} would miss rows: {} keeps none of before {}, and {} "
                    "ends {}: `leat pipeline run {}`, or give {} a longer keep_ms",
                    sides.of.name, sides.live.name, time_text(dropped_to_ms + 1), sides.batch.name,
                    boundary_ms ? "at " + time_text(*boundary_ms) : "nowhere yet",
                    sides.batch.pipeline, sides.live.name));
  }
  UnionRows rows(sides.of, boundary_ms, question.limit);
  if (sides.batch_at && boundary_ms) rows.add_batch(*sides.batch_at, sides.batch);
  rows.add_live(sides.live_at, sides.live);
  if (auto taken = rows.take(question.key, question.after); !taken) return fail(taken);
  JsonObject head;
  head["view"] = sides.of.name;
  head["kind"] = "union";
  head["column"] = sides.of.column;
  head["boundary"] = nullptr;
  if (boundary_ms) head["boundary"] = json_time(*boundary_ms);
  head["batch"] = nullptr;
  if (sides.batch_at) head["batch"] = side_json(sides.batch, sides.batch_at->moment);
  head["live"] = side_json(sides.live, sides.live_at.moment);
  head["columns"] = names(sides.live.columns);
  head["moment"] = fmt::format("{},{}", sides.batch_at ? sides.batch_at->moment.epoch : 0,
                               sides.live_at.moment.epoch);
  return answer_text(std::move(head), rows);
}

// ---- Names -------------------------------------------------------------------------------------

Result<void> ServedViews::check_names(const plan::Plan& plan) const {
  std::set<std::string> own;
  std::vector<KnownPlan> others = environment_.plans();
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto* sink = std::get_if<plan::Sink>(&plan.nodes[i].body);
    if (sink == nullptr || sink->view.empty()) continue;
    auto refuse = [&](const std::string& why) {
      return fail(Errc::plan_error,
                  fmt::format("{}: view '{}' {}", plan::place_of(plan, i), sink->view, why));
    };
    if (!own.insert(sink->view).second) return refuse("is there twice");
    if (is_shadow_name(sink->view)) {
      return refuse("is named like those of versions beside the live one, .v<number> at its end");
    }
    bool is_union = environment_.catalog.find_union(sink->view) != nullptr;
    if (is_union || defining_.contains(sink->view)) return refuse("is a union view");
    if (const std::string* other = owner_of_view(others, sink->view, plan.name)) {
      return refuse(fmt::format("is one of pipeline {}: names of views are the server's", *other));
    }
  }
  return {};
}

void ServedViews::define(const std::string& text, Answer answer) {
  auto view = parse_union_view(text);
  if (!view) return answer(fail(view));
  auto batch = find(view->batch);
  auto live = find(view->live);
  for (const auto* side : {&batch, &live}) {
    if (!*side) {
      return answer(
          fail(Errc::plan_error, fmt::format("union view {}: {}", view->name, side->error().what)));
    }
  }
  std::vector<KnownPlan> plans = environment_.plans();
  if (const std::string* other = owner_of_view(plans, view->name)) {
    return answer(fail(
        Errc::plan_error,
        fmt::format("union view {}: pipeline {} has a view of that name", view->name, *other)));
  }
  if (auto fits = check_union(*view, batch->past.plan, live->past.plan); !fits) {
    return answer(fail(fits));
  }
  std::string name = view->name;
  auto place = defining_.insert(name);
  environment_.catalog.put_union(std::move(*view), [this, name, place, answer = std::move(answer)](
                                                       const Result<void>& written) mutable {
    defining_.erase(place);
    if (!written) return answer(fail(written));
    answer(Json(JsonObject{{"message", fmt::format("union view {} is there", name)}}));
  });
}

void ServedViews::drop(const std::string& name, Answer answer) {
  if (environment_.catalog.find_union(name) == nullptr) {
    auto view = find(name);
    if (!view) return answer(fail(view));
    return answer(
        fail(Errc::invalid_request,
             fmt::format("view {} belongs to pipeline {}, and goes with it: leat pipeline "
                         "drop {}",
                         name, view->pipeline, view->pipeline)));
  }
  environment_.catalog.remove_union(
      name, [name, answer = std::move(answer)](const Result<void>& written) mutable {
        if (!written) return answer(fail(written));
        answer(Json(JsonObject{{"message", fmt::format("dropped union view {}", name)}}));
      });
}

}  // namespace leat::pipeline
