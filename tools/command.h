// A subcommand of `leat`, and how it says what it takes. CLI11 stands behind Arguments and is seen
// by arguments.cpp only: it costs five seconds to compile.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace leat::tools {

/// What a program ends with.
enum ExitCode : int { exit_ok = 0, exit_error = 1, exit_usage = 2 };  // or Interrupt::exit_code()

/// What a command, or a command of a command, takes. Every `into` must live until the command has
/// run; what stands in it before is the default. `names` are "-o,--offset RANGE", with a word for
/// the value, or "NAME" without dashes for a positional argument. Shells complete what is called
/// TOPIC, FILE, PATH or DIR. Wrong arguments end the program with exit_usage.
class Arguments {
 public:
  virtual ~Arguments() = default;
  /// REQUIRES: the positional arguments are declared in their order.
  virtual void required(const char* name, std::string& into, const char* help) = 0;
  /// One of `allowed`.
  virtual void required_choice(const char* name, std::string& into,
                               std::vector<std::string> allowed, const char* help) = 0;
  virtual void positionals(const char* name, std::vector<std::string>& into, const char* help,
                           bool at_least_one) = 0;
  virtual void option(const char* names, std::string& into, const char* help,
                      const char* environment = nullptr) = 0;
  virtual void option(const char* names, std::int64_t& into, const char* help) = 0;
  virtual void option(const char* names, double& into, const char* help) = 0;
  virtual void option(const char* names, std::optional<std::string>& into, const char* help) = 0;
  virtual void option(const char* names, std::optional<std::int64_t>& into, const char* help) = 0;
  /// May be given several times.
  virtual void option(const char* names, std::vector<std::string>& into, const char* help) = 0;
  virtual void flag(const char* names, bool& into, const char* help) = 0;
  /// One of `allowed`.
  virtual void choice(const char* names, std::string& into, std::vector<std::string> allowed,
                      const char* help) = 0;
  /// A command of this command, one of which must then be given, unless this has an action of its
  /// own. Lives as long as this does.
  virtual Arguments& subcommand(const char* name, const char* summary, const char* examples) = 0;
  /// What to do when the command line names this command. Returns an exit code.
  virtual void run(std::function<int()> action) = 0;

  /// `-b/--brokers`, which every client command has.
  void brokers(std::string& into);
  /// `--format text|json`, which every command that prints results has.
  void format(std::string& into);
};

/// One entry of the list in main.cpp.
struct Command {
  const char* name;
  const char* summary;
  /// Lines of `--help`, each a command line and what it does.
  const char* examples;
  /// Declares the arguments and, with run(), the action. Whatever the arguments are bound to is
  /// kept alive by the action.
  void (*declare)(Arguments&);
};

/// Parses the command line and runs the command it names.
int run_command_line(int argc, char** argv, const std::vector<const Command*>& commands);

/// Tells the user on stderr: "leat: <message>".
void complain(const std::string& message);

}  // namespace leat::tools
