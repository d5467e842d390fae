#!/usr/bin/python3
"""The HTTP side of the server: health, readiness, metrics, and who may hold a data directory."""

import re
import urllib.error
import urllib.request

from harness import LEAT, Server, check, finish, leat, run, scratch, wait_for


def get(server, path):
    """Status, content type and text."""
    try:
        with urllib.request.urlopen(f"http://{server.http}{path}", timeout=10) as answer:
            return answer.status, answer.headers.get("Content-Type", ""), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Content-Type", ""), error.read().decode()


def samples(text):
    """{'name{labels}': value} of a Prometheus exposition; fails on a line that is none."""
    found = {}
    pattern = re.compile(r'^([a-zA-Z_:][\w:]*(?:\{[^}]*\})?) (-?[\d.e+-]+|NaN|[+-]Inf)$')
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = pattern.match(line)
            if not match:
                raise ValueError("not a sample: " + line)
            found[match[1]] = float(match[2])
    return found


def check_http(server):
    check(get(server, "/healthz")[0] == 200, "/healthz is 200")
    check(get(server, "/readyz")[0] == 200, "/readyz is 200 once the server said so")
    check(get(server, "/no-such-page")[0] == 404, "an unknown path is 404")
    status, kind, text = get(server, "/metrics")
    check(status == 200 and kind.startswith("text/plain"), "/metrics is text", kind)
    before = samples(text)
    run("kcat", "-b", server.kafka, "-P", "-t", "measured", stdin=b"a\nb\nc\n")
    grown = lambda: [name for name, value in samples(get(server, "/metrics")[2]).items()
                     if value > before.get(name, 0)]
    check(wait_for(lambda: len(grown()) > 0, 5), "/metrics counts what happens")
    ends = [value for name, value in samples(get(server, "/metrics")[2]).items()
            if name.startswith("kafka_topic_partition_current_offset") and "measured" in name]
    check(ends == [3], "/metrics has the topic's end under the name in use elsewhere", ends)


def check_lock(server):
    second = leat("serve", "--data", server.data, "--listen", "127.0.0.1:0", "--http",
                  "127.0.0.1:0", timeout=20)
    check(second.returncode == 1 and str(server.process.pid).encode() in second.stderr,
          "a second server on the directory exits 1 and names the first one's pid", second.stderr)
    port = leat("serve", "--data", str(server.data) + "-2", "--listen", server.kafka, "--http",
                "127.0.0.1:0", timeout=20)
    check(port.returncode == 1 and server.kafka.encode() in port.stderr,
          "a port that is taken is named, exit 1", port.stderr)
    check(server.alive(), "the first one goes on")


def check_usage():
    check(leat("serve", "--no-such-option").returncode == 2, "a wrong option exits 2")
    check(leat("no-such-command").returncode == 2, "a wrong subcommand exits 2")
    helped = leat("--help")
    check(helped.returncode == 0 and b"serve" in helped.stdout, "--help lists the subcommands")
    listed = helped.stdout.decode().split("Subcommands:", 1)[-1]
    commands = re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)
    check({"serve", "topic", "produce", "consume"} <= set(commands), "the first four are there",
          commands)
    for command in commands:
        helped = leat(command, "--help")
        check(helped.returncode == 0 and b"leat " + command.encode() in helped.stdout,
              f"leat {command} --help has examples", helped.stdout)


def main():
    print("# " + LEAT)
    with scratch() as folder, Server(folder / "data") as server:
        check_http(server)
        check_lock(server)
        check_usage()
    finish()


main()
