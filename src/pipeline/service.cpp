#include "pipeline/service.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "broker/topic_name.h"
#include "pipeline/plan_traits.h"
#include "plan/bound_plan.h"

namespace leat::pipeline {

namespace {

using plan::Json;
using plan::JsonArray;
using plan::JsonObject;

/// So much room for ".<version>" and what topics of the server's own are called.
constexpr std::size_t name_bytes_max = 200;
/// A pipeline's versions are one record of the catalog.
constexpr std::size_t plan_bytes_max = std::size_t{512} << 10;
/// How old what metrics say may be.
constexpr std::chrono::seconds sample_interval{1};

/// The newest that replays, or did; the one that is asked for, if one is.
const VersionView* find_replay(const PipelineView& view, std::optional<std::uint32_t> number) {
  const VersionView* found = nullptr;
  for (const VersionView& version : view.versions) {
    bool is_wanted = number ? version.version.number == *number
                            : version.version.replay && version.version.role != Role::ended;
    if (is_wanted) found = &version;
  }
  return found;
}

}  // namespace

Service::Service(Environment environment) : environment_(std::move(environment)) {
  catalog_ = std::make_unique<Catalog>(environment_.broker, environment_.executor);
  auto list = [this] {
    std::vector<ServedView> all;
    for (const auto& [name, deployment] : deployments_) {
      for (ServedView& view : deployment->served_views()) all.push_back(std::move(view));
    }
    return all;
  };
  auto find = [this](const std::string& name) {
    std::optional<ServedView> found;
    for (const auto& [pipeline, deployment] : deployments_) {
      if (!found) found = deployment->find_view(name);
    }
    return found;
  };
  views_ = std::make_unique<ServedViews>(
      ServedViews::Environment{environment_.executor, environment_.clock, *catalog_,
                               environment_.past_views, list, find, [this] { return plans(); }});
}

Service::~Service() {
  if (sample_timer_ != 0) environment_.executor.cancel(sample_timer_);
}

void Service::open() {
  environment_.executor.post([this, alive = std::weak_ptr<char>(alive_)] {
    if (alive.expired()) return;
    if (auto opened = catalog_->open(); !opened) {
      unreadable_ = opened.error();
      log_error("pipelines are not run: {}", opened.error().what);
    }
    is_open_ = true;
    if (unreadable_) return;
    for (const auto& [name, pipeline] : catalog_->pipelines()) make_deployment(name).open();
    take_samples();
  });
}

Deployment& Service::make_deployment(const std::string& name) {
  auto& deployment = deployments_[name];
  if (!deployment) {
    Deployment::Environment environment{
        environment_.executor, environment_.clock,   *catalog_,           environment_.start,
        environment_.data,     environment_.compare, environment_.workers};
    deployment = std::make_unique<Deployment>(environment, name);
  }
  return *deployment;
}

void Service::close(UniqueFunction<void()> done) {
  environment_.executor.post(
      [this, alive = std::weak_ptr<char>(alive_), done = std::move(done)]() mutable {
        if (alive.expired()) return;
        is_closing_ = true;
        if (sample_timer_ != 0) environment_.executor.cancel(std::exchange(sample_timer_, 0));
        auto left = std::make_shared<std::size_t>(deployments_.size() + 1);
        auto closed = [left, done = std::make_shared<UniqueFunction<void()>>(std::move(done))] {
          if (--*left == 0) (*done)();
        };
        for (auto& [name, deployment] : deployments_) deployment->close(closed);
        closed();
      });
}

template <class Tell>
void Service::ask(Tell answer, UniqueFunction<void(Tell)> work) {
  environment_.executor.post([this, alive = std::weak_ptr<char>(alive_), answer = std::move(answer),
                              work = std::move(work)]() mutable {
    if (alive.expired()) return;
    if (unreadable_) return answer(tl::unexpected(*unreadable_));
    if (!is_open_ || is_closing_) {
      return answer(fail(Errc::cancelled,
                         is_closing_ ? "the server is stopping" : "the server is not ready yet"));
    }
    work(std::move(answer));
  });
}

Result<Deployment*> Service::find(const std::string& name) const {
  auto found = deployments_.find(name);
  if (found != deployments_.end() && catalog_->find(name) != nullptr) return found->second.get();
  return fail(Errc::not_found, fmt::format("there is no pipeline {}", name));
}

void Service::command(std::string name, Answer answer, Ask what) {
  ask<Answer>(
      std::move(answer), [this, name = std::move(name), what = std::move(what)](Answer tell) {
        auto deployment = find(name);
        if (!deployment) return tell(fail(deployment));
        what(**deployment, [this, name, tell = std::move(tell)](Result<JsonObject> said) mutable {
          if (!said) return tell(fail(said));
          if (auto there = find(name)) said->emplace("pipeline", to_json((*there)->view()));
          tell(Json(std::move(*said)));
          environment_.executor.post([this, alive = std::weak_ptr<char>(alive_)] {
            if (!alive.expired()) forget_gone();
          });
        });
      });
}

void Service::view(std::string name, Answer answer, Show show) {
  ask<Answer>(std::move(answer),
              [this, name = std::move(name), show = std::move(show)](Answer tell) {
                auto deployment = find(name);
                if (!deployment) return tell(fail(deployment));
                tell(show((*deployment)->view()));
              });
}

void Service::forget_gone() {
  std::erase_if(deployments_, [](const auto& entry) { return entry.second->is_gone(); });
}

// ---- What is asked -----------------------------------------------------------------------------

std::vector<KnownPlan> Service::plans() const {
  std::vector<KnownPlan> all = known_plans(*catalog_);
  all.insert(all.end(), deploying_.begin(), deploying_.end());
  return all;
}

Result<void> Service::check(const plan::Plan& plan) const {
  if (auto named = broker::check_topic_name(plan.name); !named) {
    return fail(Errc::plan_error,
                fmt::format("a pipeline is named like a topic, and '{}' is not: {}", plan.name,
                            named.error().what));
  }
  if (plan.name.size() > name_bytes_max) {
    return fail(Errc::plan_error, fmt::format("the name of a pipeline has {} characters, at most "
                                              "{} are allowed",
                                              plan.name.size(), name_bytes_max));
  }
  std::vector<KnownPlan> others = plans();
  for (const KnownPlan& other : others) {
    if (other.pipeline == plan.name) continue;
    if (broker::topic_names_collide(other.pipeline, plan.name)) {
      return fail(Errc::plan_error,
                  fmt::format("pipeline '{}' differs from '{}' only in '.' and '_'", plan.name,
                              other.pipeline));
    }
  }
  auto bound = plan::bind(plan);
  if (!bound) return fail(bound);
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto* sink = std::get_if<plan::Sink>(&plan.nodes[i].body);
    if (sink != nullptr && sink->console) {
      return fail(Errc::plan_error,
                  fmt::format("{}: a deployed pipeline has no console: have it write to a topic, "
                              "or use `leat run`",
                              plan::place_of(plan, i)));
    }
  }
  if (auto alone = check_folders(plan, others); !alone) return alone;
  return views_->check_names(plan);
}

