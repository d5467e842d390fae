#!/usr/bin/python3
"""leat run -b over the topics of a broker of Apache Kafka 4.x: the same answers as over our own."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
for folder in (HERE.parents[1], HERE.parents[0]):
    sys.path.insert(0, str(folder))

from cluster import Cluster
from run_cluster import check_answers, check_csv, check_live

from harness import finish, scratch


def main():
    with scratch() as folder:
        with Cluster(folder, 1) as cluster:
            check_answers(cluster.bootstrap, 3, 2)
            check_csv(folder, cluster.bootstrap)
            check_live(cluster.bootstrap)
    finish()


main()
