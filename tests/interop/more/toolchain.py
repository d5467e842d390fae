"""What foreign clients need besides Debian's packages of the tests. A script that lacks some of it
says so and ends well. Everything that is fetched or built lies in build/interop/."""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import ROOT, check, run

MADE = ROOT / "build" / "interop"


def skip(why):
    """Ends the script, without a failure."""
    print("skipped - " + why, flush=True)
    sys.exit(0)


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            skip(f"there is no {program} here")


def fetch(what, *command, cwd=None):
    """Runs what needs a network; skips the rest where there is none."""
    done = run(*command, timeout=840, cwd=cwd)
    if done.returncode != 0:
        print((done.stdout + done.stderr).decode(errors="replace")[-2000:], flush=True)
        skip(f"{what} cannot be had here")


def jars(name, pom, **properties):
    """A class path with what `pom` depends on."""
    need("java", "mvn")
    folder = MADE / name
    if not (folder / "whole").exists():
        MADE.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        fetch("jars", "mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
              f"-DoutputDirectory={folder}",
              *(f"-D{key}={value}" for key, value in properties.items()))
        (folder / "whole").touch()
    return f"{folder}/*"


def go_program(source):
    """The binary of the module in the folder `source`."""
    need("go")
    binary = MADE / source.name / "client"
    binary.parent.mkdir(parents=True, exist_ok=True)
    fetch("Go modules", "go", "mod", "download", cwd=source)
    built = run("go", "build", "-o", binary, ".", cwd=source, timeout=840)
    if not check(built.returncode == 0, "it is built", built.stderr.decode()):
        sys.exit(1)
    return binary


def node_modules(name, *packages):
    """A folder below which Node.js finds the packages."""
    need("node", "npm")
    folder = MADE / name
    if not (folder / "whole").exists():
        folder.mkdir(parents=True, exist_ok=True)
        fetch("npm packages", "npm", "install", "--silent", "--no-save", "--no-audit",
              "--no-fund", "--prefix", folder, *packages)
        (folder / "whole").touch()
    return folder


def python(name, *packages):
    """A Python that has the packages."""
    folder = MADE / name
    if not (folder / "whole").exists():
        MADE.mkdir(parents=True, exist_ok=True)
        fetch("a Python of our own", "/usr/bin/python3", "-m", "venv", folder)
        fetch("Python packages", folder / "bin" / "pip", "install", "--quiet",
              "--disable-pip-version-check", "--only-binary", ":all:", *packages)
        (folder / "whole").touch()
    return folder / "bin" / "python"


def take_checks(command, what, env=None, timeout=300):
    """Runs a program that prints lines of checks itself, and takes them over. Gives its standard
    error."""
    process = run(*command, timeout=timeout, env=env)
    rest = []
    for line in process.stdout.decode(errors="replace").splitlines():
        if line.startswith("ok - "):
            check(True, line[len("ok - "):])
        else:
            rest.append(line)
    errors = process.stderr.decode(errors="replace")
    check(process.returncode == 0 and not rest, what, "\n".join(rest) + errors[-3000:])
    return errors
