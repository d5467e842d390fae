// That the one list of a message's fields is whole: it names every member, once, with versions that
// the message has.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wire/arity.h"
#include "wire/messages.h"

TEST_SUITE_BEGIN("wire");

using namespace leat;
using namespace leat::wire;

namespace {

/// Checks the fields of the structs below a message, and goes down into the structs in them.
class FieldsCheck {
 public:
  FieldsCheck(Versions valid, Versions flexible) : valid_(valid), flexible_(flexible) {}

  template <class S>
  void check() {
    FieldsCheck below(valid_, flexible_);
    S value;
    S::fields(value, below);
    CHECK(below.names_.size() == arity<S>());
  }

  template <class T>
  void operator()(const char* name, T&, Versions versions = always, Versions nullable = always) {
    CAPTURE(name);
    visit<T>(name, versions);
    CHECK(overlap(nullable, versions));
  }
  template <class T>
  void tagged(std::uint32_t tag, const char* name, T&, Versions versions) {
    CAPTURE(name);
    visit<T>(name, versions);
    CHECK(static_cast<std::int64_t>(tag) > last_tag_);
    last_tag_ = tag;
    CHECK(versions.first >= flexible_.first);
  }

 private:
  static bool overlap(Versions a, Versions b) { return a.first <= b.last && b.first <= a.last; }

  template <class T>
  void visit(const char* name, Versions versions) {
    CHECK(names_.insert(name).second);
    CHECK(versions.first <= versions.last);
    CHECK(overlap(versions, valid_));
    descend(static_cast<T*>(nullptr));
  }
  template <class T>
  void descend(std::vector<T>*) {
    descend(static_cast<T*>(nullptr));
  }
  template <class T>
  void descend(std::optional<T>*) {
    descend(static_cast<T*>(nullptr));
  }
  template <class T>
  void descend(T*) {
    if constexpr (HasFields<T>) check<T>();
  }

  Versions valid_;
  Versions flexible_;
  std::set<std::string> names_;
  std::int64_t last_tag_ = -1;
};

}  // namespace

TEST_CASE("a message names each of its members once") {
  Requests::for_each([]<class Request>() {
    CAPTURE(name(Request::key));
    FieldsCheck check(Request::valid, Request::flexible);
    check.check<Request>();
    check.check<typename Request::Response>();
  });
}

TEST_CASE("the number of members is counted right") {
  struct None {};
  struct Three {
    std::optional<std::string> a;
    std::vector<Three> b;
    Uuid c;
  };
  CHECK(arity<None>() == 0);
  CHECK(arity<Three>() == 3);
  CHECK(arity<FetchRequest>() == 12);
}

TEST_SUITE_END();
