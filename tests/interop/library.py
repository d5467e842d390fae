#!/usr/bin/python3
"""What C++ programs get: headers that stand alone and leave no macro behind, and an installed
library that a program outside of this repository builds with, by pkg-config."""

import json
import re

from harness import LEAT, ROOT, Server, check, finish, run, scratch
from installed import COMPILER, build, install

INCLUDE = ROOT / "include"
STRICT = ("-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
          "-Wno-sign-conversion", "-Werror")

PROGRAM = ROOT / "examples" / "orders" / "orders.cpp"
PIPELINE = ROOT / "examples" / "pipelines" / "edits_per_channel.cpp"
BATCHES = ROOT / "examples" / "pipelines" / "outliers.cpp"


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


def check_pipelines(folder):
    """Programs with pipelines: alone, and beside a client."""
    flags = install(folder, "leat-stream")
    if not flags:
        return
    built = build(PIPELINE, folder / "pipeline", *flags)
    if check(built.returncode == 0, "an example with a pipeline builds with what is installed",
             " ".join(flags) + "\n" + built.stderr.decode()):
        printed = run(folder / "pipeline").stdout
        kinds = [node["type"] for node in json.loads(printed)["nodes"]]
        check(kinds == ["source", "filter", "window", "sink"], "it prints its plan", printed)
    built = build(BATCHES, folder / "outliers", *flags)
    if check(built.returncode == 0, "so does one with a function of batches",
             built.stderr.decode()):
        readings = "".join(
            json.dumps({"sensor": "s1", "value": 90 if i == 150 else 20 + i % 2,
                        "time": f"2026-03-02T00:{i // 60:02}:{i % 60:02}Z"}) + "\n"
            for i in range(1, 201))
        found = run(folder / "outliers", folder / "readings", stdin=readings.encode())
        rows = [json.loads(line) for line in found.stdout.splitlines()]
        check([(row["value"], row["time"]) for row in rows] == [(90, "2026-03-02T00:02:30Z")],
              "it finds the one reading that is far from the others", found.stdout.decode())
    (folder / "both.cpp").write_text(
        "#include <leat/client.h>\n#include <leat/stream.h>\n#include <boost/asio/io_context.hpp>\n"
        "using namespace leat;\nusing namespace leat::flow;\n"
        "int main() {\n  boost::asio::io_context context;\n"
        "  Producer producer(context.get_executor(), {});\n"
        '  Pipeline pipeline("p");\n'
        '  pipeline.from("t", {{"a", Type::bigint}}).filter(col("a") > 1).to("u");\n'
        "  pipeline.check();\n}\n")
    built = build(folder / "both.cpp", folder / "both", *flags)
    check(built.returncode == 0 and run(folder / "both").returncode == 0,
          "a program may have a client and a pipeline", built.stderr.decode())


def main():
    with scratch() as folder:
        others = macros(folder, foreign_includes())
        for header in sorted(INCLUDE.glob("leat/*.h")):
            check_header(folder, header, others)
        check_installed(folder)
        check_pipelines(folder)
    finish()


if __name__ == "__main__":
    main()
