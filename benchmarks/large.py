"""Does it matter how much there is? A million workflows, and one workflow with ten million events.

    .venv/bin/python -m benchmarks.large [--workflows 1000,100000,1000000] [--events 1000,1000000,10000000]

One bundled Valkey server is filled up in stages. At each, every question below is asked 200 times, and the median is
taken of what it took whoever asked. Workflows of one step are submitted with ``run()``; nine in ten are claimed and
settled by the scripts that workers call. Nobody produces ten million events of one workflow in a benchmark's time, so
they are written by XADD, with the fields that Baton's scripts write. Takes half an hour and 8 GB of memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import redis

from dramatiq_baton import BatonMiddleware, StepState, Workflow, WorkflowRun, WorkflowState, workflow_actor
from dramatiq_baton.brokers import RedisBroker
from dramatiq_baton.store import catalogue, scripts, steering, upkeep
from dramatiq_baton.store.store import Address, Store
from dramatiq_baton.store.streams import EventReader

from . import account, machine, probe
from .server import fresh_server

TIMES = 200
PORTION = 1_000
#: What is worth being told of as the longest script or command, in microseconds.
SLOW = 5_000
#: Of so many workflows one is left running.
RUNNING = 10

Question = Callable[[], object]


class Filled:
    """A server that is filled up.

    Parameters:
      url: The server.
    """

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        # A log of all that was filled in would be long, and to forget it holds the server up for a tenth of a second.
        self.client.config_set("slowlog-log-slower-than", SLOW)
        self.client.config_set("slowlog-max-len", 128)
        self.broker = RedisBroker(url=url)
        self.broker.add_middleware(baton := BatonMiddleware(rescue_interval=60_000))
        self.actor = workflow_actor(broker=self.broker, actor_name="work")(lambda: None)
        self.store: Store = baton.runtime(self.broker).store
        self.total = 0
        self.running: list[WorkflowRun] = []
        self.finished: list[WorkflowRun] = []

    def submit(self) -> WorkflowRun:
        """Submit one more workflow."""
        flow = Workflow("work")
        flow.add("step", self.actor.message())
        self.total += 1
        return flow.run(broker=self.broker)

    def execute(self, run: WorkflowRun) -> None:
        """Do what a worker does about a step."""
        step, worker = Address(run.id, "step"), "large"
        how: Any = {"holder": run.id, "seq": 0, "delay": 1000, "max_rescues": 3, "wanted": ()}
        claim = self.store.claim(step, worker=worker, **how)
        self.store.settle(step, claim.token, StepState.COMPLETED, worker=worker, result=b"\xc0")
        self.finished.append(run)

    def add_workflows(self, total: int) -> None:
        """Have so many workflows."""
        while self.total < total:
            run = self.submit()
            if self.total % RUNNING:
                self.execute(run)
            else:
                self.running.append(run)

    def add_events(self, run: WorkflowRun, total: int) -> None:
        """Have a workflow's stream hold so many events, 1,000 a second."""
        key = self.store.keys.events(run.id)
        fields = {"event": "executing", "workflow_id": run.id, "workflow_name": "work", "step": "step"}
        fields |= {"actor": "work", "queue": "default", "attempt": "1", "worker": "large"}
        while (there := self.client.xlen(key)) < total:
            pipeline = self.client.pipeline(transaction=False)
            for number in range(there, min(there + PORTION, total)):
                at = FIRST + number
                pipeline.xadd(key, {**fields, "ts": str(at)}, id=f"{at}-0")
            pipeline.execute()


#: The time of the first event of a stream that is filled up, in milliseconds: behind those of its workflow.
FIRST = int(time.time() * 1000) + 3_600_000


