#!/usr/bin/python3
"""Consumer groups of kcat (librdkafka) and kafka-python: balanced, killed, reset, administered."""

import json
import os
import signal
import subprocess

from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import CommitFailedError, KafkaError, NoError, NonEmptyGroupError

from harness import LEAT, Server, check, finish, leat, run, scratch, wait_for

PARTITIONS = 4
COUNT = 2000


class Kcat:
    """A member of a group that writes what it reads into a file."""

    def __init__(self, server, group, path, *arguments):
        self.path = path
        self.errors = path.with_suffix(".err")
        with open(path, "wb") as out, open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                ["kcat", "-b", server.kafka, "-G", group, "-u", "-X", "session.timeout.ms=6000",
                 "-X", "heartbeat.interval.ms=500", "-X", "auto.offset.reset=earliest",
                 "-X", "auto.commit.interval.ms=200", *arguments, "balanced"],
                stdout=out, stderr=errors, stdin=subprocess.DEVNULL)

    def lines(self):
        return self.path.read_bytes().splitlines()

    def assigned(self):
        """The partitions of its last assignment."""
        text = self.errors.read_text(errors="replace")
        last = [line for line in text.splitlines() if "rebalanced" in line][-1:]
        return last[0].count("balanced [") if last and "assigned" in last[0] else 0

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)


class LeatMember:
    """The same of leat consume -g."""

    def __init__(self, server, group, path):
        self.path = path
        with open(path, "wb") as out:
            self.process = subprocess.Popen(
                [LEAT, "consume", "balanced", "-g", group, "-b", server.kafka], stdout=out)

    lines = Kcat.lines
    end = Kcat.end


def produce(server, first, count):
    producer = KafkaProducer(bootstrap_servers=server.kafka, acks="all")
    for i in range(first, first + count):
        producer.send("balanced", value=b"%d" % i, partition=i % PARTITIONS)
    producer.flush()
    producer.close()


def numbers(*members):
    return sorted({int(line) for member in members for line in member.lines()})


def committed(server, group):
    """Offsets of the group, summed up over the partitions."""
    admin = KafkaAdminClient(bootstrap_servers=server.kafka)
    offsets = admin.list_consumer_group_offsets(group)
    admin.close()
    return sum(offset.offset for offset in offsets.values())


