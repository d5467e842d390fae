#!/usr/bin/python3
"""The examples of the C++ client, examples/fraud: built with what is installed, their alerts are
those of an independent computation, each exactly once, also when server and program are killed in
the middle."""

from fraud_play import EXAMPLE, Detector, check_edits, check_killed, check_made_up
from harness import check, finish, scratch
from installed import build, install


def check_detector(folder, flags, name):
    program = folder / name
    built = build(EXAMPLE / f"{name}.cpp", program, *flags, "-lboost_json")
    if not check(built.returncode == 0, f"{name}.cpp builds with what is installed",
                 built.stderr.decode()):
        return

    def start(server, name):
        return Detector(server, program, server.kafka, name)

    folder = folder / f"of-{name}"
    folder.mkdir()
    check_made_up(folder, start, True)
    check_killed(folder, start, 1)
    check_edits(folder, start)


def main():
    with scratch() as folder:
        flags = install(folder)
        if flags:
            for name in ("detector", "detector_blocking"):
                check_detector(folder, flags, name)
    finish()


main()
