#!/usr/bin/python3
"""leat pipeline: pipelines in a server, over real events, through kill -9, replay and promotion.

Whoever reads the sinks' topics (kcat, with read_committed) sees each result once, and what they say
is what was computed by other means.
"""

import collections
import csv
import json
import random
import struct
import threading
import time
import urllib.error
import urllib.request

import harness
from harness import ROOT, Server, check, edits, finish, leat, run, scratch, wait_for

PLANS = ROOT / "tests" / "plans"
ANSWER = ROOT / "tests" / "data" / "wikipedia-tumble-5m.csv"
NAME = "wikipedia-tumble-5m"
# Event time behind all of the day: it closes the day's windows, and its own stays open.
CLOSING = json.dumps({"time": "2015-09-13T12:00:00Z", "channel": "end", "added": 0}).encode()


class Shell:
    """leat, told once where the server is."""

    def __init__(self, server):
        self.server = server

    def __call__(self, *arguments, **options):
        env = {"LEAT_BROKERS": self.server.kafka, "LEAT_HTTP": self.server.http}
        return leat(*arguments, env=env, **options)

    def pipeline(self, *arguments, **options):
        return self("pipeline", *arguments, **options)

    def json(self, *arguments):
        told = self.pipeline(*arguments, "--format", "json")
        return json.loads(told.stdout) if told.returncode == 0 else {}

    def state(self, name):
        return self.json("show", name).get("state")

    def rows(self, topic):
        """What a foreign reader of committed records finds."""
        got = run("kcat", "-b", self.server.kafka, "-C", "-t", topic, "-e", "-q", "-o", "beginning",
                  "-X", "isolation.level=read_committed")
        return [json.loads(line) for line in got.stdout.splitlines()]

    def produce(self, topic, lines, *arguments):
        sent = self("produce", topic, *arguments, stdin=b"\n".join(lines) + b"\n")
        if sent.returncode != 0:
            raise RuntimeError(sent.stderr)


def answer_rows():
    with open(ANSWER, encoding="utf-8") as file:
        return sorted(list(csv.reader(file))[1:])


def as_answer(rows):
    return sorted([row["window_start"].replace(".000Z", "Z"),
                   row["window_end"].replace(".000Z", "Z"), row["channel"], str(row["edits"]),
                   str(row["added"])] for row in rows)


def plan(change=lambda plan: None):
    """The plan of the tour, changed."""
    made = json.loads((PLANS / f"{NAME}.plan.json").read_text())
    change(made)
    return made


def write_plan(folder, made):
    path = folder / "changed.plan.json"
    path.write_text(json.dumps(made))
    return path


def request(server, method, path, body=None, headers=None):
    """Status and JSON of an answer."""
    asked = urllib.request.Request(f"http://{server.http}{path}", method=method, data=body,
                                   headers=headers or {})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def produce_day(shell, topic, partitions, server=None, seed=0):
    """All edits of the day, with a kill -9 in between now and then, and what closes it."""
    lines = edits()
    chance = random.Random(seed)
    begin = 0
    while begin < len(lines):
        end = min(len(lines), begin + chance.randint(3000, 9000))
        shell.produce(topic, lines[begin:end], "-k", "channel")
        begin = end
        if server:
            time.sleep(chance.uniform(0, 0.3))
            server.kill()
            server.start()
    for partition in range(partitions):
        shell.produce(topic, [CLOSING], "-p", str(partition))


def check_kills(folder):
    """Deployed once, and killed again and again: the answer, exactly."""
    seed = random.randrange(1_000_000)
    with Server(folder / "kills") as server:
        shell = Shell(server)
        shell("topic", "create", "edits", "-p", "3")
        deployed = shell.pipeline("deploy", PLANS / f"{NAME}.plan.json")
        check(deployed.returncode == 0 and b"version 1 is live" in deployed.stdout,
              "leat pipeline deploy", deployed.stderr)
        again = shell.pipeline("deploy", PLANS / f"{NAME}.plan.json")
        check(again.returncode == 0 and b"no change" in again.stdout,
              "the same plan again is no change", again.stdout + again.stderr)
        produce_day(shell, "edits", 3, server, seed)
        wanted = answer_rows()
        wait_for(lambda: len(shell.rows("edits-per-channel")) >= len(wanted), 60)
        got = as_answer(shell.rows("edits-per-channel"))
        check(got == wanted, f"{len(wanted)} results, each once, through kill -9 (seed {seed})",
              f"{len(got)} rows; {shell.pipeline('why', NAME).stdout}\n{server.stderr()}")
        check_looking(shell, server)
        check_pause(shell, server)
        check_drop(shell)


