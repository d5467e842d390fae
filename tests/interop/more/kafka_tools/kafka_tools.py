#!/usr/bin/python3
"""Kafka's own command line tools, of a 4.x release: what each of them prints about the server."""

import json
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import jars

from harness import Server, check, finish, leat, scratch, wait_for

POM = pathlib.Path(__file__).resolve().parent / "pom.xml"
TOOLS = "org.apache.kafka.tools."
GROUPS = TOOLS + "consumer.group.ConsumerGroupCommand"
# A tool lives for a second or two: what starts quickly is better than what runs quickly.
JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error")


class Tools:
    """Runs the tools by their classes, against one server."""

    def __init__(self, path, server, folder):
        self.path = path
        self.server = server
        self.folder = folder

    def command(self, name, *arguments):
        return [*JAVA, "-cp", self.path, name, *(str(argument) for argument in arguments)]

    def run(self, name, *arguments, stdin=b"", address="--bootstrap-server"):
        """What the tool printed, both streams. Its exit code is in `code`."""
        done = subprocess.run(
            self.command(name, *([address, self.server.kafka] if address else []), *arguments),
            input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
        self.code = done.returncode
        return done.stdout.decode(errors="replace")

    def start(self, name, *arguments):
        """A tool that runs on; what it prints goes to a file."""
        path = self.folder / f"{name}-{len(list(self.folder.iterdir()))}"
        with open(path, "wb") as out:
            process = subprocess.Popen(self.command(name, *arguments), stdout=out,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        return process, path


def rows(text):
    """The columns of a table's lines."""
    return [line.split() for line in text.splitlines() if line.strip()]


def check_topics(tools):
    topics = TOOLS + "TopicCommand"
    made = tools.run(topics, "--create", "--topic", "orders", "--partitions", 3,
                     "--replication-factor", 1, "--config", "retention.ms=86400000")
    check("Created topic orders." in made, "kafka-topics --create", made)
    again = tools.run(topics, "--create", "--topic", "orders")
    check(tools.code != 0 and "already exists" in again, "… refuses a second one", again)
    altered = tools.run(topics, "--alter", "--topic", "orders", "--partitions", 4)
    check(tools.code == 0, "kafka-topics --alter", altered)
    described = tools.run(topics, "--describe", "--topic", "orders")
    check("PartitionCount: 4" in described and "retention.ms=86400000" in described and
          re.search(r"TopicId: [\w-]{22}\s", described) and
          len(re.findall(r"Leader: 1\s+Replicas: 1\s+Isr: 1", described)) == 4,
          "kafka-topics --describe", described)
    check(tools.run(topics, "--list").split() == ["orders"], "kafka-topics --list")
    lagging = tools.run(topics, "--describe", "--under-replicated-partitions")
    check(lagging.strip() == "" and tools.code == 0, "… no partition is under-replicated", lagging)


def check_console(tools):
    lines = "".join(f"key{i}\tvalue {i}\n" for i in range(40)).encode()
    sent = tools.run(TOOLS + "ConsoleProducer", "--topic", "orders", "--reader-property",
                     "parse.key=true", "--compression-codec", "zstd", stdin=lines)
    check(tools.code == 0 and sent.strip().strip(">") == "", "kafka-console-producer", sent)
    read = tools.run(TOOLS + "consumer.ConsoleConsumer", "--topic", "orders", "--from-beginning",
                     "--max-messages", 40, "--timeout-ms", 20000, "--formatter-property",
                     "print.key=true", "--formatter-property", "print.partition=true", "--group",
                     "console")
    got = sorted(line.split("\t", 1)[1] for line in read.splitlines() if "\tkey" in line)
    check(got == sorted(lines.decode().splitlines()) and "Processed a total of 40" in read,
          "kafka-console-consumer, as a group", read)


def check_groups(tools):
    listed = tools.run(GROUPS, "--list", "--state")
    check(["console", "Empty"] in rows(listed), "kafka-consumer-groups --list --state", listed)
    described = tools.run(GROUPS, "--describe", "--group", "console")
    table = [row for row in rows(described) if row[0] == "console"]
    check(len(table) == 4 and all(row[3] == row[4] and row[5] == "0" for row in table) and
          sum(int(row[3]) for row in table) == 40, "kafka-consumer-groups --describe", described)
    state = tools.run(GROUPS, "--describe", "--group", "console", "--state")
    check("Empty" in state, "… --state", state)

    def reset(*how):
        text = tools.run(GROUPS, "--reset-offsets", "--group", "console", "--topic", "orders", *how)
        return {int(row[2]): int(row[3]) for row in rows(text) if row[:2] == ["console", "orders"]}

    check(sum(reset("--shift-by", -5, "--dry-run").values()) == 20 and
          sum(reset("--to-current", "--dry-run").values()) == 40,
          "kafka-consumer-groups --reset-offsets --dry-run changes nothing")
    check(reset("--to-earliest", "--execute") == {p: 0 for p in range(4)}, "… --to-earliest")
    check(sum(reset("--to-datetime", "2100-01-01T00:00:00.000", "--execute").values()) == 40,
          "… --to-datetime")
    check(reset("--to-offset", 3, "--execute") == {p: 3 for p in range(4)}, "… --to-offset")
    read = tools.run(TOOLS + "consumer.ConsoleConsumer", "--topic", "orders", "--max-messages", 28,
                     "--timeout-ms", 20000, "--group", "console")
    check("Processed a total of 28" in read, "the group reads again from there", read)

    member, _ = tools.start(TOOLS + "consumer.ConsoleConsumer", "--bootstrap-server",
                            tools.server.kafka, "--topic", "orders", "--group", "console")
    seen = [""]

    def has_member():
        seen[0] = tools.run(GROUPS, "--describe", "--group", "console", "--members", "--verbose")
        return re.search(r"console-consumer\S* .*\s4\s.*orders\(0,1,2,3\)|"
                         r"console-consumer\S* .*\s4\s.*orders:0,1,2,3", seen[0])

    check(wait_for(has_member, 120), "… --members --verbose", seen[0])
    refused = tools.run(GROUPS, "--reset-offsets", "--group", "console", "--topic", "orders",
                        "--to-earliest", "--execute")
    check("can only be reset if the group" in refused, "… refuses while there is a member", refused)
    refused = tools.run(GROUPS, "--delete", "--group", "console")
    check("not empty" in refused, "… --delete refuses, too", refused)
    member.send_signal(signal.SIGTERM)
    member.wait(120)
    offsets = tools.run(GROUPS, "--delete-offsets", "--group", "console", "--topic", "orders:1")
    check("Successful" in offsets, "kafka-consumer-groups --delete-offsets", offsets)
    left = rows(tools.run(GROUPS, "--describe", "--group", "console", "--offsets"))
    check({row[2]: row[3] for row in left if row[0] == "console"}.get("1", "-") == "-",
          "… and no other", left)
    deleted = tools.run(GROUPS, "--delete", "--group", "console")
    check("was successful" in deleted, "kafka-consumer-groups --delete", deleted)
    kinds = tools.run(TOOLS + "GroupsCommand", "--list")
    check(tools.code == 0 and "console" not in kinds, "kafka-groups --list", kinds)


def check_configs(tools):
    def configs(*arguments):
        return tools.run("kafka.admin.ConfigCommand", "--entity-type", "topics", "--entity-name",
                         "orders", *arguments)

    altered = configs("--alter", "--add-config", "cleanup.policy=[compact,delete],segment.ms=60000")
    check("Completed updating config for topic orders." in altered, "kafka-configs --alter",
          altered)
    described = configs("--describe")
    check("cleanup.policy=compact,delete" in described and "segment.ms=60000" in described and
          "DEFAULT_CONFIG:log.cleanup.policy=delete" in described, "kafka-configs --describe",
          described)
    configs("--alter", "--delete-config", "cleanup.policy,segment.ms")
    described = configs("--describe")
    check("cleanup.policy" not in described and "retention.ms=86400000" in described,
          "kafka-configs --delete-config", described)
    everything = configs("--describe", "--all")
    check("max.message.bytes=1048588" in everything and "min.insync.replicas=1" in everything,
          "kafka-configs --describe --all", everything)
    wrong = configs("--alter", "--add-config", "retention.ms=soon")
    check(tools.code != 0 and "retention.ms" in wrong, "… refuses what is no value", wrong)
    broker = tools.run("kafka.admin.ConfigCommand", "--entity-type", "brokers", "--entity-name", 1,
                       "--describe", "--all")
    check("log.retention.ms" in broker or "num.partitions" in broker, "… of the broker", broker)


def check_offsets(tools):
    offsets = TOOLS + "GetOffsetShell"

    def ask(*arguments):
        text = tools.run(offsets, "--topic-partitions", "orders", *arguments)
        return sum(int(line.split(":")[2]) for line in text.split() if line.startswith("orders:"))

    check(ask() == 40 and ask("--time", "earliest") == 0, "kafka-get-offsets: latest, earliest")
    newest = tools.run(offsets, "--topic-partitions", "orders:0-4", "--time", "max-timestamp")
    check(len(newest.split()) == 4 and tools.code == 0, "… max-timestamp", newest)
    tiered = tools.run(offsets, "--topic-partitions", "orders:0", "--time", "earliest-local")
    check(tiered.split() == ["orders:0:0"], "… earliest-local", tiered)
    plan = tools.folder / "delete.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": "orders", "partition": 0, "offset": 2},
        {"topic": "orders", "partition": 1, "offset": -1}]}))
    deleted = tools.run(TOOLS + "DeleteRecordsCommand", "--offset-json-file", plan)
    check("partition: orders-0\tlow_watermark: 2" in deleted, "kafka-delete-records", deleted)
    first = tools.run(offsets, "--topic-partitions", "orders:0,orders:1", "--time", "earliest")
    ends = tools.run(offsets, "--topic-partitions", "orders:1")
    check(first.split() == ["orders:0:2", ends.strip()], "… -1 deletes all there is", first)