void Service::deploy(std::string text, plan::Parameters values, Answer answer) {
  OpenPlan given{std::move(text), std::move(values)};
  ask<Answer>(std::move(answer), [this, given = std::move(given)](Answer tell) {
    if (given.text.size() > plan_bytes_max) {
      return tell(fail(Errc::plan_error, fmt::format("a plan of {} bytes, at most {} may be "
                                                     "deployed",
                                                     given.text.size(), plan_bytes_max)));
    }
    auto plan = fill_in(given, {}, environment_.clock.wall_ms());
    if (!plan) return tell(fail(plan));
    if (auto checked = check(*plan); !checked) return tell(fail(checked));
    // What is always at work begins once.
    bool stays_open = plan->mode.type == plan::Mode::Type::batch && is_open(given);
    deploy_checked(*plan, stays_open ? std::optional(given) : std::nullopt, std::move(tell));
  });
}

void Service::deploy_checked(const plan::Plan& plan, std::optional<OpenPlan> open, Answer answer) {
  std::string name = plan.name;
  auto place = deploying_.insert(deploying_.end(), {name, std::nullopt, false, plan});
  make_deployment(name).deploy(
      plan, std::move(open),
      [this, name, place, answer = std::move(answer)](Result<JsonObject> said) mutable {
        deploying_.erase(place);
        if (!said) return answer(fail(said));
        if (auto there = find(name)) said->emplace("pipeline", to_json((*there)->view()));
        answer(Json(std::move(*said)));
      });
}

