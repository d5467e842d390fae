// The views of all pipelines, and unions of two of them: what there is, and what they show.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "pipeline/catalog.h"
#include "pipeline/known_plans.h"
#include "pipeline/past_views.h"
#include "pipeline/served_view.h"
#include "pipeline/union_view.h"
#include "pipeline/view_question.h"
#include "plan/json.h"

namespace leat::pipeline {

/// A view at a moment, which stays what it is as long as somebody holds this.
struct ViewAt {
  std::shared_ptr<const stream::View> view;
  stream::ViewMoment moment;
};

/// Lives on the service's executor, where all is called.
class ServedViews {
 public:
  struct Environment {
    Executor& executor;
    const Clock& clock;
    Catalog& catalog;
    /// How views were; null where that is not known.
    PastViews* past = nullptr;
    /// Those that there are now, of all pipelines.
    std::function<std::vector<ServedView>()> list;
    /// The one of that name.
    std::function<std::optional<ServedView>(const std::string&)> find;
    /// The plans of all versions, at work or not, and of those that are being deployed.
    std::function<std::vector<KnownPlan>()> plans;
  };
  using Answer = UniqueFunction<void(Result<plan::Json>)>;
  /// JSON.
  using Text = UniqueFunction<void(Result<std::string>)>;

  explicit ServedViews(Environment environment) : environment_(std::move(environment)) {}

  plan::Json list() const;
  void read(const ViewQuestion& question, Text answer);
  /// Whether nobody else has the names of the plan's views: else Errc::plan_error.
  Result<void> check_names(const plan::Plan& plan) const;
  /// Makes a union view, or replaces it; `text` is its file.
  void define(const std::string& text, Answer answer);
  void drop(const std::string& name, Answer answer);

 private:
  using Found = UniqueFunction<void(Result<ViewAt>)>;
  /// Both sides of a union; no batch where that has never come to an end.
  struct Sides {
    UnionView of;
    ServedView batch;
    ServedView live;
    std::optional<ViewAt> batch_at;
    ViewAt live_at;
  };

  Result<ServedView> find(const std::string& name) const;
  void find_at(const ServedView& view, const ViewTime& at, Found found);
  void find_past(const ServedView& view, const ViewTime& at, Found found);
  void read_one(const ServedView& view, const ViewQuestion& question, Text answer);
  void read_union(const UnionView& view, const ViewQuestion& question, Text answer);
  static Result<std::string> merge(const Sides& sides, const ViewQuestion& question);
  template <class Then>
  auto later(Then then);

  Environment environment_;
  /// Names of union views that the catalog does not have yet.
  std::multiset<std::string, std::less<>> defining_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace leat::pipeline
