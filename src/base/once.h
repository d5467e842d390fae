// A callback that is called in any case.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "base/unique_function.h"

namespace leat {

/// Calls a callback once: with what it is called with, or with Errc::cancelled and a sentence if
/// the work that owns it is dropped, as an executor does with its queue when the process ends.
template <class T>
class Once {
 public:
  using Done = UniqueFunction<void(Result<T>)>;
  explicit Once(Done done, std::string why_dropped)
      : done_(std::move(done)), why_dropped_(std::move(why_dropped)) {}
  Once(Once&& other) noexcept
      : done_(std::exchange(other.done_, nullptr)), why_dropped_(std::move(other.why_dropped_)) {}
  Once& operator=(Once&&) = delete;
  ~Once() {
    if (done_) done_(fail(Errc::cancelled, why_dropped_));
  }
  void operator()(Result<T> result) { std::exchange(done_, nullptr)(std::move(result)); }

 private:
  Done done_;
  std::string why_dropped_;
};

}  // namespace leat
