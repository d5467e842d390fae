// Counts the errors that clients are answered with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "wire/error_code.h"
#include "wire/versions.h"

namespace leat::server {

/// A visitor of a response's fields: finds error codes wherever they stand in it.
class ErrorCount {
 public:
  explicit ErrorCount(Metrics& metrics) : metrics_(metrics) {}

  template <class T>
  void operator()(const char*, const T& field, wire::Versions = wire::always,
                  wire::Versions = wire::always) {
    visit(field);
  }
  template <class T>
  void tagged(std::uint32_t, const char*, const T& field, wire::Versions) {
    visit(field);
  }

 private:
  void visit(wire::ErrorCode code) {
    if (code == wire::ErrorCode::none) return;
    metrics_
        .counter("leat_kafka_errors_total", "Errors that clients were answered with.",
                 {{"error", std::string(wire::name(code))}})
        .add();
  }
  template <class T>
  void visit(const T& field) {
    if constexpr (requires { T::fields(field, *this); }) T::fields(field, *this);
  }
  template <class T>
  void visit(const std::vector<T>& fields) {
    if constexpr (requires { T::fields(fields[0], *this); }) {
      for (const T& field : fields) visit(field);
    }
  }
  template <class T>
  void visit(const std::optional<T>& field) {
    if (field) visit(*field);
  }

  Metrics& metrics_;
};

}  // namespace leat::server
