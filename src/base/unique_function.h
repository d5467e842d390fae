// std::move_only_function of C++23, as far as this project needs it.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace leat {

template <class Signature>
class UniqueFunction;

/// A callable that may own what cannot be copied. Called at most as often as its target allows.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>) UniqueFunction(F&& target)
      : target_(std::make_unique<Target<std::decay_t<F>>>(std::forward<F>(target))) {}

  explicit operator bool() const { return target_ != nullptr; }
  R operator()(Args... args) {
    ASSERT(target_ != nullptr);
    return target_->call(std::forward<Args>(args)...);
  }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual R call(Args... args) = 0;
  };
  template <class F>
  struct Target final : Callable {
    explicit Target(F&& f) : function(std::move(f)) {}
    explicit Target(const F& f) : function(f) {}
    R call(Args... args) override { return function(std::forward<Args>(args)...); }
    F function;
  };
  std::unique_ptr<Callable> target_;
};

}  // namespace leat
