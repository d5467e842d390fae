// The `leat` binary: the list of its subcommands, each of which is a file of this folder that
// defines a `const Command`.
#include <csignal>

#include "tools/command.h"

namespace leat::tools {
extern const Command serve_command;
}

int main(int argc, char** argv) {
  // A reader that went away shows as EPIPE where we write, not as our death.
  std::signal(SIGPIPE, SIG_IGN);
  return leat::tools::run_command_line(argc, argv, {&leat::tools::serve_command});
}
