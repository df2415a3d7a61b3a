"""How each kind of workload is measured: submit it, wait until its last step tells a result, check that.

The clock runs from before the first message is built until the last step runs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from . import account, probe, shapes, steps
from .systems import System
from .workloads import LONG_PATIENCE, PATIENCE, PAYLOAD_CHAIN, Workload

#: Steps of the workflow that goes before what is measured: enough for each thread to have connected.
WARM = 20
#: How long a worker is left alone before it counts as idle, in seconds.
SETTLING = 2
#: How long the step of the workload ``hop`` takes, in seconds.
NAP = 1.0
#: How often the server's memory is looked at until it counts as standing still.
LOOKS = 6

Measure = Callable[[System, Workload, int], float | dict[str, float]]


def measure(system: System, workload: Workload, size: int) -> dict[str, Any]:
    """Measure a workload on workers that run.

    Returns:
      ``value``, in the workload's unit, what else its kind tells, ``longest`` and ``commands``, as the server
      has them.
    """
    account.reset()
    found = MEASURES[workload.kind](system, workload, size)
    system.confirm()
    told = found if isinstance(found, dict) else {"value": found}
    return told | {"longest": account.longest(system.script_name), "commands": account.command_stats()}


def chain(system: System, workload: Workload, length: int) -> float:
    system.chain(WARM)
    steps.check(probe.hear(PATIENCE), WARM)
    started = time.monotonic()
    system.chain(length)
    found = probe.hear(PATIENCE)
    seconds = time.monotonic() - started
    steps.check(found, length)
    return seconds / length * 1000


def hop(system: System, workload: Workload, samples: int) -> float:
    """The median of some samples, one after another."""
    system.hop(0)
    probe.hear(PATIENCE)
    found = []
    for _ in range(samples):
        system.hop(NAP)
        found.append(probe.hear(PATIENCE))
    return statistics.median(found) * 1000


def payload(system: System, workload: Workload, size: int) -> float:
    data = steps.payload(size)
    system.payload(WARM, data)
    steps.check(probe.hear(PATIENCE), steps.payload_end(size, WARM))
    started = time.monotonic()
    system.payload(PAYLOAD_CHAIN, data)
    found = probe.hear(PATIENCE)
    seconds = time.monotonic() - started
    steps.check(found, steps.payload_end(size, PAYLOAD_CHAIN))
    return seconds / PAYLOAD_CHAIN * 1000


def fan(system: System, workload: Workload, width: int) -> float:
    system.fan(WARM)
    steps.check(probe.hear(PATIENCE), steps.fan_total(WARM))
    started = time.monotonic()
    system.fan(width)
    found = probe.hear(PATIENCE)
    seconds = time.monotonic() - started
    steps.check(found, steps.fan_total(width))
    return (width + 2) / seconds


def diamonds(system: System, workload: Workload, count: int) -> float:
    _diamonds(system, range(WARM // 4))
    return count / _diamonds(system, range(count))


def _diamonds(system: System, numbers: range) -> float:
    started = time.monotonic()
    system.diamonds(numbers)
    found = [probe.hear(PATIENCE) for _ in numbers]
    seconds = time.monotonic() - started
    steps.check_all(found, map(steps.diamond_total, numbers))
    return seconds


def science(system: System, workload: Workload, times: int) -> float:
    """The first run goes uncounted; ``times`` runs count."""
    shape = shapes.science(workload.what)
    _science(system, shape)
    return len(shape) * times / sum(_science(system, shape) for _ in range(times))


def _science(system: System, shape: shapes.Shape) -> float:
    started = time.monotonic()
    system.science(shape)
    probe.hear(PATIENCE)
    seconds = time.monotonic() - started
    shape.check(probe.order())
    return seconds


def idle(system: System, workload: Workload, seconds: int) -> dict[str, float]:
    time.sleep(SETTLING)
    sent, run = account.traffic(seconds)
    return {"value": sent, "with_those_in_scripts": run}


def pending(system: System, workload: Workload, width: int) -> float:
    system.backlog(1)
    before = account.memory()
    system.backlog(width)
    return (account.memory() - before) / width


# What only dramatiq-baton is measured by. Its module has more than others do.


def submit(system: Any, workload: Workload, count: int) -> float:
    """Only ``run()``, not the building of the graph."""
    system.graph(shapes.blocks(shapes.BLOCK)).run()
    flow = system.graph(shapes.blocks(count))
    started = time.monotonic()
    flow.run()
    return count / (time.monotonic() - started)


def growth(system: Any, workload: Workload, count: int) -> float:
    system.graph(shapes.blocks(shapes.BLOCK)).run().wait(LONG_PATIENCE * 1000)
    started = time.monotonic()
    status = system.graph(shapes.blocks(count)).run().wait(LONG_PATIENCE * 1000)
    seconds = time.monotonic() - started
    steps.check(status.counts, {"completed": count})
    return count / seconds


def settled(system: Any, workload: Workload, width: int) -> float:
    """With its result, its events, and its share of what a finished workflow leaves."""
    system.fan(WARM)
    probe.hear(PATIENCE)
    before = _standing_memory()
    system.fan(width)
    probe.hear(PATIENCE)
    system.confirm()
    return (_standing_memory() - before) / width


def _standing_memory() -> int:
    """The least of what the server used within a while: workers' buffers come and go."""
    found = []
    for _ in range(LOOKS):
        found.append(account.memory())
        time.sleep(0.3)
    return min(found)


def blocked(system: Any, workload: Workload, seconds: int) -> float:
    """How much more traffic a thousand blocked steps cause than a single one does."""
    rates = []
    for width in (1, 1000):
        system.blocked(seconds + SETTLING + 1, width)
        time.sleep(SETTLING)
        rates.append(account.traffic(seconds)[0])
        system.confirm()
    return rates[1] - rates[0]


MEASURES: dict[str, Measure] = {
    function.__name__: function
    for function in (
        *(chain, hop, payload, fan, diamonds, science, idle, pending),
        *(submit, growth, settled, blocked),
    )
}
