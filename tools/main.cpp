// The `leat` binary: the list of its subcommands, each of which is a file of this folder that
// defines a `const Command`.
#include <csignal>

#include "tools/command.h"
#include "tools/commands.h"

int main(int argc, char** argv) {
  using namespace leat::tools;
  // A reader that went away shows as EPIPE where we write, not as our death.
  std::signal(SIGPIPE, SIG_IGN);
  return run_command_line(
      argc, argv,
      {&serve_command, &topic_command, &produce_command, &consume_command, &group_command,
       &replay_command, &run_command, &pipeline_command, &view_command, &demo_command, &gen_command,
       &dump_command, &fsck_command, &backup_command, &doctor_command, &completion_command});
}
