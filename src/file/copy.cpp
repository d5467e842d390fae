#include "file/copy.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/bytes.h"

namespace leat::file {
namespace {

/// Small enough for a look at the progress now and then.
constexpr std::uint64_t kernel_step_bytes = std::uint64_t{16} << 20;
constexpr std::uint64_t step_bytes = std::uint64_t{1} << 20;

/// What the kernel copies from `position` on; nullopt where it cannot, or the files end.
std::optional<std::uint64_t> copy_in_kernel(const File& from, const File& to,
                                            std::uint64_t position, std::uint64_t bytes) {
  if (from.native_handle() < 0 || to.native_handle() < 0) return std::nullopt;
  auto read_from = static_cast<loff_t>(position);
  auto write_to = static_cast<loff_t>(position);
  ssize_t copied = -1;
  do {
    copied = ::copy_file_range(from.native_handle(), &read_from, to.native_handle(), &write_to,
                               bytes, 0);
  } while (copied < 0 && errno == EINTR);
  // Whatever is in its way, a plain read or write says it better.
  if (copied <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(copied);
}

}  // namespace

Result<std::uint64_t> copy_bytes(const File& from, File& to, std::uint64_t bytes,
                                 const CopyProgress& progress) {
  Bytes buffer;
  std::uint64_t done = 0;
  while (done < bytes) {
    std::uint64_t step = std::min(bytes - done, kernel_step_bytes);
    std::optional<std::uint64_t> copied;
    if (buffer.empty()) copied = copy_in_kernel(from, to, done, step);
    if (!copied) {
      buffer.resize(std::min(bytes, step_bytes));
      MutableBytes into = MutableBytes(buffer).first(std::min<std::size_t>(step, buffer.size()));
      Result<std::size_t> got = from.read_at(done, into);
      if (!got) return fail(got);
      if (*got == 0) break;
      Result<void> written = to.write_at(done, std::array{BytesView(into.first(*got))});
      if (!written) return fail(written);
      copied = *got;
    }
    done += *copied;
    if (progress && !progress(*copied)) return fail(Errc::cancelled, "stopped while copying");
  }
  return done;
}

}  // namespace leat::file