void Service::list(Answer answer) {
  ask<Answer>(std::move(answer), [this](Answer tell) {
    JsonArray pipelines;
    for (const auto& [name, pipeline] : catalog_->pipelines()) {
      if (auto there = find(name)) pipelines.push_back(summary_json((*there)->view()));
    }
    tell(Json(JsonObject{{"pipelines", std::move(pipelines)}}));
  });
}

void Service::show(std::string name, Answer answer) {
  view(std::move(name), std::move(answer),
       [](const PipelineView& view) -> Result<Json> { return to_json(view); });
}

void Service::why(std::string name, Answer answer) {
  view(std::move(name), std::move(answer), [](const PipelineView& view) -> Result<Json> {
    JsonArray sentences;
    for (std::string& sentence : pipeline::why(view)) sentences.emplace_back(std::move(sentence));
    return Json(JsonObject{{"name", view.name}, {"why", std::move(sentences)}});
  });
}

void Service::versions(std::string name, Answer answer) {
  view(std::move(name), std::move(answer),
       [](const PipelineView& view) -> Result<Json> { return versions_json(view); });
}

void Service::pause(std::string name, Answer answer) {
  command(std::move(name), std::move(answer),
          [](Deployment& deployment, Deployment::Done done) { deployment.pause(std::move(done)); });
}

void Service::resume(std::string name, Answer answer) {
  command(std::move(name), std::move(answer), [](Deployment& deployment, Deployment::Done done) {
    deployment.resume(std::move(done));
  });
}

void Service::run_now(std::string name, plan::Parameters values, Answer answer) {
  command(std::move(name), std::move(answer),
          [values = std::move(values)](Deployment& deployment, Deployment::Done done) {
            deployment.run_now(values, std::move(done));
          });
}

void Service::drop(std::string name, bool with_topics, Answer answer) {
  command(std::move(name), std::move(answer),
          [with_topics](Deployment& deployment, Deployment::Done done) {
            deployment.drop(with_topics, std::move(done));
          });
}

void Service::drop_version(std::string name, std::uint32_t version, bool with_topics,
                           Answer answer) {
  command(std::move(name), std::move(answer),
          [version, with_topics](Deployment& deployment, Deployment::Done done) {
            deployment.drop_version(version, with_topics, std::move(done));
          });
}

void Service::replay(std::string name, ReplayRequest request, Answer answer) {
  command(std::move(name), std::move(answer),
          [request = std::move(request)](Deployment& deployment, Deployment::Done done) {
            deployment.replay(request, std::move(done));
          });
}

void Service::show_replay(std::string name, std::optional<std::uint32_t> version, Answer answer) {
  view(std::move(name), std::move(answer), [version](const PipelineView& view) -> Result<Json> {
    const VersionView* found = find_replay(view, version);
    if (found == nullptr) {
      return fail(Errc::not_found, fmt::format("{} has no replay", view.name));
    }
    Json shown = replay_json(*found);
    std::string waits = waits_for(view, *found);
    if (!waits.empty()) std::get<JsonObject>(shown)["waits_for"] = waits;
    return shown;
  });
}

void Service::stop_replay(std::string name, std::optional<std::uint32_t> version, Answer answer) {
  command(std::move(name), std::move(answer),
          [version](Deployment& deployment, Deployment::Done done) {
            deployment.stop_replay(version, std::move(done));
          });
}

void Service::promote(std::string name, std::uint32_t version, Answer answer) {
  command(std::move(name), std::move(answer),
          [version](Deployment& deployment, Deployment::Done done) {
            deployment.promote(version, std::move(done));
          });
}

void Service::list_views(Answer answer) {
  ask<Answer>(std::move(answer), [this](Answer tell) { tell(views_->list()); });
}

void Service::read_view(ViewQuestion question, ServedViews::Text answer) {
  ask<ServedViews::Text>(std::move(answer),
                         [this, question = std::move(question)](ServedViews::Text tell) {
                           views_->read(question, std::move(tell));
                         });
}

void Service::define_view(std::string text, Answer answer) {
  ask<Answer>(std::move(answer), [this, text = std::move(text)](Answer tell) {
    views_->define(text, std::move(tell));
  });
}

void Service::drop_view(std::string name, Answer answer) {
  ask<Answer>(std::move(answer),
              [this, name = std::move(name)](Answer tell) { views_->drop(name, std::move(tell)); });
}

// ---- Metrics -----------------------------------------------------------------------------------