def check_broker(tools):
    directories = tools.run(TOOLS + "LogDirsCommand", "--describe", "--topic-list", "orders")
    found = json.loads(directories.splitlines()[-1])["brokers"][0]["logDirs"][0]
    check(found["error"] is None and len(found["partitions"]) == 4 and
          sum(p["size"] for p in found["partitions"]) > 0, "kafka-log-dirs", directories)
    versions = tools.run(TOOLS + "BrokerApiVersionsCommand")
    check(re.search(r"Produce\(0\): .*\[usable: \d+\]", versions) and "UNSUPPORTED" in versions,
          "kafka-broker-api-versions", versions[:2000])
    unusable = re.findall(r"(\w+)\(\d+\): [^\[]*UNSUPPORTED", versions)
    check(unusable and "Fetch" not in unusable and "JoinGroup" not in unusable,
          "… what clients need is usable", unusable)
    features = tools.run(TOOLS + "FeatureCommand", "describe")
    check(tools.code == 0, "kafka-features describe", features)
    check_compatibility(tools)
    moving = tools.run(TOOLS + "reassign.ReassignPartitionsCommand", "--list")
    check("No partition reassignments found." in moving, "kafka-reassign-partitions --list", moving)


def check_compatibility(tools):
    # It gives itself ten seconds for everything, which a busy machine may exceed.
    for attempt in range(3):
        said = tools.run(
            TOOLS + "ClientCompatibilityTest", "--topic", f"compatible-{attempt}",
            "--offsets-for-times-supported", "true", "--cluster-id-supported", "true",
            "--expect-record-too-large-exception", "false", "--num-cluster-nodes", 1,
            "--create-topics-supported", "true", "--describe-acls-supported", "false",
            "--describe-configs-supported", "true", "--idempotent-producer-supported", "true")
        if tools.code == 0 or "Timed out after" not in said:
            break
        leat("topic", "delete", "newtopic", "-b", tools.server.kafka)
    check(tools.code == 0, "Kafka's ClientCompatibilityTest", said[-3000:])


