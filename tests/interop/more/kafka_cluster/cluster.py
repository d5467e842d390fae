"""Apache Kafka itself, of a 4.x release: brokers in KRaft mode, each its own process, that are killed
and started again."""

import base64
import pathlib
import signal
import socket
import subprocess
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from toolchain import jars

from harness import run, wait_for

# The tools' class path has the broker as well.
POM = pathlib.Path(__file__).resolve().parents[1] / "kafka_tools" / "pom.xml"
JAVA = ("java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
START_SECONDS = 120

SETTINGS = """
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data-{number}
num.partitions=1
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
# The checker reads one.
offsets.topic.num.partitions=1
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
# A broker that was killed is missed soon.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1500
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Broker:
    """One node, which is broker and controller."""

    def __init__(self, cluster, number, port):
        self.cluster = cluster
        self.number = number
        self.port = port
        self.process = None
        self.log = cluster.folder / f"broker-{number}.log"

    def command(self, main, *arguments):
        return [*JAVA, "-cp", self.cluster.path, main, *(str(argument) for argument in arguments)]

    @property
    def settings(self):
        return self.cluster.folder / f"broker-{self.number}.properties"

    def format(self):
        done = run(*self.command("kafka.tools.StorageTool", "format", "-t", self.cluster.id, "-c",
                                 self.settings), timeout=120)
        if done.returncode != 0:
            raise RuntimeError((done.stdout + done.stderr).decode(errors="replace"))

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command("kafka.Kafka", self.settings), stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def end(self, how=signal.SIGKILL):
        if self.process:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None


class Cluster:
    """`nodes` brokers in a folder; topics have a replica on each, and two of three must have a
    record before it is acknowledged."""

    def __init__(self, folder, nodes):
        self.folder = folder
        self.path = jars("kafka_tools", POM)
        self.id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        ports = free_ports(2 * nodes)
        self.brokers = [Broker(self, 1 + i, ports[i]) for i in range(nodes)]
        voters = ",".join(f"{1 + i}@127.0.0.1:{ports[nodes + i]}" for i in range(nodes))
        for i, broker in enumerate(self.brokers):
            broker.settings.write_text(SETTINGS.format(
                number=broker.number, voters=voters, port=broker.port,
                controller=ports[nodes + i], folder=folder, replicas=nodes,
                in_sync=min(2, nodes)))

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def __enter__(self):
        for broker in self.brokers:
            broker.format()
        for broker in self.brokers:
            broker.start()
        if not wait_for(lambda: all(broker.answers() for broker in self.brokers), START_SECONDS):
            raise RuntimeError(self.brokers[0].log.read_text(errors="replace")[-4000:])
        return self

    def __exit__(self, *_):
        for broker in self.brokers:
            broker.end()