namespace {

constexpr double ms_per_s = 1000;

template <class Number>
std::optional<double> of(const Sample& sample, Number VersionStatus::*member) {
  if (!sample.status) return std::nullopt;
  return static_cast<double>((*sample.status).*member);
}

std::optional<double> watermark_seconds(const Sample& sample) {
  bool has_time = sample.status && sample.status->watermark != operators::watermark_min &&
                  sample.status->watermark != operators::watermark_max;
  if (!has_time) return std::nullopt;
  return static_cast<double>(sample.status->watermark) / ms_per_s;
}

std::optional<double> lag_records(const Sample& sample) {
  if (!sample.status) return std::nullopt;
  double records = 0;
  for (const auto& partition : sample.status->partitions) {
    records += static_cast<double>(partition.lag_records);
  }
  return records;
}

std::optional<double> lag_seconds(const Sample& sample) {
  if (!sample.status) return std::nullopt;
  std::int64_t ms = 0;
  for (const auto& partition : sample.status->partitions) {
    ms = std::max(ms, partition.lag_ms.value_or(0));
  }
  return static_cast<double>(ms) / ms_per_s;
}

Labels labels_of(const Sample& sample) {
  return {{"pipeline", sample.pipeline}, {"version", std::to_string(sample.version)}};
}

}  // namespace

void Service::take_samples() {
  auto samples = std::make_shared<std::vector<Sample>>();
  for (const auto& [name, deployment] : deployments_) {
    for (const VersionView& version : deployment->view().versions) {
      samples->push_back({name, version.version.number,
                          std::string(pipeline::name(version.activity)), version.restarts,
                          version.status});
    }
  }
  samples_.store(std::move(samples));
  sample_timer_ = environment_.executor.after(sample_interval, [this] {
    sample_timer_ = 0;
    if (!is_closing_) take_samples();
  });
}

void Service::register_metrics(Metrics& metrics) {
  using Value = std::optional<double> (*)(const Sample&);
  struct Family {
    const char* name;
    const char* type;
    const char* help;
    Value value;
  };
  const std::array<Family, 10> families{{
      {"leat_pipeline_rows_in_total", "counter", "Rows that a version of a pipeline has read.",
       [](const Sample& sample) { return of(sample, &VersionStatus::rows_in); }},
      {"leat_pipeline_rows_out_total", "counter", "Rows that it has written.",
       [](const Sample& sample) { return of(sample, &VersionStatus::rows_out); }},
      {"leat_pipeline_late_rows_total", "counter", "Rows that came too late for their windows.",
       [](const Sample& sample) { return of(sample, &VersionStatus::late); }},
      {"leat_pipeline_bad_records_total", "counter",
       "Records that are no rows, and rows without a valid result.",
       [](const Sample& sample) { return of(sample, &VersionStatus::bad); }},
      {"leat_pipeline_epochs_total", "counter", "Epochs that it has committed.",
       [](const Sample& sample) { return of(sample, &VersionStatus::epochs); }},
      {"leat_pipeline_watermark_seconds", "gauge",
       "Event time that it has reached, in seconds since 1970.", watermark_seconds},
      {"leat_pipeline_lag_records", "gauge", "Records that it has yet to read.", lag_records},
      {"leat_pipeline_lag_seconds", "gauge", "The age of the oldest of them.", lag_seconds},
      {"leat_pipeline_state_bytes", "gauge", "Memory of what its operators keep.",
       [](const Sample& sample) { return of(sample, &VersionStatus::state_bytes); }},
      {"leat_pipeline_restarts_total", "counter",
       "Runs that were started because one had failed, since the server's start.",
       [](const Sample& sample) {
         return std::optional<double>(static_cast<double>(sample.restarts));
       }},
  }};
  for (const Family& family : families) {
    metrics.collect(family.name, family.type, family.help,
                    [this, value_of = family.value](const Metrics::Write& write) {
                      for (const Sample& sample : *samples_.load()) {
                        if (auto value = value_of(sample)) write(labels_of(sample), *value);
                      }
                    });
  }
  metrics.collect("leat_pipeline_state", "gauge", "1 for the state that a version is in.",
                  [this](const Metrics::Write& write) {
                    for (const Sample& sample : *samples_.load()) {
                      Labels labels = labels_of(sample);
                      labels.emplace_back("state", sample.state);
                      write(labels, 1);
                    }
                  });
}

}  // namespace leat::pipeline
