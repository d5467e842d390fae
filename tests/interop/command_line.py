#!/usr/bin/python3
"""leat topic, produce and consume against leat serve, with kcat as the witness."""

import datetime
import json
import signal
import subprocess
import time

from harness import CODECS, LEAT, Server, check, edits, finish, leat, run, scratch


class Shell:
    """leat, told once where the server is."""

    def __init__(self, server):
        self.server = server

    def __call__(self, *arguments, **options):
        return leat(*arguments, env={"LEAT_BROKERS": self.server.kafka}, **options)

    def kcat(self, topic, template):
        return run("kcat", "-b", self.server.kafka, "-C", "-t", topic, "-e", "-q", "-f",
                   template).stdout


def check_topics(shell):
    made = shell("topic", "create", "orders", "-p", "3", "-c", "retention.ms=3600000")
    check(made.returncode == 0, "leat topic create", made.stderr)
    check(shell("topic", "create", "orders").returncode == 1, "a second one exits 1")
    check(b"orders" in shell("topic", "list").stdout, "leat topic list")
    described = shell("topic", "describe", "orders")
    check(described.returncode == 0 and b"retention.ms" in described.stdout and
          b"3600000" in described.stdout, "leat topic describe shows its settings",
          described.stdout + described.stderr)
    altered = shell("topic", "alter", "orders", "-c", "retention.ms=7200000", "-c",
                    "max.message.bytes=5000")
    described = shell("topic", "describe", "orders")
    check(altered.returncode == 0 and b"7200000" in described.stdout and
          b"5000" in described.stdout, "leat topic alter changes them",
          altered.stderr + described.stdout)
    refused = shell("topic", "alter", "orders", "-c", "retention.ms=soon")
    check(refused.returncode == 1 and b"retention.ms" in refused.stderr,
          "what is no value is refused by name", refused.stderr)
    check(shell("topic", "describe", "nothing").returncode == 1,
          "describing what is not there exits 1")
    check(shell("topic", "delete", "orders").returncode == 0 and
          b"orders" not in shell("topic", "list").stdout, "leat topic delete")
    check(shell("topic", "create", "../evil").returncode == 1, "a path is no name")


def check_round_trips(shell, lines):
    text = b"\n".join(lines) + b"\n"
    for codec in CODECS:
        topic = "lines-" + codec
        made = shell("produce", topic, "-z", codec, stdin=text)
        check(made.returncode == 0, f"leat produce -z {codec}", made.stderr)
        check(shell.kcat(topic, "%s\n") == text, f"kcat reads what it sent with {codec}")
        got = shell("consume", topic, "-e")
        check(got.stdout == text, f"leat consume -e gives it back with {codec}", got.stderr)


def check_keys_and_times(shell, lines):
    text = b"\n".join(lines) + b"\n"
    shell("topic", "create", "edits", "-p", "4")
    made = shell("produce", "edits", "-k", "channel", "-t", "time", stdin=text)
    check(made.returncode == 0, "leat produce -k channel -t time", made.stderr)
    rows = [row.split(b"\t", 3) for row in shell.kcat("edits", "%p\t%k\t%T\t%s\n").splitlines()]
    check(sorted(row[3] for row in rows) == sorted(lines), "no edit is lost over four partitions")
    partition_of = {}
    check(all(partition_of.setdefault(row[1], row[0]) == row[0] for row in rows),
          "a key stays in its partition")
    parsed = [(json.loads(row[3]), row) for row in rows]
    check(all(edit["channel"].encode() == row[1] and time_ms(edit["time"]) == int(row[2])
              for edit, row in parsed), "keys and timestamps are the fields'")

    hour = shell("consume", "edits", "-o", "@2015-09-12T10:00:00Z:@2015-09-12T11:00:00Z", "-e")
    want = sorted(line for line in lines if json.loads(line)["time"].startswith("2015-09-12T10:"))
    check(sorted(hour.stdout.splitlines()) == want, f"the hour from ten has its {len(want)} edits",
          f"{len(hour.stdout.splitlines())}; {hour.stderr}")