def check_looking(shell, server):
    listed = shell.pipeline("list")
    check(listed.returncode == 0 and NAME.encode() in listed.stdout and
          b"running" in listed.stdout, "leat pipeline list", listed.stdout + listed.stderr)
    shown = shell.pipeline("show", NAME)
    check(shown.returncode == 0 and b"reads    edits\n" in shown.stdout and
          b"writes   edits-per-channel\n" in shown.stdout and b"PARTITION" in shown.stdout,
          "leat pipeline show", shown.stdout + shown.stderr)
    status = shell.json("show", NAME)
    check(status.get("lag_records") == 0 and status.get("late") == 0 and
          status.get("rows_out") == len(answer_rows()) and
          len(status["versions"][0]["partitions"]) == 3, "show --format json has the figures",
          status)
    why = shell.pipeline("why", NAME)
    check(why.returncode == 0 and why.stdout.strip().endswith(b"."), "leat pipeline why",
          why.stdout + why.stderr)
    metrics = server.metrics()
    label = f'{{pipeline="{NAME}",version="1"}}'
    check(f"leat_pipeline_rows_out_total{label} {len(answer_rows())}\n" in metrics and
          f"leat_pipeline_lag_records{label} 0\n" in metrics, "/metrics has them too",
          "\n".join(line for line in metrics.splitlines() if "leat_pipeline" in line))
    missing = shell.pipeline("show", "nothing")
    check(missing.returncode == 1 and b"there is no pipeline nothing" in missing.stderr,
          "one that is not there is an error", missing.stderr)
    nobody = leat("pipeline", "list", "--http", "127.0.0.1:1")
    check(nobody.returncode == 1 and b"--http" in nobody.stderr,
          "where nobody answers, it says what says where", nobody.stderr)


def check_pause(shell, server):
    paused = shell.pipeline("pause", NAME)
    check(paused.returncode == 0 and shell.state(NAME) == "paused", "leat pipeline pause",
          paused.stderr)
    server.stop()
    server.start()
    later = json.dumps({"time": "2015-09-14T12:00:00Z", "channel": "end", "added": 0}).encode()
    for partition in range(3):
        shell.produce("edits", [later], "-p", str(partition))
    time.sleep(0.5)
    before = len(shell.rows("edits-per-channel"))
    check(shell.state(NAME) == "paused" and before == len(answer_rows()),
          "it stands still across a restart")
    resumed = shell.pipeline("resume", NAME)
    check(resumed.returncode == 0 and
          wait_for(lambda: len(shell.rows("edits-per-channel")) == before + 1),
          "leat pipeline resume: it goes on where it was", resumed.stderr)


def check_drop(shell):
    rows = len(shell.rows("edits-per-channel"))
    dropped = shell.pipeline("drop", NAME)
    check(dropped.returncode == 0 and b"edits-per-channel" in dropped.stdout and
          len(shell.rows("edits-per-channel")) == rows and
          NAME.encode() not in shell.pipeline("list").stdout,
          "leat pipeline drop: what it wrote stays", dropped.stdout + dropped.stderr)


