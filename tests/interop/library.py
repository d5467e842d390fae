#!/usr/bin/python3
"""What C++ programs get: headers that stand alone and leave no macro behind, and an installed
library that a program outside of this repository builds with, by pkg-config."""

import re

from harness import LEAT, ROOT, Server, check, finish, run, scratch
from installed import COMPILER, build, install

INCLUDE = ROOT / "include"
STRICT = ("-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
          "-Wno-sign-conversion", "-Werror")

PROGRAM = ROOT / "examples" / "orders" / "orders.cpp"


def macros(folder, text):
    """The names of the macros that are defined behind `text`."""
    (folder / "macros.cpp").write_text(text)
    made = run(COMPILER, "-std=c++20", "-I", INCLUDE, "-dM", "-E", folder / "macros.cpp")
    return {line.split()[1].split("(")[0] for line in made.stdout.decode().splitlines()}


def foreign_includes():
    """What our headers include of others, each once."""
    lines = set()
    for header in INCLUDE.glob("leat/*.h"):
        lines.update(re.findall(r"^#include <.*>$", header.read_text(), re.MULTILINE))
    return "\n".join(sorted(lines)) + "\n"


def check_header(folder, header, others):
    name = f"leat/{header.name}"
    (folder / "alone.cpp").write_text(f'#include "{name}"\n#include "{name}"\nint main() {{}}\n')
    compiled = run(COMPILER, *STRICT, "-I", INCLUDE, "-fsyntax-only", folder / "alone.cpp")
    check(compiled.returncode == 0, f"{name} compiles alone, without a warning",
          compiled.stderr.decode())
    left = macros(folder, f'#include "{name}"\n') - others
    check(not left, f"{name} leaves no macro behind", sorted(left))


def check_installed(folder):
    flags = install(folder)
    if not flags:
        return
    built = build(PROGRAM, folder / "program", *flags)
    if not check(built.returncode == 0, "an example builds with what is installed",
                 " ".join(flags) + "\n" + built.stderr.decode()):
        return
    with Server(folder / "data") as server:
        done = run(folder / "program", server.kafka, timeout=60)
        lines = done.stdout.decode().splitlines()
        check(len(lines) == 3 and lines[0].startswith("the last one is in partition "),
              "it sends, and is told where a record is", lines)
        check(lines[1:2] == ["read 1001 orders"], "it reads all in a group", lines)
        check(lines[2:] and "TOPIC_ALREADY_EXISTS (36)" in lines[2] and
              lines[2].startswith("as it should be: topic orders"),
              "it is told what went wrong, and where", lines)
        described = run(LEAT, "group", "describe", "billing", "-b", server.kafka)
        lags = [line.split() for line in described.stdout.decode().splitlines()]
        check(described.returncode == 0 and sum(row[:1] == ["orders"] for row in lags) == 3,
              "what it read is committed", described.stdout.decode())


def main():
    with scratch() as folder:
        others = macros(folder, foreign_includes())
        for header in sorted(INCLUDE.glob("leat/*.h")):
            check_header(folder, header, others)
        check_installed(folder)
    finish()


if __name__ == "__main__":
    main()