def check_balance(server, folder):
    leat("topic", "create", "balanced", "-p", str(PARTITIONS), "-b", server.kafka)
    produce(server, 0, COUNT)
    first = Kcat(server, "balance", folder / "first")
    check(wait_for(lambda: first.assigned() == PARTITIONS), "one kcat -G gets all partitions",
          first.errors.read_text())
    second = Kcat(server, "balance", folder / "second")
    shared = wait_for(lambda: first.assigned() == second.assigned() == PARTITIONS // 2)
    check(shared, "two of them share the partitions", second.errors.read_text())
    produce(server, COUNT, COUNT)
    check(wait_for(lambda: numbers(first, second) == list(range(2 * COUNT))),
          "together they read everything", len(numbers(first, second)))
    check(wait_for(lambda: committed(server, "balance") == 2 * COUNT), "they commit how far they are")
    first.end(signal.SIGKILL)
    check(wait_for(lambda: second.assigned() == PARTITIONS),
          "when one is killed, the other one takes over", second.errors.read_text())
    produce(server, 2 * COUNT, COUNT)
    check(wait_for(lambda: numbers(first, second) == list(range(3 * COUNT))),
          "and reads what comes", len(numbers(first, second)))
    check(wait_for(lambda: committed(server, "balance") == 3 * COUNT), "and commits it")

    server.kill()
    # kcat gives up when it loses its only broker.
    second.process.wait(20)
    server.start()
    produce(server, 3 * COUNT, COUNT)
    third = Kcat(server, "balance", folder / "third")
    check(wait_for(lambda: numbers(third) == list(range(3 * COUNT, 4 * COUNT))),
          "after a kill -9 of the server a member goes on where they were", len(numbers(third)))
    check(wait_for(lambda: committed(server, "balance") == 4 * COUNT), "and commits as before")
    third.end()


def check_cooperative(server, folder):
    option = ("-X", "partition.assignment.strategy=cooperative-sticky")
    first = Kcat(server, "cooperative", folder / "c1", *option)
    wait_for(lambda: len(first.lines()) == 4 * COUNT)
    second = Kcat(server, "cooperative", folder / "c2", *option)
    admin = KafkaAdminClient(bootstrap_servers=server.kafka)

    def members():
        group = admin.describe_consumer_groups(["cooperative"])[0]
        return len(group.members) if group.state == "Stable" else 0

    check(wait_for(lambda: members() == 2), "members rebalance cooperatively")
    second_got = wait_for(lambda: "assignment of 2" in second.errors.read_text())
    produce(server, 4 * COUNT, COUNT)
    check(second_got and wait_for(lambda: numbers(first, second) == list(range(5 * COUNT))),
          "and read everything", second.errors.read_text())
    first.end()
    second.end()
    admin.close()


def check_mixed(server, folder, *options):
    """Members of two libraries in a group, either of which leads first."""
    total = 5 * COUNT
    for kcat_leads in (True, False):
        group = "mixed-" + ("kcat" if kcat_leads else "leat")

        def kcat():
            return Kcat(server, group, folder / (group + ".kcat"), *options)

        def member():
            return LeatMember(server, group, folder / (group + ".leat"))

        first = kcat() if kcat_leads else member()
        wait_for(lambda: len(first.lines()) == total)
        second = member() if kcat_leads else kcat()
        ours, theirs = (second, first) if kcat_leads else (first, second)
        admin = KafkaAdminClient(bootstrap_servers=server.kafka)

        def shares():
            described = admin.describe_consumer_groups([group])[0]
            return described.state == "Stable" and sorted(
                sum(len(partitions) for _, partitions in member.member_assignment.assignment)
                for member in described.members)

        check(wait_for(lambda: shares() == [PARTITIONS // 2] * 2),
              "leat and kcat share partitions, the first one leads: " + group, shares())
        produce(server, total, COUNT)
        total += COUNT
        check(wait_for(lambda: numbers(ours, theirs) == list(range(total))) and
              len(ours.lines()) + len(theirs.lines()) == total, "together they read all once",
              (len(ours.lines()), len(theirs.lines()), len(numbers(ours, theirs)), total))
        first.end()
        check(wait_for(lambda: shares() == [PARTITIONS]), "the other one takes over", shares())
        produce(server, total, COUNT)
        total += COUNT
        check(wait_for(lambda: len(ours.lines()) + len(theirs.lines()) == total and
                       numbers(ours, theirs) == list(range(total))), "where the first one was",
              (len(ours.lines()), len(theirs.lines()), len(numbers(ours, theirs)), total))
        second.end()
        admin.close()


def check_kafka_python(server):
    def consumer(**options):
        return KafkaConsumer("balanced", group_id="python", bootstrap_servers=server.kafka,
                             auto_offset_reset="earliest", enable_auto_commit=False,
                             consumer_timeout_ms=2000, **options)

    reader = consumer()
    check(sum(1 for _ in reader) == 5 * COUNT, "kafka-python reads as a member of a group")
    reader.commit()
    partition = TopicPartition("balanced", 0)
    reader.commit({partition: OffsetAndMetadata(7, "n\u00f6te")})
    check(reader.committed(partition, metadata=True) == OffsetAndMetadata(7, "n\u00f6te"),
          "offset and metadata come back")
    try:
        reader.commit({partition: OffsetAndMetadata(8, "x" * 4097)})
        check(False, "metadata of 4,097 bytes are refused")
    except KafkaError as error:
        check("OffsetMetadataTooLarge" in type(error).__name__,
              "metadata of 4,097 bytes are refused", repr(error))

    admin = KafkaAdminClient(bootstrap_servers=server.kafka)
    check(("python", "consumer") in admin.list_consumer_groups(), "the group is listed")
    group = admin.describe_consumer_groups(["python"])[0]
    assigned = group.members[0].member_assignment.assignment
    check(group.state == "Stable" and group.protocol == "range" and
          assigned == [("balanced", list(range(PARTITIONS)))] and
          group.members[0].client_host == "/127.0.0.1", "and described, with what its member does",
          group)
    check(admin.delete_consumer_groups(["python"]) == [("python", NonEmptyGroupError)],
          "it cannot be deleted while it has members")

    outsider = KafkaConsumer(group_id="python", bootstrap_servers=server.kafka,
                             enable_auto_commit=False)
    outsider.assign([partition])
    try:
        outsider.commit({partition: OffsetAndMetadata(0, "")})
        check(False, "nobody else commits while it has members")
    except (CommitFailedError, KafkaError) as error:
        check(True, "nobody else commits while it has members", repr(error))
    reader.close()
    outsider.commit({partition: OffsetAndMetadata(COUNT // 2, "")})
    outsider.close()
    again = consumer()
    got = [int(record.value) for record in again]
    again.close()
    left = 5 * COUNT // PARTITIONS - COUNT // 2
    check(len(got) == left and all(i % PARTITIONS == 0 for i in got),
          "once it is empty its offsets are reset, and it reads again from there", len(got))

    admin.close()
    server.kill()
    server.start()
    admin = KafkaAdminClient(bootstrap_servers=server.kafka)
    offsets = admin.list_consumer_group_offsets("python")
    check(offsets[partition].offset == COUNT // 2 and len(offsets) == PARTITIONS,
          "its offsets outlive a kill -9", offsets)
    check(admin.delete_consumer_groups(["python"]) == [("python", NoError)] and
          ("python", "consumer") not in admin.list_consumer_groups(), "it is deleted")
    admin.close()


def check_command_line(server, folder):
    def group(*arguments):
        return leat("group", *arguments, "-b", server.kafka)

    def consume(*arguments):
        return leat("consume", "balanced", "-g", "audit", "-b", server.kafka, *arguments)

    def rows(done):
        return [line.split() for line in done.stdout.decode().splitlines()
                if line.startswith("balanced")]

    total = 5 * COUNT
    check(len(consume("-n", "2500").stdout.splitlines()) == 2500, "leat consume -g reads some")
    lags = json.loads(group("describe", "audit", "--format", "json").stdout)["partitions"]
    check(sum(row["committed"] for row in lags) == 2500, "and commits what it has printed", lags)
    check(len(consume("-e").stdout.splitlines()) == total - 2500, "then the rest")
    described = group("describe", "audit")
    check([row[4] for row in rows(described)] == ["0"] * PARTITIONS, "leat group describe: no lag",
          described.stdout)
    listed = group("list").stdout.decode()
    check("audit  " in listed and "Empty" in listed, "leat group list", listed)

    plan = group("seek", "audit", "--to", "-10")
    check(len(rows(plan)) == PARTITIONS and b"--yes" in plan.stderr and
          consume("-e").stdout == b"", "leat group seek without --yes only tells", plan.stderr)
    done = group("seek", "audit", "--to", "-10", "--yes")
    check(done.returncode == 0 and len(consume("-e").stdout.splitlines()) == 10 * PARTITIONS,
          "with it, the group reads again from there", done.stderr)
    check(group("seek", "audit").returncode == 2, "without a position it is a usage error")

    with open(folder / "member", "wb") as out:
        member = subprocess.Popen([LEAT, "consume", "balanced", "-g", "audit", "-b", server.kafka],
                                  stdout=out)
        wait_for(lambda: b"Stable" in group("describe", "audit").stdout)
        refused = group("seek", "audit", "--to", "start", "--yes")
        check(refused.returncode == 1 and b"1 member" in refused.stderr,
              "a group with members is not moved", refused.stderr)
        check(group("delete", "audit").returncode == 1, "nor deleted")
        produce(server, total, 40)
        check(wait_for(lambda: (folder / "member").read_bytes().count(b"\n") == 40),
              "its member prints what comes")
        member.send_signal(signal.SIGINT)
        check(member.wait(10) == 0, "Ctrl-C ends it")
    lags = json.loads(group("describe", "audit", "--format", "json").stdout)
    check(lags["state"] == "Empty" and not any(row["lag"] for row in lags["partitions"]),
          "it has committed and left", lags)
    check(group("delete", "audit").returncode == 0 and group("describe", "audit").returncode == 1,
          "leat group delete")
    completed = run(LEAT, "complete", "--", "group", "describe", "-b", server.kafka, "bal")
    check(completed.stdout == b"balance\n", "groups complete by name", completed.stdout)


def check_internal_topic(server):
    raw = run("kcat", "-b", server.kafka, "-C", "-t", "__consumer_offsets", "-e", "-q", "-o",
              "beginning", "-f", "%K\n")
    check(raw.returncode == 0 and len(raw.stdout.splitlines()) > 10,
          "what groups remember can be read as a topic", raw.stderr)
    refused = run("kcat", "-b", server.kafka, "-P", "-t", "__consumer_offsets", stdin=b"x\n")
    check(b"Invalid topic" in refused.stderr, "and not be written by clients", refused.stderr)


def check_metrics(server):
    text = server.metrics()
    want = f'kafka_consumergroup_lag{{consumergroup="balance",topic="balanced",partition="0"}} ' \
           f'{COUNT // PARTITIONS}\n'
    check(want in text, "/metrics tells each group's lag",
          [line for line in text.splitlines() if "consumergroup" in line])
    check('kafka_consumergroup_members{consumergroup="balance"} 0\n' in text, "and its members")


def main():
    os.environ["PYTHONWARNINGS"] = "ignore"
    with scratch() as folder, Server(folder / "data") as server:
        check_balance(server, folder)
        check_cooperative(server, folder)
        check_metrics(server)
        check_kafka_python(server)
        check_command_line(server, folder)
        check_internal_topic(server)
    with scratch() as folder, Server(folder / "data") as server:
        leat("topic", "create", "balanced", "-p", str(PARTITIONS), "-b", server.kafka)
        produce(server, 0, 5 * COUNT)
        check_mixed(server, folder)
    finish()


main()