def verifiable(path):
    """The JSON lines of a kafka-verifiable-* tool."""
    return [json.loads(line) for line in path.read_text(errors="replace").splitlines()
            if line.startswith("{") and line.endswith("}")]


def check_verifiable(tools):
    """A producer and two consumers, one of which comes while the other one reads; the server is
    killed in the middle."""
    tools.run(TOOLS + "TopicCommand", "--create", "--topic", "verified", "--partitions", 4)
    count = 6000
    producer, produced = tools.start(
        TOOLS + "VerifiableProducer", "--bootstrap-server", tools.server.kafka, "--topic",
        "verified", "--max-messages", count, "--throughput", 400, "--acks", -1)

    def consumer():
        return tools.start(
            TOOLS + "VerifiableConsumer", "--bootstrap-server", tools.server.kafka, "--topic",
            "verified", "--group-id", "verified", "--verbose", "--reset-policy", "earliest",
            "--session-timeout", 6000, "--assignment-strategy",
            "org.apache.kafka.clients.consumer.CooperativeStickyAssignor")

    first, first_said = consumer()
    wait_for(lambda: any(e["name"] == "records_consumed" for e in verifiable(first_said)), 60)
    tools.server.kill()
    tools.server.start()
    second, second_said = consumer()
    check(producer.wait(180) == 0, "kafka-verifiable-producer ends well, though the server was "
          "killed", produced.read_text()[-1000:])
    acked = [int(e["value"].split(".")[-1]) for e in verifiable(produced)
             if e["name"] == "producer_send_success"]
    # It tries nothing twice: what was under way at the kill it reports as failed.
    check(len(acked) == len(set(acked)) > count * 0.8, "… most of it is acknowledged", len(acked))

    def events():
        return [e for path in (first_said, second_said) for e in verifiable(path)]

    def consumed():
        return {int(e["value"].split(".")[-1]) for e in events() if e["name"] == "record_data"}

    check(wait_for(lambda: set(acked) <= consumed(), 60),
          "kafka-verifiable-consumer: two of them read all that was acknowledged", len(consumed()))
    check(wait_for(lambda: any(e["name"] == "partitions_assigned" and e["partitions"]
                               for e in verifiable(second_said)), 60),
          "… the one that came later has its share", second_said.read_text()[-1000:])

    def committed():
        ends = {}
        for event in events():
            if event["name"] == "offsets_committed" and event["success"]:
                for o in event["offsets"]:
                    ends[o["partition"]] = max(o["offset"], ends.get(o["partition"], 0))
        return sum(ends.values())

    check(wait_for(lambda: committed() >= len(consumed())), "… and commit it", committed())
    for process in (first, second):
        process.send_signal(signal.SIGTERM)
        process.wait(120)
    check("shutdown_complete" in second_said.read_text(), "… and shut down as they are told")


