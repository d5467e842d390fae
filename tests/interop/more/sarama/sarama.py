#!/usr/bin/python3
"""Sarama, in the versions of old and new brokers."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import go_program, take_checks

from harness import Server, finish, scratch


def main():
    client = go_program(pathlib.Path(__file__).resolve().parent)
    with scratch() as folder, Server(folder / "data") as server:
        take_checks([client, server.kafka], "every check of Sarama passed")
    finish()


main()
