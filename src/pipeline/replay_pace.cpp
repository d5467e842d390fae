#include "pipeline/replay_pace.h"

#include <algorithm>

namespace leat::pipeline {

using namespace std::chrono_literals;

namespace {

/// Enough epochs, and enough time, to say how it is; where less comes it is said all the same.
constexpr std::uint64_t epochs_wanted = 16;
constexpr auto interval = 50ms;
constexpr auto interval_max = 500ms;

/// So many times as long as without a replay, and a little more, is fine: a disk varies as much.
constexpr double slower = 1.5;
constexpr double slack_ns = 200'000;
constexpr double step_up = 0.02;
constexpr double step_down = 0.5;
/// What is known of the time without a replay follows what is seen.
constexpr double calm_weight = 0.1;
/// Where live epochs are slow although replays hardly work, it is not because of these.
constexpr double calm_drift = 1.05;

}  // namespace

void ReplayPace::lived(Time took) {
  std::lock_guard lock(mutex_);
  took_ns_ += static_cast<double>(took.count());
  ++epochs_;
  judge(clock_.monotonic());
}

std::chrono::nanoseconds ReplayPace::rest_after(Time worked) {
  std::lock_guard lock(mutex_);
  replayed_ = true;
  judge(clock_.monotonic());
  double rest = static_cast<double>(worked.count()) * (1 - share_) / share_;
  return Time(static_cast<Time::rep>(rest));
}

double ReplayPace::share() const {
  std::lock_guard lock(mutex_);
  return share_;
}

void ReplayPace::judge(Time now) {
  auto since = now - since_;
  bool is_enough = (epochs_ >= epochs_wanted && since >= interval) || since >= interval_max;
  if (!is_enough) return;
  if (epochs_ > 0) {
    double mean_ns = took_ns_ / static_cast<double>(epochs_);
    double calm_ns = calm_ns_.value_or(mean_ns);
    // Nobody is faster beside a replay than without.
    bool is_calm = !replayed_ || mean_ns < calm_ns;
    calm_ns_ = is_calm ? calm_ns + calm_weight * (mean_ns - calm_ns) : calm_ns;
    bool is_slow = mean_ns > slower * *calm_ns_ + slack_ns;
    if (is_slow && replayed_ && share_ <= least_share) *calm_ns_ *= calm_drift;
    if (replayed_) share_ = is_slow ? share_ * step_down : share_ + step_up;
  } else if (replayed_) {
    share_ += step_up;
  }
  share_ = std::clamp(share_, least_share, 1.0);
  since_ = now;
  took_ns_ = 0;
  epochs_ = 0;
  replayed_ = false;
}

}  // namespace leat::pipeline