def check_failing(folder):
    """A record that is none: it is tried again, says why, and another version takes over there."""
    with Server(folder / "failing") as server:
        shell = Shell(server)
        shell("topic", "create", "edits", "-p", "1")
        shell.pipeline("deploy", PLANS / f"{NAME}.plan.json")
        lines = edits()
        shell.produce("edits", lines[:5000] + [b"this is no JSON"] + lines[5000:10_000] + [CLOSING])
        check(wait_for(lambda: shell.state(NAME) == "failed", 30), "it gives up after the second "
              "failure at the same place", shell.state(NAME))
        why = shell.pipeline("why", NAME).stdout
        check(b"It has failed twice" in why and b"record 5000 of partition 0" in why and b"resume" in why,
              "and says where and why, and what to do", why)
        live = shell.json("show", NAME)["versions"][0]
        check(live["failures"] == 2 and live["restarts"] == 1 and live["next_try"] is None,
              "show has the count", live)

        def skip(made):
            made["nodes"][0]["bad_records"] = {"policy": "skip"}
        deployed = shell.pipeline("deploy", write_plan(folder, plan(skip)))
        check(deployed.returncode == 0 and b"version 2" in deployed.stdout and
              b"not at work" in deployed.stdout, "a changed plan is a version that does not run",
              deployed.stdout + deployed.stderr)
        promoted = shell.pipeline("promote", NAME, "2")
        check(promoted.returncode == 0, "which takes over where the first one stands",
              promoted.stderr)
        wait_for(lambda: shell.json("show", NAME).get("lag_records") == 0)
        rows = shell.rows("edits-per-channel")
        total = sum(row["edits"] for row in rows)
        seen = collections.Counter((row["window_start"], row["channel"]) for row in rows)
        check(total == 10_000 and max(seen.values()) == 1,
              "10000 edits are counted, each window and channel once", f"{total} {server.stderr()}")


def check_missing_source(folder):
    with Server(folder / "missing") as server:
        shell = Shell(server)
        shell.pipeline("deploy", PLANS / f"{NAME}.plan.json")
        check(wait_for(lambda: shell.state(NAME) == "failing"),
              "a source that is not there yet is waited for", shell.state(NAME))
        why = shell.pipeline("why", NAME).stdout
        check(b"edits" in why and b"tried again in" in why, "and named", why)
        shell("topic", "create", "edits")
        check(wait_for(lambda: shell.state(NAME) == "running", 70), "until it is there")


class Reader:
    """Reads a topic all the time, as committed, and counts what it sees."""

    def __init__(self, shell, topic):
        self.shell = shell
        self.topic = topic
        self.seen = collections.Counter()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.read)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def read(self):
        next_offsets = collections.Counter()
        while not self.stop.is_set():
            got = run("kcat", "-b", self.shell.server.kafka, "-C", "-t", self.topic, "-e", "-q",
                      "-o", "beginning", "-f", "%p %o %s\n", "-X",
                      "isolation.level=read_committed")
            for line in got.stdout.splitlines():
                partition, offset, value = line.split(b" ", 2)
                if int(offset) < next_offsets[partition]:
                    continue
                next_offsets[partition] = int(offset) + 1
                row = json.loads(value)
                self.seen[(row["window_start"], row["channel"])] += 1
            time.sleep(0.1)


def check_replays(folder):
    with Server(folder / "replays") as server:
        shell = Shell(server)
        shell("topic", "create", "edits", "-p", "3")
        shell.pipeline("deploy", PLANS / f"{NAME}.plan.json")
        lines = edits()
        half = len(lines) // 2
        shell.produce("edits", lines[:half], "-k", "channel")
        with Reader(shell, "edits-per-channel") as reader:
            check_exact(shell, server)
            check_changed(folder, shell, lines, half)
            for partition in range(3):
                shell.produce("edits", [CLOSING], "-p", str(partition))
            wanted = len(answer_rows())
            wait_for(lambda: len(reader.seen) >= wanted, 60)
        check(as_answer(shell.rows("edits-per-channel")) == answer_rows(),
              f"all {wanted} results, whoever was live", shell.pipeline("show", NAME).stdout)
        check(len(reader.seen) == wanted and max(reader.seen.values()) == 1,
              "and a reader beside it saw each once")
        dropped = shell.pipeline("drop", NAME, "--topics")
        topics = shell("topic", "list").stdout
        check(dropped.returncode == 0 and b"edits-per-channel" in topics and
              b"edits-per-channel.v2" not in topics, "drop --topics: the shadows' topics go",
              dropped.stderr + topics)


