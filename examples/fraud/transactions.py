#!/usr/bin/env python3
"""Prints made-up transactions, a JSON object a line, always the same for a seed: many customers who
pay now and then, a few whose cards were stolen, and some transactions that come late."""

import argparse
import datetime
import json
import random

START = datetime.datetime(2026, 3, 2, 9, 0, tzinfo=datetime.timezone.utc)
CUSTOMERS = 400


def transactions(count, seed):
    """Transactions in the order of their arrival."""
    chance = random.Random(seed)
    now = 0.0  # seconds since START
    thief = None  # whose card is being used quickly, and how often still
    for number in range(count):
        now += chance.expovariate(2.0)
        if thief is None and chance.random() < 0.004:
            thief = [chance.randrange(CUSTOMERS), chance.randint(4, 12)]
        if thief is not None and chance.random() < 0.2:
            customer = thief[0]
            thief[1] -= 1
            if thief[1] == 0:
                thief = None
        else:
            customer = chance.randrange(CUSTOMERS)
        amount = round(chance.lognormvariate(3.5, 1.2), 2)
        if chance.random() < 0.002:
            amount = chance.choice([10_000, 10_000.01, round(chance.uniform(9_000, 30_000), 2)])
        late = chance.uniform(0, 120) if chance.random() < 0.03 else 0
        at = START + datetime.timedelta(seconds=max(0.0, now - late))
        yield {"transaction_id": f"t{number:06}", "customer_id": f"c{customer:03}",
               "amount": amount,
               "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", "--count", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    for transaction in transactions(options.count, options.seed):
        print(json.dumps(transaction))


if __name__ == "__main__":
    main()
