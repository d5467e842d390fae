// Rows of views for an answer, as many as are wanted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/served_view.h"
#include "pipeline/union_view.h"
#include "stream/view.h"

namespace leat::pipeline {

struct ViewAt;

/// What is found of a key, or of all, behind a place.
class FoundRows {
 public:
  const std::vector<stream::ViewRowPtr>& rows() const { return rows_; }
  /// Where the next ones begin, if there are more.
  const std::optional<std::string>& next() const { return next_; }

 protected:
  std::vector<stream::ViewRowPtr> rows_;
  std::optional<std::string> next_;
};

/// Of one view.
class ViewRows : public FoundRows {
 public:
  ViewRows(const ViewAt& at, const ServedView& view, std::size_t limit)
      : at_(at), view_(view), limit_(limit) {}
  /// Errc::invalid_argument for a key that it cannot have.
  Result<void> take(const std::optional<std::string>& key, const std::optional<std::string>& after);

 private:
  const ViewAt& at_;
  const ServedView& view_;
  const std::size_t limit_;
};

/// Of the batch view what is before the boundary, then of the live one what is not.
class UnionRows : public FoundRows {
 public:
  UnionRows(const UnionView& of, std::optional<std::int64_t> boundary_ms, std::size_t limit)
      : of_(of), boundary_ms_(boundary_ms), limit_(limit) {}
  void add_batch(const ViewAt& at, const ServedView& view) { sides_.push_back({"b", &at, &view}); }
  void add_live(const ViewAt& at, const ServedView& view) { sides_.push_back({"l", &at, &view}); }
  Result<void> take(const std::optional<std::string>& key, const std::optional<std::string>& after);

 private:
  struct Side {
    std::string mark;  // before places in it
    const ViewAt* at;
    const ServedView* view;
  };
  Result<void> take_of(const Side& side, const std::optional<std::string>& key,
                       std::optional<std::string> after);
  Result<bool> counts(const Side& side, const stream::ViewRow& row) const;

  const UnionView& of_;
  const std::optional<std::int64_t> boundary_ms_;
  const std::size_t limit_;
  std::vector<Side> sides_;
};

}  // namespace leat::pipeline