def check_exact(shell, server):
    wait_for(lambda: shell.json("show", NAME).get("lag_records") == 0)
    replayed = shell.pipeline("replay", NAME, "--diff", timeout=120)
    check(replayed.returncode == 0 and b"diff 0: record for record the same" in replayed.stdout and
          b"repeats what version 1 did" in replayed.stderr,
          "a replay of the same plan repeats it: diff 0", replayed.stdout + replayed.stderr)
    shadow = shell.rows("edits-per-channel.v2")
    check(sorted(map(str, shadow)) == sorted(map(str, shell.rows("edits-per-channel"))),
          f"{len(shadow)} results in the topic of version 2")
    server.kill()
    server.start()
    check(wait_for(lambda: shell.json("show", NAME).get("state") == "running"),
          "both go on after a kill -9", shell.pipeline("show", NAME).stdout)


def check_changed(folder, shell, lines, half):
    """Another rule with the same results, so that whoever is live gives the answer."""
    def rule(made):
        made["nodes"].insert(1, {
            "name": "counted", "type": "filter", "input": "edits",
            "condition": {"call": ">=", "arguments": [{"column": "added"}, {"bigint": 0}]}})
        made["nodes"][2]["input"] = "counted"
    deployed = shell.pipeline("deploy", write_plan(folder, plan(rule)))
    check(deployed.returncode == 0 and b"version 3" in deployed.stdout, "another rule is version 3",
          deployed.stdout + deployed.stderr)
    replayed = shell.pipeline("replay", NAME, "--diff", "--promote", timeout=120)
    check(replayed.returncode == 0 and b"version 3 is live" in replayed.stdout and
          b"diff 0" in replayed.stdout, "replay --diff --promote: version 3 is live",
          replayed.stdout + replayed.stderr)
    third = half + (len(lines) - half) // 2
    shell.produce("edits", lines[half:third], "-k", "channel")
    back = shell.pipeline("promote", NAME, "1", timeout=120)
    check(back.returncode == 0 and b"version 1 of" in back.stdout, "and back to version 1",
          back.stdout + back.stderr)
    shell.produce("edits", lines[third:], "-k", "channel")
    roles = {version["version"]: version["role"]
             for version in shell.json("show", NAME)["versions"]}
    check(roles == {1: "live", 2: "shadow", 3: "retired"}, "show has their roles", roles)


def delete_records(server, topic, offset):
    """Deletes what partition 0 has before `offset`, as retention does. Gives the error's code."""
    body = struct.pack(">i", 1) + struct.pack(">h", len(topic)) + topic.encode()
    body += struct.pack(">i", 1) + struct.pack(">iq", 0, offset) + struct.pack(">i", 30_000)
    with server.connect() as connection:
        connection.sendall(harness.request(21, 1, 7, body))
        answer = harness.read_frame(connection)
    return struct.unpack(">h", answer[-2:])[0]


def halt(shell, more, change):
    """A live version that has read 10000 edits, is paused, and cannot go on when it is resumed."""
    shell("topic", "create", "edits", "-p", "1")
    shell.pipeline("deploy", PLANS / f"{NAME}.plan.json")
    shell.produce("edits", edits()[:10_000])
    wait_for(lambda: shell.json("show", NAME).get("rows_in") == 10_000)
    shell.pipeline("pause", NAME)
    change()
    shell.produce("edits", more)
    shell.pipeline("resume", NAME)
    return wait_for(lambda: shell.state(NAME) == "failed", 30)


