// The command line by CLI11, which is included here only.
#include <unistd.h>

#include <deque>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "leat/version.h"
#include "tools/command.h"

namespace leat::tools {

namespace {

class CliArguments final : public Arguments {
 public:
  explicit CliArguments(CLI::App& app) : app_(app) {}

  void required(const char* name, std::string& into, const char* help) override {
    app_.add_option(name, into, help)->required();
  }
  void positionals(const char* name, std::vector<std::string>& into, const char* help,
                   bool at_least_one) override {
    app_.add_option(name, into, help)->required(at_least_one);
  }
  void option(const char* names, std::string& into, const char* help,
              const char* environment) override {
    CLI::Option* option = app_.add_option(names, into, help)->capture_default_str();
    if (environment) option->envname(environment);
  }
  void option(const char* names, std::optional<std::string>& into, const char* help) override {
    app_.add_option(names, into, help);
  }
  void option(const char* names, std::optional<std::int64_t>& into, const char* help) override {
    app_.add_option(names, into, help);
  }
  void option(const char* names, std::vector<std::string>& into, const char* help) override {
    // One value each time, so that `-c a=b NAME` leaves NAME to the positional arguments.
    app_.add_option(names, into, help)->expected(1)->take_all()->allow_extra_args(false);
  }
  void flag(const char* names, bool& into, const char* help) override {
    app_.add_flag(names, into, help);
  }
  void choice(const char* names, std::string& into, std::vector<std::string> allowed,
              const char* help) override {
    app_.add_option(names, into, help)->capture_default_str()->check(CLI::IsMember(allowed));
  }
  Arguments& subcommand(const char* name, const char* summary, const char* examples) override {
    CLI::App* app = app_.add_subcommand(name, summary);
    app->footer(std::string("Examples:\n") + examples);
    app_.require_subcommand(1);
    return children_.emplace_back(*app);
  }
  void run(std::function<int()> action) override { action_ = std::move(action); }

  /// Runs the action of the innermost command that was given.
  int run_given() {
    for (CliArguments& child : children_)
      if (child.app_.parsed()) return child.run_given();
    return action_ ? action_() : exit_usage;
  }

 private:
  CLI::App& app_;
  std::function<int()> action_;
  std::deque<CliArguments> children_;
};

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
  option("-b,--brokers", into, "Where the cluster is: HOST:PORT[,HOST:PORT]", "LEAT_BROKERS");
}

void Arguments::format(std::string& into) {
  choice("--format", into, {"text", "json"}, "How results are printed");
}

int run_command_line(int argc, char** argv, const std::vector<const Command*>& commands) {
  CLI::App app("A durable log that speaks Kafka's protocol, with a stream processor inside.",
               "leat");
  app.set_version_flag("--version", std::string("leat ") + version_text);
  app.require_subcommand(1);
  app.footer("Every command has examples: leat COMMAND --help");
  std::deque<CliArguments> arguments;
  for (const Command* command : commands) {
    CLI::App* child = app.add_subcommand(command->name, command->summary);
    child->footer(std::string("Examples:\n") + command->examples);
    command->declare(arguments.emplace_back(*child));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& answered) {  // --help and --version
    return app.exit(answered);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  for (std::size_t i = 0; i < commands.size(); ++i)
    if (app.got_subcommand(commands[i]->name)) return arguments[i].run_given();
  return exit_usage;
}

}  // namespace leat::tools
