// The command line by CLI11, which is included here only.
#include <unistd.h>

#include <deque>
#include <map>
#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "leat/version.h"
#include "tools/command.h"
#include "tools/connect.h"
#include "tools/output.h"
#include "tools/word_completion.h"

namespace leat::tools {

namespace {

/// What the allowed values of options are, which CLI11 only keeps within its checks.
using Choices = std::map<const CLI::Option*, std::vector<std::string>>;

class CliArguments final : public Arguments {
 public:
  CliArguments(CLI::App& app, Choices& choices) : app_(app), choices_(choices) {}

  void required(const char* name, std::string& into, const char* help) override {
    app_.add_option(name, into, help)->required();
  }
  void required_choice(const char* name, std::string& into, std::vector<std::string> allowed,
                       const char* help) override {
    restrict(app_.add_option(name, into, help)->required(), std::move(allowed));
  }
  void positionals(const char* name, std::vector<std::string>& into, const char* help,
                   bool at_least_one) override {
    app_.add_option(name, into, help)->required(at_least_one);
  }
  void option(const char* names, std::string& into, const char* help,
              const char* environment) override {
    CLI::Option* option = add(names, into, help)->capture_default_str();
    if (environment) option->envname(environment);
  }
  void option(const char* names, std::int64_t& into, const char* help) override {
    add(names, into, help)->capture_default_str();
  }
  void option(const char* names, double& into, const char* help) override {
    add(names, into, help)->capture_default_str();
  }
  void option(const char* names, std::optional<std::string>& into, const char* help) override {
    add(names, into, help);
  }
  void option(const char* names, std::optional<std::int64_t>& into, const char* help) override {
    add(names, into, help);
  }
  void option(const char* names, std::vector<std::string>& into, const char* help) override {
    // One value each time, so that `-c a=b NAME` leaves NAME to the positional arguments.
    add(names, into, help)->expected(1)->take_all()->allow_extra_args(false);
  }
  void flag(const char* names, bool& into, const char* help) override {
    app_.add_flag(names, into, help);
  }
  void choice(const char* names, std::string& into, std::vector<std::string> allowed,
              const char* help) override {
    restrict(add(names, into, help)->capture_default_str(), std::move(allowed));
  }
  Arguments& subcommand(const char* name, const char* summary, const char* examples) override {
    CLI::App* app = app_.add_subcommand(name, summary);
    app->footer(std::string("Examples:\n") + examples);
    app_.require_subcommand(action_ ? 0 : 1);
    return children_.emplace_back(*app, choices_);
  }
  void run(std::function<int()> action) override {
    app_.require_subcommand(0);
    action_ = std::move(action);
  }

  /// Runs the action of the innermost command that was given.
  int run_given() {
    for (CliArguments& child : children_)
      if (child.app_.parsed()) return child.run_given();
    return action_ ? action_() : exit_usage;
  }

 private:
  /// `names` are those of the option, and behind a blank the word for its value.
  template <class Into>
  CLI::Option* add(const std::string& names, Into& into, const char* help) {
    std::size_t blank = names.find(' ');
    CLI::Option* option = app_.add_option(names.substr(0, blank), into, help);
    if (blank != names.npos) option->type_name(names.substr(blank + 1));
    return option;
  }
  void restrict(CLI::Option* option, std::vector<std::string> allowed) {
    option->check(CLI::IsMember(allowed));
    choices_[option] = std::move(allowed);
  }

  CLI::App& app_;
  Choices& choices_;
  std::function<int()> action_;
  std::deque<CliArguments> children_;
};

/// The definitions by which CLI11 parses, as data.
CommandSpec describe(const CLI::App& app, const Choices& choices) {
  CommandSpec command;
  command.name = app.get_name();
  command.summary = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    auto allowed = choices.find(option);
    ValueSpec value{option->get_positional() ? option->get_name(true) : option->get_type_name(),
                    allowed == choices.end() ? std::vector<std::string>() : allowed->second,
                    option->get_description()};
    bool repeats = option->get_expected_max() > 1 ||
                   option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    if (option->get_positional()) {
      command.positionals.push_back({repeats, std::move(value)});
      continue;
    }
    OptionSpec spec{{}, option->get_type_size_max() > 0, repeats, std::move(value)};
    for (const std::string& name : option->get_snames()) spec.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) spec.names.push_back("--" + name);
    command.options.push_back(std::move(spec));
  }
  for (const CLI::App* child : app.get_subcommands({}))
    command.commands.push_back(describe(*child, choices));
  return command;
}

/// `leat complete -- WORD…`, which the scripts of `leat completion` call. It must be taken before
/// anything is parsed, since what it asks about is half a command line.
int answer_shell(const CLI::App& app, const Choices& choices, int argc, char** argv) {
  Output output;
  for (const std::string& line :
       complete_words(describe(app, choices), {argv + 3, argv + argc}, list_names))
    output.print(line + "\n");
  return exit_ok;
}

int refuse(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* named = &app;
  while (!named->get_subcommands().empty()) named = named->get_subcommands().front();
  std::string name = named->get_name();
  for (const CLI::App* at = named->get_parent(); at; at = at->get_parent())
    name = at->get_name() + " " + name;
  complain(error.what());
  fmt::print(stderr, "Try '{} --help'.\n", name);
  return exit_usage;
}

}  // namespace

void Arguments::brokers(std::string& into) {
  option("-b,--brokers HOST:PORT", into, "Where the cluster is: HOST:PORT[,HOST:PORT]",
         "LEAT_BROKERS");
}

void Arguments::format(std::string& into) {
  choice("--format FORMAT", into, {"text", "json"}, "How results are printed");
}

int run_command_line(int argc, char** argv, const std::vector<const Command*>& commands) {
  CLI::App app("A durable log that speaks Kafka's protocol, with a stream processor inside.",
               "leat");
  app.set_version_flag("--version", std::string("leat ") + version_text);
  app.require_subcommand(1);
  app.footer("Every command has examples: leat COMMAND --help");
  Choices choices;
  std::deque<CliArguments> arguments;
  for (const Command* command : commands) {
    CLI::App* child = app.add_subcommand(command->name, command->summary);
    child->footer(std::string("Examples:\n") + command->examples);
    command->declare(arguments.emplace_back(*child, choices));
  }
  if (argc > 2 && std::string_view(argv[1]) == "complete" && std::string_view(argv[2]) == "--")
    return answer_shell(app, choices, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& answered) {  // --help and --version
    return app.exit(answered);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  try {
    for (std::size_t i = 0; i < commands.size(); ++i)
      if (app.got_subcommand(commands[i]->name)) return arguments[i].run_given();
  } catch (const Exception& failed) {
    return fail_command(failed);
  }
  return exit_usage;
}

}  // namespace leat::tools
