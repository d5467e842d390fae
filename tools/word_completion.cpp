#include "tools/word_completion.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace leat::tools {

namespace {

/// Goes through the words before the one that is asked for.
class Completer {
 public:
  Completer(const CommandSpec& program, const ListNames& list_names)
      : command_(&program), list_names_(list_names) {}

  void pass(const std::string& word);
  std::vector<std::string> finish(const std::string& word);

 private:
  const OptionSpec* find_option(std::string_view name) const;
  void take_value(const OptionSpec& option, std::string_view value);
  void add(const std::string& word, const std::string& help);
  void add_values(const ValueSpec& value, const std::string& before);
  void add_options();

  const CommandSpec* command_;
  const ListNames& list_names_;
  /// Its value comes next.
  const OptionSpec* open_ = nullptr;
  std::set<const OptionSpec*> used_;
  std::size_t positionals_ = 0;
  bool only_positionals_ = false;
  std::string brokers_;
  std::string http_;
  std::string begin_;
  std::vector<std::string> found_;
};

const OptionSpec* Completer::find_option(std::string_view name) const {
  for (const OptionSpec& option : command_->options)
    if (std::find(option.names.begin(), option.names.end(), name) != option.names.end())
      return &option;
  return nullptr;
}

void Completer::take_value(const OptionSpec& option, std::string_view value) {
  auto is_called = [&](const char* name) {
    return std::find(option.names.begin(), option.names.end(), name) != option.names.end();
  };
  if (is_called("--brokers")) brokers_ = value;
  if (is_called("--http")) http_ = value;
}

void Completer::pass(const std::string& word) {
  if (open_) {
    take_value(*open_, word);
    open_ = nullptr;
  } else if (only_positionals_ || word.size() < 2 || word[0] != '-') {
    auto child = std::find_if(command_->commands.begin(), command_->commands.end(),
                              [&](const CommandSpec& c) { return c.name == word; });
    if (child == command_->commands.end()) {
      ++positionals_;
      return;
    }
    command_ = &*child;
    positionals_ = 0;
    used_.clear();
  } else if (word == "--") {
    only_positionals_ = true;
  } else {
    // --name=VALUE, --name VALUE, -n VALUE and -nVALUE.
    std::size_t equals = word.starts_with("--") ? word.find('=') : word.npos;
    std::size_t name_end = word.starts_with("--") ? equals : 2;
    const OptionSpec* option = find_option(std::string_view(word).substr(0, name_end));
    if (!option) return;
    used_.insert(option);
    bool has_value = name_end < word.size();
    if (has_value) take_value(*option, word.substr(equals == word.npos ? name_end : equals + 1));
    if (option->takes_value && !has_value) open_ = option;
  }
}

void Completer::add(const std::string& word, const std::string& help) {
  if (!word.starts_with(begin_)) return;
  std::string line = help.substr(0, help.find('\n'));
  std::replace(line.begin(), line.end(), '\t', ' ');
  found_.push_back(line.empty() ? word : word + "\t" + line);
}

void Completer::add_values(const ValueSpec& value, const std::string& before) {
  if (!value.choices.empty()) {
    for (const std::string& choice : value.choices) add(before + choice, "");
  } else if (value.kind == "TOPIC" || value.kind == "GROUP") {
    for (const std::string& name : list_names_(value.kind, brokers_)) add(before + name, "");
  } else if (value.kind == "PIPELINE" || value.kind == "VIEW") {
    for (const std::string& name : list_names_(value.kind, http_)) add(before + name, "");
  } else if (value.kind == "FILE" || value.kind == "PATH") {
    found_.emplace_back(":files");
  } else if (value.kind == "DIR") {
    found_.emplace_back(":directories");
  }
}

void Completer::add_options() {
  for (const OptionSpec& option : command_->options) {
    if (used_.contains(&option) && !option.repeats) continue;
    for (const std::string& name : option.names) add(name, option.value.help);
  }
}

std::vector<std::string> Completer::finish(const std::string& word) {
  begin_ = word;
  std::size_t equals = word.starts_with("--") ? word.find('=') : word.npos;
  const OptionSpec* option =
      equals == word.npos ? nullptr : find_option(std::string_view(word).substr(0, equals));
  if (open_) {
    add_values(open_->value, "");
  } else if (option && !only_positionals_) {
    if (option->takes_value) add_values(option->value, word.substr(0, equals + 1));
  } else if (word.starts_with('-') && !only_positionals_) {
    add_options();
  } else if (!command_->commands.empty()) {
    for (const CommandSpec& child : command_->commands) add(child.name, child.summary);
  } else if (!command_->positionals.empty()) {
    const auto& all = command_->positionals;
    if (positionals_ < all.size()) {
      add_values(all[positionals_].value, "");
    } else if (all.back().repeats) {
      add_values(all.back().value, "");
    }
  }
  return std::move(found_);
}

}  // namespace

std::vector<std::string> complete_words(const CommandSpec& program,
                                        const std::vector<std::string>& words,
                                        const ListNames& list_names) {
  Completer completer(program, list_names);
  if (words.empty()) return completer.finish("");
  for (std::size_t i = 0; i + 1 < words.size(); ++i) completer.pass(words[i]);
  return completer.finish(words.back());
}

}  // namespace leat::tools
