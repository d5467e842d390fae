#!/usr/bin/env python3
"""The example of an ordinary Kafka program, examples/fraud/detector.py: its alerts are those of an
independent computation, also when server and program are killed in the middle."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fraud_play import EXAMPLE, Detector, check_edits, check_made_up
from harness import finish, scratch


def start(server, _):
    return Detector(server, sys.executable, EXAMPLE / "detector.py", "-b", server.kafka)


def main():
    with scratch() as folder:
        check_made_up(folder, start, False)
        check_edits(folder, start)
    finish()


main()
