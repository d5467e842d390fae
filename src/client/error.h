// What goes wrong for a client: an Error as everywhere, and what a user can be told beyond it.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "base/result.h"
#include "leat/error.h"

namespace leat::client {

struct Error : leat::Error {
  Error(Errc with_code, std::string with_what, std::int16_t with_kafka = 0)
      : leat::Error{with_code, std::move(with_what)}, kafka(with_kafka) {}
  Error(leat::Error error) : leat::Error(std::move(error)) {}

  /// What the broker answered; 0 if no broker did.
  std::int16_t kafka = 0;
  /// The request may have been carried out all the same.
  bool possibly_persisted = false;
};

template <class T>
using Result = tl::expected<T, Error>;

using leat::fail;
template <class T>
tl::unexpected<Error> fail(const Result<T>& result) {
  return tl::unexpected<Error>(result.error());
}

/// As users see it. The one place where our codes become theirs.
std::error_code to_error_code(const Error& error);

}  // namespace leat::client
