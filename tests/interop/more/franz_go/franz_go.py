#!/usr/bin/python3
"""franz-go, a client in Go that shares no code with any other."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import go_program, take_checks

from harness import Server, finish, scratch


def main():
    client = go_program(pathlib.Path(__file__).resolve().parent)
    with scratch() as folder, Server(folder / "data") as server:
        take_checks([client, server.kafka], "every check of franz-go passed")
    finish()


main()
