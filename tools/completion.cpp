// leat completion: what makes a shell complete leat's command lines. The scripts only carry words
// to `leat complete` and back (arguments.cpp), so they need not change with the commands.
#include <memory>
#include <string>

#include "tools/commands.h"
#include "tools/output.h"

namespace leat::tools {

namespace {

// bash takes ':' and '=' for ends of words, leat does not: words are put together again, and what
// bash believes to be there already is taken off the answers.
constexpr const char* bash_script = R"SCRIPT(# leat completion bash
_leat() {
  local part line glue= before words=()
  for part in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ ${#words[@]} -gt 0 && ( $part == [:=]* || -n $glue ) ]]; then
      words[${#words[@]}-1]+=$part
    else
      words+=("$part")
    fi
    glue=
    if [[ $part == [:=] ]]; then glue=1; fi
  done
  local current=${words[${#words[@]}-1]}
  before=${current%"${current##*[:=]}"}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current") ;;
      :directories) compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$current") ;;
      *) line=${line%%$'\t'*}
        COMPREPLY+=("${line#"$before"}") ;;
    esac
  done < <("$1" complete -- "${words[@]}" 2>/dev/null)
}
complete -F _leat leat
)SCRIPT";

constexpr const char* zsh_script = R"SCRIPT(#compdef leat
_leat() {
  local line
  local -a found
  for line in "${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :files) _files ;;
      :directories) _files -/ ;;
      *$'\t'*) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      ?*) found+=("${line//:/\\:}") ;;
    esac
  done
  (( ${#found} )) && _describe leat found
}
compdef _leat leat
)SCRIPT";

constexpr const char* fish_script = R"SCRIPT(# leat completion fish
function __leat_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':directories'
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c leat -f -a '(__leat_complete)'
)SCRIPT";

int print_script(const std::string& shell) {
  Output output;
  output.print(shell == "bash" ? bash_script : shell == "zsh" ? zsh_script : fish_script);
  return exit_ok;
}

void declare(Arguments& arguments) {
  auto shell = std::make_shared<std::string>();
  arguments.required_choice("SHELL", *shell, {"bash", "zsh", "fish"}, "The shell");
  arguments.run([shell] { return print_script(*shell); });
}

}  // namespace

const Command completion_command{
    "completion", "Prints what makes bash, zsh or fish complete leat's command lines",
    "  source <(leat completion bash)          now; in ~/.bashrc for ever\n"
    "  source <(leat completion zsh)           the same, behind compinit in ~/.zshrc\n"
    "  leat completion fish | source           or into ~/.config/fish/completions/leat.fish\n"
    "Topics complete by name, from the server that -b or LEAT_BROKERS names.",
    declare};

}  // namespace leat::tools
