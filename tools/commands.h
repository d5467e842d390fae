// The subcommands, each defined in the file of its name.
#pragma once

#include "tools/command.h"

namespace leat::tools {

extern const Command backup_command;
extern const Command completion_command;
extern const Command consume_command;
extern const Command demo_command;
extern const Command doctor_command;
extern const Command dump_command;
extern const Command fsck_command;
extern const Command gen_command;
extern const Command group_command;
extern const Command pipeline_command;
extern const Command produce_command;
extern const Command replay_command;
extern const Command run_command;
extern const Command serve_command;
extern const Command topic_command;
extern const Command view_command;

}  // namespace leat::tools