def check_deleted(folder):
    """Retention was faster: the documented way out is a way out."""
    lines = edits()
    with Server(folder / "deleted") as server:
        shell = Shell(server)

        def delete():
            shell.produce("edits", lines[10_000:15_000])
            check(delete_records(server, "edits", 12_000) == 0, "12000 records are deleted")
        check(halt(shell, lines[15_000:16_000], delete), "a version whose input was deleted halts",
              shell.state(NAME))
        why = shell.pipeline("why", NAME).stdout
        check(b"was deleted" in why and b"replay" in why and b"--from start --promote" in why,
              "and says what was, and the way out", why)
        before = len(shell.rows("edits-per-channel"))
        replayed = shell.pipeline("replay", NAME, "--from", "start", "--promote", timeout=120)
        told = replayed.stderr + replayed.stdout
        check(replayed.returncode == 0 and b"version 2 is live" in replayed.stdout,
              "which it is: version 2 is live", told + shell.pipeline("why", NAME).stdout)
        check(b"version 2 reads anew from start" in told and
              b"cannot be repeated, because partition 0 of edits begins at 12000" in told,
              "it says that it reads anew, and why", told)
        shell.produce("edits", [CLOSING])
        check(wait_for(lambda: shell.json("show", NAME).get("lag_records") == 0 and
                       shell.state(NAME) == "running"), "and goes on")
        rows = shell.rows("edits-per-channel")[before:]
        check(wait_for(lambda: sum(row["edits"] for row in
                                   shell.rows("edits-per-channel")[before:]) == 4000),
              "with what is there: 4000 edits", sum(row["edits"] for row in rows))
        roles = {version["version"]: version["role"]
                 for version in shell.json("show", NAME)["versions"]}
        check(roles == {1: "retired", 2: "live"}, "version 1 is retired", roles)
        refused = shell.pipeline("drop", NAME, "--version", "2")
        check(refused.returncode == 1 and b"is live" in refused.stderr,
              "drop --version: not the live one", refused.stderr)
        dropped = shell.pipeline("drop", NAME, "--version", "1", "--topics")
        left = [version["version"] for version in shell.json("show", NAME)["versions"]]
        check(dropped.returncode == 0 and left == [2], "but the other one, before its day is over",
              dropped.stdout + dropped.stderr)
        status, told = request(server, "DELETE", f"/v1/pipelines/{NAME}/versions?version=1")
        check(status == 404 and "has no version 1" in told["error"], "over HTTP too", told)


def check_made_anew(folder):
    lines = edits()
    with Server(folder / "anew") as server:
        shell = Shell(server)

        def make_anew():
            shell("topic", "delete", "edits")
            shell("topic", "create", "edits", "-p", "1")
        check(halt(shell, lines[10_000:13_000], make_anew),
              "a version whose topic was made anew halts", shell.pipeline("why", NAME).stdout)

        def skip(made):
            made["nodes"][0]["bad_records"] = {"policy": "skip"}
        shell.pipeline("deploy", write_plan(folder, plan(skip)))
        before = len(shell.rows("edits-per-channel"))
        promoted = shell.pipeline("promote", NAME, "2", "--no-wait")
        check(promoted.returncode == 0 and b"version 2 of" in promoted.stdout and
              b"edits was made anew" in promoted.stdout,
              "another version takes over, and says what it reads", promoted.stdout +
              promoted.stderr)
        shell.produce("edits", [CLOSING])
        check(wait_for(lambda: sum(row["edits"] for row in
                                   shell.rows("edits-per-channel")[before:]) == 3000),
              "all 3000 edits of the new topic", server.stderr())


def check_stops(folder):
    """A server that stops while it promotes ends soon, and what was promoted is whole or not at all."""
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    lines = edits()[:20_000]
    with Server(folder / "stops") as server:
        shell = Shell(server)
        shell("topic", "create", "edits", "-p", "1")
        shell.pipeline("deploy", PLANS / f"{NAME}.plan.json")
        shell.produce("edits", lines)
        wait_for(lambda: shell.json("show", NAME).get("rows_in") == len(lines))

        def skip(made):
            made["nodes"][0]["bad_records"] = {"policy": "skip"}
        shell.pipeline("deploy", write_plan(folder, plan(skip)))
        shell.pipeline("pause", NAME)
        codes = []
        for stop in range(8):
            if stop % 2:
                server.stop()
                server.start()
            other = 3 - shell.json("show", NAME)["version"]
            asking = threading.Thread(
                target=lambda: shell.pipeline("promote", NAME, str(other), "--no-wait"))
            asking.start()
            time.sleep(chance.uniform(0, 0.12))
            codes.append(server.stop())
            asking.join()
            server.start()
        check(codes == [0] * 8, f"a server that stops while it promotes ends in order (seed {seed})",
              f"{codes} {server.stderr()}")
        shell.pipeline("resume", NAME)
        shell.produce("edits", [CLOSING])
        check(wait_for(lambda: shell.json("show", NAME).get("lag_records") == 0 and
                       shell.state(NAME) == "running", 60), "and goes on",
              shell.pipeline("why", NAME).stdout)
        rows = shell.rows("edits-per-channel")
        seen = collections.Counter((row["window_start"], row["channel"]) for row in rows)
        check(sum(row["edits"] for row in rows) == len(lines) and max(seen.values()) == 1,
              f"{len(lines)} edits are counted, each window and channel once",
              sum(row["edits"] for row in rows))


