#!/usr/bin/python3
"""More connections than there are descriptors: the log keeps those that it needs (fault 14)."""

import contextlib
import resource
import struct

from harness import Server, check, finish, leat, read_frame, request, scratch, wait_for

LIMIT = 1024


def answers(connection):
    """Whether the server answers ApiVersions."""
    with contextlib.suppress(OSError):
        connection.sendall(request(18, 0, 7))
        body = read_frame(connection)
        return body is not None and struct.unpack(">i", body[:4])[0] == 7
    return False


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    with scratch() as folder, Server(folder / "data") as server:
        opened = []
        for _ in range(700):
            with contextlib.suppress(OSError):
                opened.append(server.connect())
        served = [connection for connection in opened if answers(connection)]
        check(400 <= len(served) < 600, "some connections are served, those beyond are closed",
              len(served))
        for connection in served[-20:]:
            connection.close()
        served = served[:-20]
        check(wait_for(lambda: leat("topic", "create", "t", "-p", "50", "-b",
                                    server.kafka).returncode == 0),
              "a topic is made while nearly all connections are taken")
        made = leat("produce", "t", "-b", server.kafka, stdin=b"x\n" * 1000)
        check(made.returncode == 0, "and records are appended to new segments", made.stderr)
        check(all(answers(connection) for connection in served),
              "those that were served still are")
        for connection in opened:
            connection.close()
        check(wait_for(lambda: answers(server.connect())),
              "when they have gone, others are served again")
        check(server.stop() == 0, "the server stops in order")
    finish()


main()