def check_transactions(tools):
    for topic in ("copied", "copies"):
        tools.run(TOOLS + "TopicCommand", "--create", "--topic", topic, "--partitions", 1)
    values = "".join(f"{i}\n" for i in range(2000))
    tools.run(TOOLS + "ConsoleProducer", "--topic", "copied", stdin=values.encode())
    copied = tools.run(
        TOOLS + "TransactionalMessageCopier", "--input-topic", "copied", "--input-partition", 0,
        "--output-topic", "copies", "--transactional-id", "copier", "--max-messages", -1,
        "--transaction-size", 100, "--enable-random-aborts", "--group-mode", "--use-group-metadata",
        "--consumer-group", "copiers", address="--broker-list")
    check('"remaining":0' in copied and tools.code == 0, "TransactionalMessageCopier",
          copied[-2000:])
    read = tools.run(TOOLS + "consumer.ConsoleConsumer", "--topic", "copies", "--from-beginning",
                     "--isolation-level", "read_committed", "--timeout-ms", 20000)
    got = [int(line) for line in read.splitlines() if line.isdigit()]
    check(got == list(range(2000)), "… copies each record once, in spite of transactions it aborts",
          len(got))

    command = TOOLS + "TransactionsCommand"
    listed = tools.run(command, "list")
    row = [row for row in rows(listed) if row[0] == "copier"]
    check(row and row[0][3].startswith("Complete"), "kafka-transactions list", listed)
    described = tools.run(command, "describe", "--transactional-id", "copier")
    check("copier" in described and "Complete" in described, "kafka-transactions describe",
          described)
    producers = tools.run(command, "describe-producers", "--topic", "copies", "--partition", 0)
    check(len(rows(producers)) >= 2 and "None" in producers,
          "kafka-transactions describe-producers", producers)
    hanging = tools.run(command, "find-hanging", "--broker-id", 1)
    check(tools.code == 0 and "copier" not in hanging, "kafka-transactions find-hanging: none",
          hanging)


def check_measuring(tools):
    """The tools that measure are asked only whether they come to an end."""
    produced = tools.run(TOOLS + "ProducerPerformance", "--topic", "verified", "--num-records",
                         20000, "--record-size", 100, "--throughput", -1,
                         "--command-property", "acks=all")
    check("20000 records sent" in produced, "kafka-producer-perf-test", produced)
    consumed = tools.run(TOOLS + "ConsumerPerformance", "--topic", "verified", "--num-records",
                         20000, "--timeout", 20000)
    check(tools.code == 0 and ("nMsg.sec" in consumed or "data.consumed" in consumed),
          "kafka-consumer-perf-test", consumed)


def check_dump(tools):
    """Kafka's own reader of segment files finds nothing wrong in ours."""
    tools.server.stop()
    logs = [path for path in (tools.server.data / "partitions").glob("*/*/*.log")
            if path.stat().st_size > 0]
    text = tools.run(TOOLS + "DumpLogSegments", "--deep-iteration", "--files",
                     ",".join(map(str, logs)), address=None)
    check(len(logs) > 8 and "isvalid: true" in text and "isvalid: false" not in text and
          tools.code == 0, f"kafka-dump-log reads our {len(logs)} segments", text[-2000:])


def main():
    path = jars("kafka_tools", POM)
    with scratch() as folder, Server(folder / "data") as server:
        tools = Tools(path, server, folder)
        check_topics(tools)
        check_console(tools)
        check_groups(tools)
        check_configs(tools)
        check_offsets(tools)
        check_broker(tools)
        check_verifiable(tools)
        check_transactions(tools)
        check_measuring(tools)
        tools.run(TOOLS + "TopicCommand", "--delete", "--topic", "orders")
        check("orders" not in tools.run(TOOLS + "TopicCommand", "--list"), "kafka-topics --delete")
        check_dump(tools)
    finish()


main()
