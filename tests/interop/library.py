#!/usr/bin/python3
"""What C++ programs get: headers that stand alone and leave no macro behind, and an installed
library that a program outside of this repository builds with, by pkg-config."""

import os
import pathlib
import re

from harness import LEAT, ROOT, Server, check, finish, run, scratch

INCLUDE = ROOT / "include"
COMPILER = os.environ.get("CXX", "g++")
STRICT = ("-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
          "-Wno-sign-conversion", "-Werror")

PROGRAM = """\
#include <leat/client.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>

boost::asio::awaitable<void> list(leat::Admin& admin) {
  try {
    co_await admin.async_create_topic({"orders", 3});
    std::vector<leat::TopicDescription> topics = co_await admin.async_list_topics();
    for (const leat::TopicDescription& topic : topics)
      std::printf("%s %zu\\n", topic.name.c_str(), topic.partitions.size());
    co_await admin.async_create_topic({"orders"});
  } catch (const leat::Exception& exception) {
    std::printf("%d %s\\n", exception.code() == leat::KafkaError::topic_already_exists,
                exception.what());
  }
  admin.close();
}

int main(int, char** arguments) {
  boost::asio::io_context context;
  leat::ClientOptions options;
  options.brokers = arguments[1];
  leat::Admin admin(context.get_executor(), options);
  boost::asio::co_spawn(context, list(admin), boost::asio::detached);
  context.run();
}
"""


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
    installed = run("meson", "install", "-C", pathlib.Path(LEAT).parent, "--no-rebuild",
                    "--destdir", folder / "root")
    if not check(installed.returncode == 0, "meson install installs", installed.stderr.decode()):
        return
    root = folder / "root"
    found = [path for path in root.rglob("leat.pc")]
    check(len(found) == 1, "leat.pc is installed", found)
    env = {"PKG_CONFIG_PATH": str(found[0].parent), "PKG_CONFIG_SYSROOT_DIR": str(root)}
    flags = run("pkg-config", "--cflags", "--libs", "leat", env=env).stdout.decode().split()
    # The system's own packages are not under our root.
    flags = [flag for flag in flags if not flag.startswith(f"-I{root}/usr/include")]
    (folder / "program.cpp").write_text(PROGRAM)
    built = run(COMPILER, "-std=c++20", folder / "program.cpp", *flags, "-o", folder / "program",
                timeout=600)
    if not check(built.returncode == 0, "a program outside of the repository builds",
                 " ".join(flags) + "\n" + built.stderr.decode()):
        return
    with Server(folder / "data") as server:
        done = run(folder / "program", server.kafka, timeout=60)
        lines = done.stdout.decode().splitlines()
        check(lines[:1] == ["orders 3"], "it makes a topic, and sees it", lines)
        check(len(lines) == 2 and lines[1].startswith("1 topic orders: TOPIC_ALREADY_EXISTS (36)"),
              "it is told what went wrong, and where", lines)


def main():
    with scratch() as folder:
        others = macros(folder, foreign_includes())
        for header in sorted(INCLUDE.glob("leat/*.h")):
            check_header(folder, header, others)
        check_installed(folder)
    finish()


if __name__ == "__main__":
    main()
