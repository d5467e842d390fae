#include "pipeline/failures.h"

#include <algorithm>

namespace leat::pipeline {

std::optional<Failures::Time> Failures::failed(const Error& error, Time worked) {
  bool is_same = error_ && error_->code == error.code && error_->what == error.what;
  bool is_for_ever = is_lasting(error.code) && is_same;
  // Reading up to the same bad record again is no success, however long it takes.
  if (worked >= success_time && !is_for_ever) forget();
  if (!is_for_ever) return failed(error);
  error_ = error;
  ++count_;
  return std::nullopt;
}

Failures::Time Failures::failed(const Error& error) {
  error_ = error;
  ++count_;
  Time delay = delay_;
  delay_ = std::min(2 * delay_, last_delay);
  return delay;
}

void Failures::forget() {
  count_ = 0;
  delay_ = first_delay;
  error_.reset();
}

bool is_lasting(Errc code) {
  switch (code) {
    case Errc::bad_record:
    case Errc::plan_error:
    case Errc::snapshot_mismatch:
    case Errc::corrupt_message:
    case Errc::offset_out_of_range:
    case Errc::inconsistent_topic_id:
    case Errc::unknown_topic_id:
    case Errc::invalid_argument:
    case Errc::invalid_topic:
    case Errc::policy_violation:
    case Errc::unsupported: return true;
    default: return false;
  }
}

}  // namespace leat::pipeline
