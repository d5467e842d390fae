#include "tools/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/core.h>

#include "tools/command.h"

namespace leat::tools {

void complain(const std::string& message) {
  fmt::print(stderr, "leat: {}\n", message);
}

bool Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && !closed_) {
    ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      closed_ = true;
      failed_ = errno != EPIPE;
      if (failed_) complain(std::string("cannot write to stdout: ") + std::strerror(errno));
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
  return !closed_;
}

}  // namespace leat::tools
