#!/usr/bin/python3
"""Shell completion: bash completes leat's command lines for real; zsh and fish where there are any."""

import os
import pathlib
import shutil

from harness import LEAT, Server, check, finish, leat, run, scratch

# A shell whose `leat` is the built one, with its function called as readline would.
BASH = r"""
source <(leat completion bash)
complete -p leat
COMP_WORDS=(%s)
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_leat leat "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%%s\n' "${COMPREPLY[@]}"
"""


class Shell:
    def __init__(self, server, folder):
        self.folder = folder
        self.env = {"PATH": f"{pathlib.Path(LEAT).parent}:{os.environ['PATH']}",
                    "LEAT_BROKERS": server.kafka}

    def bash(self, words):
        """What bash offers; `words` as it splits them, the last one the word at the cursor."""
        got = run("bash", "--norc", "-c", f"cd {self.folder}\n" + BASH % words, env=self.env)
        rows = got.stdout.decode().splitlines()
        if not rows or rows[0] != "complete -F _leat leat":
            return [got.stdout, got.stderr]
        return sorted(row for row in rows[1:] if row)


def check_bash(shell, server):
    host, port = server.kafka.split(":")
    cases = [
        ("leat cons", ["consume"]),
        ("leat topic d", ["delete", "describe"]),
        ("leat consume --ex", ["--exit"]),
        ("leat consume --format ''", ["json", "text"]),
        ("leat consume --format = j", ["json"]),
        ("leat consume --format =", ["json", "text"]),
        ("leat consume e", ["edits", "edits.copy"]),
        ("leat topic describe ''", ["a-topic", "edits", "edits.copy"]),
        ("leat replay edits --to a", ["a-topic"]),
        ("leat topic create ''", []),
        (f"leat consume -b {host} : {port} a", ["a-topic"]),
        ("leat consume -b 127.0.0.1 : 1 a", []),
        ("leat produce edits ''", ["a directory", "file.json"]),
        ("leat produce edits f", ["file.json"]),
        ("leat backup ''", ["a directory"]),
        ("leat fsck --data a", ["a directory"]),
        ("leat completion f", ["fish"]),
        ("leat gen o", ["orders"]),
        ("leat gen orders --drift-as r", ["renamed", "retyped"]),
        ("leat gen clicks --to a", ["a-topic"]),
    ]
    for words, want in cases:
        got = shell.bash(words)
        check(got == want, f"bash completes: {words}", got)
    got = shell.bash("leat ''")
    told = leat("--help").stdout.decode().split("Subcommands:")[1].split("\n\n")[0]
    names = sorted(row.split()[0] for row in told.splitlines() if row.startswith("  ")
                   and not row.startswith("   "))
    check(got == names and "serve" in got, "every command is offered, as --help lists them",
          f"{got} {names}")
    got = shell.bash("leat serve -")
    check("--durability" in got and "--data" in got, "and every option", got)
    alone = {"PATH": shell.env["PATH"], "LEAT_BROKERS": "127.0.0.1:1"}
    got = run("leat", "complete", "--", "consume", "", env=alone)
    check(got.returncode == 0 and got.stdout == b"" and got.stderr == b"",
          "without a server nothing is offered, and nothing said", got.stderr)


def check_others():
    """Neither is among what tests need; where one is there, it must at least take the script."""
    for name in ("zsh", "fish"):
        script = leat("completion", name)
        check(script.returncode == 0 and b"complete --" in script.stdout,
              f"leat completion {name} prints a script")
        if shutil.which(name):
            got = run(name, "-n", "/dev/stdin", stdin=script.stdout)
            check(got.returncode == 0, f"{name} takes it", got.stderr)
    check(leat("completion", "tcsh").returncode == 2, "an unknown shell is a wrong usage")


def main():
    with scratch() as folder, Server(folder / "data") as server:
        for topic in ("edits", "edits.copy", "a-topic"):
            leat("topic", "create", topic, "-b", server.kafka)
        place = folder / "place"
        (place / "a directory").mkdir(parents=True)
        (place / "file.json").write_text("{}")
        check_bash(Shell(server, place), server)
        check_others()
    finish()


main()
