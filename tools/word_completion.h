// What may stand next on a command line. Knows the commands as data, which arguments.cpp takes from
// the definitions that also parse the line, so that the two cannot differ.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace leat::tools {

/// What an option takes, or a positional argument is, by the word that `--help` shows for it.
struct ValueSpec {
  /// TOPIC, GROUP, PIPELINE and VIEW are completed with the names that there are, FILE, PATH and
  /// DIR as the shell does; anything else is the user's.
  std::string kind;
  /// If not empty, one of these.
  std::vector<std::string> choices;
  std::string help;
};

struct OptionSpec {
  std::vector<std::string> names;  // with their dashes
  bool takes_value = false;
  bool repeats = false;
  ValueSpec value;
};

struct PositionalSpec {
  bool repeats = false;
  ValueSpec value;
};

struct CommandSpec {
  std::string name;
  std::string summary;
  std::vector<OptionSpec> options;
  std::vector<PositionalSpec> positionals;
  std::vector<CommandSpec> commands;
};

/// Names of that kind, TOPIC or GROUP of the cluster that `-b` named before on the line, PIPELINE
/// and VIEW of the server that `--http` named; `where` is empty where it did not.
using ListNames =
    std::function<std::vector<std::string>(const std::string& kind, const std::string& where)>;

/// The lines that a shell's function reads: a word, and behind a tab what it is; or `:files` or
/// `:directories` for what the shell knows better. `words` are those behind the program's name, the
/// last one the beginning of what is asked for.
std::vector<std::string> complete_words(const CommandSpec& program,
                                        const std::vector<std::string>& words,
                                        const ListNames& list_names);

}  // namespace leat::tools