def check_batch(folder):
    def nightly(made):
        made["name"] = "nightly"
        made["mode"] = {"type": "batch", "schedule": "0 2 * * *"}
    with Server(folder / "batch") as server:
        shell = Shell(server)
        shell("topic", "create", "edits", "-p", "3")
        shell.produce("edits", edits(), "-k", "channel")
        deployed = shell.pipeline("deploy", write_plan(folder, plan(nightly)))
        check(deployed.returncode == 0 and b"at 0 2 * * *, UTC" in deployed.stdout,
              "a batch with a schedule is deployed", deployed.stdout + deployed.stderr)
        next_run = shell.json("show", "nightly")["versions"][0]["next_run"]
        check("T02:00:00Z" in (next_run or ""), "show has its next run", next_run)
        ran = shell.pipeline("run", "nightly")
        wait_for(lambda: shell.state("nightly") == "waiting", 60)
        check(ran.returncode == 0 and as_answer(shell.rows("edits-per-channel")) == answer_rows(),
              "leat pipeline run: the whole answer, now", ran.stderr)


def check_http(folder):
    with Server(folder / "http") as server:
        shell = Shell(server)
        shell("topic", "create", "edits")
        body = (PLANS / f"{NAME}.plan.json").read_bytes()
        is_json = {"Content-Type": "application/json"}
        path = f"/v1/pipelines/{NAME}"
        check(request(server, "POST", "/v1/pipelines", body)[0] == 415,
              "a POST that says nothing of JSON is refused")
        check(request(server, "POST", "/v1/pipelines", body,
                      {**is_json, "Origin": "http://evil.example"})[0] == 403,
              "so is one of a page of another site")
        status, made = request(server, "POST", "/v1/pipelines", body, is_json)
        check(status == 200 and made["pipeline"]["name"] == NAME, "POST /v1/pipelines", made)
        broken = body.replace(b'"keys": ["channel"]', b'"keys": ["chanel"]')
        status, told = request(server, "POST", "/v1/pipelines", broken, is_json)
        check(status == 400 and "column 'chanel' is not there" in told["error"],
              "a plan that does not fit is 400, with the place", told)
        check(request(server, "GET", "/v1/pipelines/none")[0] == 404, "one that is not there is 404")
        check(request(server, "POST", path + "/run", b"", is_json)[0] == 409,
              "what makes no sense is 409")
        status, told = request(server, "POST", path + "/replay", b'{"form": "start"}', is_json)
        check(status == 400 and "'form' is not taken here; there are: from, to" in told["error"],
              "a word too many is named", told)
        check(request(server, "PUT", path)[0] == 405 and
              request(server, "DELETE", path + "/why")[0] == 405, "other methods are 405")
        status, told = request(server, "GET", path + "/versions")
        check(status == 200 and told["versions"][0]["plan"]["name"] == NAME,
              "GET .../versions has the plans", told)
        check(request(server, "DELETE", path)[0] == 200 and
              request(server, "GET", path)[0] == 404, "DELETE drops it")


def main():
    with scratch() as folder:
        check_http(folder)
        check_kills(folder)
        check_missing_source(folder)
        check_failing(folder)
        check_deleted(folder)
        check_made_anew(folder)
        check_stops(folder)
        check_batch(folder)
        check_replays(folder)
    finish()


if __name__ == "__main__":
    main()
