"""The library as programs outside of this repository find it: installed, by pkg-config."""

import os
import pathlib

from harness import LEAT, check, run

COMPILER = os.environ.get("CXX", "g++")


def install(folder, package="leat"):
    """Installs into a folder. Gives the flags to build with; nothing if that failed."""
    installed = run("meson", "install", "-C", pathlib.Path(LEAT).parent, "--no-rebuild",
                    "--destdir", folder / "root")
    if not check(installed.returncode == 0, "meson install installs", installed.stderr.decode()):
        return []
    root = folder / "root"
    found = [path for path in root.rglob(f"{package}.pc")]
    check(len(found) == 1, f"{package}.pc is installed", found)
    env = {"PKG_CONFIG_PATH": str(found[0].parent), "PKG_CONFIG_SYSROOT_DIR": str(root)}
    flags = run("pkg-config", "--cflags", "--libs", package, env=env).stdout.decode().split()
    # The system's own packages are not under our root.
    return [flag for flag in flags if not flag.startswith(f"-I{root}/usr/include")]


def build(source, program, *flags):
    return run(COMPILER, "-std=c++20", source, *flags, "-o", program, timeout=600)