def time_ms(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (moment - epoch) // datetime.timedelta(milliseconds=1)


def check_ranges(shell, lines):
    cases = [("10:13", 10, 13), (":3", 0, 3), ("-2:", -2, None), ("39240:", 39240, None),
             ("+5:+7", 5, 7), ("start:+2", 0, 2)]
    for text, begin, end in cases:
        got = shell("consume", "lines-none", "-o", text, "-e")
        check(got.stdout.splitlines() == lines[begin:end], f"leat consume -o {text}",
              got.stdout[:500] + got.stderr)
    got = shell("consume", "lines-none", "-n", "2", "-f", "%t %p %o %s\\n")
    want = b"".join(b"lines-none 0 %d %s\n" % (i, lines[i]) for i in range(2))
    check(got.stdout == want, "leat consume -n 2 -f", got.stdout[:500] + got.stderr)


def check_json(shell):
    server = shell.server.kafka
    shell("topic", "create", "from")
    for key, value, header in ((b"k1", b"v1", "a=1"), (b"k2", "\u00fc\"\\".encode(), "b=2")):
        run("kcat", "-b", server, "-P", "-t", "from", "-K", ":", "-H", header,
            stdin=key + b":" + value)
    run("kcat", "-b", server, "-P", "-t", "from", "-K", ":", "-Z", stdin=b"k3:\n")
    run("kcat", "-b", server, "-P", "-t", "from", "-D", "\\n\\n", stdin=b"\xff\x00\xfe\n\n")
    as_json = shell("consume", "from", "-e", "--format", "json")
    rows = [json.loads(row) for row in as_json.stdout.splitlines()]
    check(len(rows) == 4, "leat consume --format json is JSON", as_json.stdout + as_json.stderr)
    back = shell("produce", "to", "-F", "json", stdin=as_json.stdout)
    check(back.returncode == 0, "leat produce -F json takes it", back.stderr)
    template = "%k|%K|%s|%S|%h|%T\n"
    check(shell.kcat("to", template) == shell.kcat("from", template),
          "keys, values, headers and timestamps survive the round trip",
          shell.kcat("from", template) + b" became " + shell.kcat("to", template))


def check_failures(shell):
    bad = shell("produce", "some", "-k", "id", stdin=b'{"id":1}\nnot json\n{"id":3}\n')
    check(bad.returncode == 1 and b"2" in bad.stderr, "a bad line is named, exit 1", bad.stderr)
    check(shell.kcat("some", "%s\n") == b'{"id":1}\n{"id":3}\n', "the rest is sent")
    strict = shell("produce", "strict", "-k", "id", "--strict", stdin=b'x\n{"id":3}\n')
    check(strict.returncode == 1 and shell.kcat("strict", "%s\n") == b"",
          "--strict stops at it", strict.stderr)
    dead = leat("consume", "any", "-e", "-b", "127.0.0.1:1", timeout=60)
    check(dead.returncode == 1 and dead.stdout == b"" and b"127.0.0.1:1" in dead.stderr,
          "no server: exit 1, and the address is named", dead.stderr)
    check(shell("consume", "no-such-topic", "-e").returncode == 1, "no topic: exit 1")
    check(shell("consume", "lines-none", "-o", "nonsense", "-e").returncode == 2,
          "a range that is none is a wrong usage, exit 2")


def check_signals(shell, lines):
    """The first one ends it in order; one that follows at once is the same wish."""
    for count in (1, 2):
        process = subprocess.Popen([LEAT, "consume", "lines-none", "-b", shell.server.kafka],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        got = [process.stdout.readline() for _ in range(100)]
        for _ in range(count):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        rest, said = process.communicate(timeout=20)
        got = (b"".join(got) + rest).splitlines(keepends=True)
        check(process.returncode == 0, f"{count} x Ctrl-C ends an endless consume with 0", said)
        check(got == [line + b"\n" for line in lines[:len(got)]], "what it printed is whole")
    process = subprocess.Popen([LEAT, "consume", "lines-none", "-e", "-b", shell.server.kafka],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=20)[0]
    check(process.returncode == 130, "one that had an end to reach ends with 130")
    check((first + rest).endswith(b"\n"), "with a whole line")
    stuck = subprocess.Popen([LEAT, "consume", "lines-none", "-b", shell.server.kafka],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    stuck.stdout.readline()
    stuck.send_signal(signal.SIGINT)
    time.sleep(0.7)
    stuck.send_signal(signal.SIGTERM)
    check(stuck.wait(20) == 143, "a later signal ends one whose output nobody takes")
    stuck.stdout.close()
    stuck.stderr.close()


def check_time_end(shell):
    """A range that ends at a time stops there, also where much more follows."""
    rows = b"".join(b'{"timestamp":%d,"value":"%d"}\n' % (1000 + i, i) for i in range(100))
    late = b'{"timestamp":1005,"value":"late"}\n'
    shell("produce", "timed", "-F", "json", stdin=rows + late)
    got = shell("consume", "timed", "-o", "@1010:@1020")
    check(got.stdout.split() == [b"%d" % i for i in range(10, 20)],
          "a range of times ends before the first record that is as late", got.stdout)
    got = shell("consume", "timed", "-o", "@1095:@9999")
    check(got.stdout.split() == [b"95", b"96", b"97", b"98", b"99"],
          "and at the end where there is none", got.stdout)


def main():
    lines = edits()
    with scratch() as folder, Server(folder / "data") as server:
        shell = Shell(server)
        check_topics(shell)
        check_round_trips(shell, lines)
        check_keys_and_times(shell, lines)
        check_ranges(shell, lines)
        check_json(shell)
        check_failures(shell)
        check_time_end(shell)
        check_signals(shell, lines)
    finish()


if __name__ == "__main__":
    main()