def about_workflows(filled: Filled) -> dict[str, Question]:
    """What is asked of a server with many workflows."""
    store, finished, fresh = filled.store, filled.finished, list[WorkflowRun]()
    return {
        "run()": lambda: fresh.append(filled.submit()),
        "claim and settle": lambda: filled.execute(fresh.pop()),
        "status()": lambda: filled.running[-1].status(),
        "list, 20 newest": lambda: list(islice(catalogue.entries(store), 20)),
        "list, 20 that run": lambda: list(
            islice(catalogue.entries(store, states=[WorkflowState.EXECUTING]), 20)
        ),
        "the rescue's look": lambda: upkeep.sweep(store, who="large", alone_for=1_000, most=100),
        "tidy": lambda: catalogue.tidy(store, most=100),
        "prune one": lambda: steering.prune(
            store, finished.pop(len(finished) // 2).id, finished_before=2**50
        ),
    }


def about_events(filled: Filled, run: WorkflowRun, total: int) -> dict[str, Question]:
    """What is asked of a workflow with many events."""
    reader = EventReader(filled.store, run.id)
    near_the_end = f"{FIRST + total - 11}-0"
    return {
        "the first event": lambda: next(iter(run.events())),
        "the last ten events": lambda: list(run.events(since=near_the_end)),
        "the newest id": reader.last_id,
        "status()": run.status,
    }


def medians(questions: dict[str, Question]) -> dict[str, float]:
    """What each question takes, in microseconds."""
    found = {}
    for name, ask in questions.items():
        took = []
        for _ in range(TIMES):
            started = time.perf_counter()
            ask()
            took.append(time.perf_counter() - started)
        found[name] = statistics.median(took) * 1e6
    return found


def reading_all(run: WorkflowRun, total: int) -> dict[str, float]:
    """Read all events of a workflow, keeping none."""
    before, started = _peak(), time.perf_counter()
    count = sum(1 for _ in run.events())
    assert count >= total, f"{count} of {total} events were read"
    return {"events/s": count / (time.perf_counter() - started), "MB more than before": _peak() - before}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def stages(sizes: list[int], fill: Callable[[int], None], ask: Callable[[int], dict[str, Question]]) -> Any:
    """Fill a server up in stages; at each, the medians, and the longest script or command of the questions."""
    found = {}
    for size in sizes:
        fill(size)
        account.reset()
        found[f"{size:,}"] = medians(ask(size))
        longest = account.longest(_name_of)
        found[f"{size:,}"]["longest script or command above 5 ms"] = longest.get("us", 0)
        print(f"{size:,}: longest was {longest.get('command', 'none')}", file=sys.stderr)
    return found


def _name_of(text: str) -> str:
    """The name of a script of ours by its text."""
    names = (path.stem for path in (Path(scripts.__file__).with_name("lua")).glob("*.lua"))
    return next((name for name in names if scripts.script(name).text == text), "another script")


def table(title: str, found: dict[str, dict[str, float]]) -> Iterator[str]:
    """The medians as a table: a question a row, a size a column."""
    sizes = list(found)
    yield f"| {title} | " + " | ".join(sizes) + " |"
    yield "|---|" + "---:|" * len(sizes)
    for name in found[sizes[0]]:
        yield f"| {name} | " + " | ".join(f"{found[size][name]:,.0f}" for size in sizes) + " |"


def measure(workflows: list[int], events: list[int]) -> dict[str, Any]:
    """All figures."""
    told: dict[str, Any] = {"machine": machine.describe()}
    with fresh_server() as url:
        os.environ[probe.URL] = url
        filled = Filled(url)
        empty = _used(filled.client)
        told["workflows"] = stages(workflows, filled.add_workflows, lambda _: about_workflows(filled))
        told["bytes a workflow"] = (_used(filled.client) - empty) / workflows[-1]
        told["events of all workflows"] = filled.client.xlen(filled.store.keys.all_events)
        run = filled.submit()
        told["events"] = stages(
            events,
            lambda total: filled.add_events(run, total),
            lambda total: about_events(filled, run, total),
        )
        told["reading all"] = reading_all(run, events[-1])
        return told


def _used(client: redis.Redis) -> int:
    info: Any = client.info("memory")
    return int(info["used_memory"])


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workflows", type=_sizes, default=[1_000, 100_000, 1_000_000], help="stages")
    parser.add_argument("--events", type=_sizes, default=[1_000, 1_000_000, 10_000_000], help="stages")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    options = parser.parse_args()
    told = measure(options.workflows, options.events)
    for part in ("workflows", "events"):
        print("\n".join(table(f"µs, with so many {part}", told[part])) + "\n")
    print(
        f"{told['bytes a workflow']:,.0f} bytes a workflow; workflow:all holds {told['events of all workflows']:,}"
    )
    print(
        "all events read: " + ", ".join(f"{value:,.0f} {name}" for name, value in told["reading all"].items())
    )
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
