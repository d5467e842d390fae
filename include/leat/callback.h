// What options and objects hold. The standard's own types for it would take longer to compile than
// all else in these headers: <functional>, <memory> and <stop_token>.
#pragma once

#include <cstddef>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace leat {

template <class Signature>
class Callback;

/// A function to be called back, or none: as std::function.
template <class... Arguments>
class Callback<void(Arguments...)> {
 public:
  Callback() = default;
  Callback(std::nullptr_t) {}
  template <class Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, Callback> &&
           std::is_invocable_v<std::decay_t<Function>&, Arguments...>) Callback(Function&& function)
      : held_(new Holds<std::decay_t<Function>>(std::forward<Function>(function))) {}
  Callback(const Callback& other) : held_(other.held_ ? other.held_->copy() : nullptr) {}
  Callback(Callback&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  Callback& operator=(Callback other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~Callback() { delete held_; }

  explicit operator bool() const { return held_ != nullptr; }
  /// REQUIRES: there is one.
  void operator()(Arguments... arguments) const {
    held_->call(std::forward<Arguments>(arguments)...);
  }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual Held* copy() const = 0;
    virtual void call(Arguments... arguments) = 0;
  };
  template <class Function>
  struct Holds final : Held {
    template <class From>
    explicit Holds(From&& from) : function(std::forward<From>(from)) {}
    Held* copy() const override { return new Holds(function); }
    void call(Arguments... arguments) override { function(std::forward<Arguments>(arguments)...); }
    Function function;
  };
  Held* held_ = nullptr;
};

namespace client {
struct StopInside;
}

/// Says when to stop: made from a std::stop_token. Made from nothing it never does.
class Stop {
 public:
  Stop() = default;
  template <class Token>
  requires requires(const Token& token) {
    token.stop_requested();
    token.stop_possible();
  }
  Stop(const Token& token) : Stop(&token, typeid(Token)) {}
  Stop(const Stop& other);
  Stop(Stop&& other) noexcept : token_(std::exchange(other.token_, nullptr)) {}
  Stop& operator=(Stop other) noexcept {
    std::swap(token_, other.token_);
    return *this;
  }
  ~Stop();

 private:
  friend struct client::StopInside;
  Stop(const void* token, const std::type_info& type);
  void* token_ = nullptr;
};

namespace detail {

/// As std::unique_ptr, of which it can be made.
template <class T>
class Owned {
 public:
  Owned() = default;
  template <class Pointer>
  requires requires(Pointer& pointer) { static_cast<T*>(pointer.release()); }
  Owned(Pointer&& pointer) : pointer_(pointer.release()) {}
  Owned(Owned&& other) noexcept : pointer_(other.release()) {}
  Owned& operator=(Owned&& other) noexcept {
    delete std::exchange(pointer_, other.release());
    return *this;
  }
  ~Owned() { delete pointer_; }

  T* release() noexcept { return std::exchange(pointer_, nullptr); }
  T* operator->() const { return pointer_; }
  T& operator*() const { return *pointer_; }
  explicit operator bool() const { return pointer_ != nullptr; }

 private:
  T* pointer_ = nullptr;
};

}  // namespace detail
}  // namespace leat
