"""A nightly report: three files are loaded and summed up in parallel, then a report is written.

``dramatiq nightly`` runs the workers, ``python nightly.py`` submits tonight's workflow and prints its id. The
operations chapter of the README is about a night on which it failed.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import dramatiq

from dramatiq_baton import BatonMiddleware, Workflow, workflow_actor
from dramatiq_baton.brokers import RedisBroker

broker = RedisBroker(url=os.environ.get("BATON_REDIS_URL", "redis://127.0.0.1:6379/0"))
broker.add_middleware(BatonMiddleware())
dramatiq.set_broker(broker)


@workflow_actor(max_retries=1, min_backoff=100)
def load(path: str) -> list[float]:
    with Path(path).open(newline="") as file:
        return [float(row["amount"]) for row in csv.DictReader(file)]


@workflow_actor
def total(amounts: list[float]) -> float:
    return sum(amounts)


@workflow_actor
def report(orders: float, returns: float, fees: float) -> str:
    return f"{orders - returns - fees:.2f} after {returns:.2f} of returns and {fees:.2f} of fees"


def nightly() -> Workflow:
    flow = Workflow("nightly-report")
    totals = [
        flow.add(f"total {name}", total.message(flow.add(f"load {name}", load.message(f"data/{name}.csv"))))
        for name in ("orders", "returns", "fees")
    ]
    flow.add("report", report.message(*totals))
    return flow


if __name__ == "__main__":
    print(nightly().run().id)
