// What a gzip file holds.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace leat::file {

/// Unpacks gzip as it is read, also several members one behind the other, as `cat` makes them, and
/// zeros behind the last one, as tapes are padded with. Not thread-safe.
class Gunzip {
 public:
  /// Gives what is packed, one after the other: into `into` as much as there is, a byte at least; 0
  /// at the end.
  using Read = std::function<Result<std::size_t>(MutableBytes into)>;
  /// `begin` is what has been read already, which no `Read` gives again.
  explicit Gunzip(BytesView begin = {});
  ~Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  /// Whether bytes that begin so are gzip.
  static bool is_gzip(BytesView begin);

  /// The same, of what was packed; 0 also if there is no room. Errc::io_error, without a file's
  /// name, if that is broken or ends within a member, once all that is before it has been given.
  Result<std::size_t> read(MutableBytes into, const Read& read_packed);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace leat::file
