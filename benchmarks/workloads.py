"""What is measured: each workload with its size, its unit, and what a better number is."""

from __future__ import annotations

from dataclasses import dataclass

#: The threads (or what a system has instead) of a worker process.
THREADS = 8
#: How long to wait for a workflow, in seconds.
PATIENCE = 60
#: The same for one of 100,000 steps.
LONG_PATIENCE = 300


@dataclass(frozen=True)
class Workload:
    """One thing to measure.

    Attributes:
      key: What it is called in files and on the command line.
      kind: Which function of :mod:`.measuring` measures it.
      title: What it is called in tables and charts.
      unit: The unit of the measured value.
      size: How large it is: steps, workflows, samples, seconds or bytes, as its kind has it.
      quick: The same in a quick round; 0 if it is left out.
      processes: The worker processes; 0 if none are to run.
      lower: Whether less is better.
      ours: Whether only dramatiq-baton is measured.
      ours_if_quick: The same for a quick round.
      what: Further says what is measured, where the kind alone doesn't.
    """

    key: str
    kind: str
    title: str
    unit: str
    size: int
    quick: int
    processes: int = 1
    lower: bool = False
    ours: bool = False
    ours_if_quick: bool = False
    what: str = ""

    def sized(self, quick: bool) -> int:
        return self.quick if quick else self.size

    def ours_only(self, quick: bool) -> bool:
        return self.ours or (quick and self.ours_if_quick)


def _fan(processes: int) -> Workload:
    title = f"1 → 1000 → 1, {_processes(processes)}"
    return Workload(f"fan-{processes}", "fan", title, "steps/s", 1000, 1000, processes)


def _diamonds(processes: int) -> Workload:
    title = f"200 diamonds one by one, {_processes(processes)}"
    return Workload(f"diamonds-{processes}", "diamonds", title, "workflows/s", 200, 200, processes)


def _science(shape: str, title: str, quick: bool) -> Workload:
    return Workload(f"science-{shape}", "science", title, "steps/s", 1, int(quick), what=shape)


def _payload(name: str, size: int) -> Workload:
    title = f"chain of 20, each step passes on {name}"
    return Workload(f"payload-{size // 1000}k", "payload", title, "ms/hop", size, size, lower=True)


def _growth(size: int, quick: int) -> Workload:
    return Workload(f"growth-{size}", "growth", f"{size:,} steps", "steps/s", size, quick, ours=True)


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"


#: Length of the chains that pass a payload on.
PAYLOAD_CHAIN = 20

WORKLOADS = (
    Workload("idle", "idle", "an idle worker process", "commands/s", 10, 3, lower=True, ours_if_quick=True),
    Workload("chain", "chain", "chain of 200", "ms/hop", 200, 200, lower=True),
    Workload("hop", "hop", "hop after a step of 1 s", "ms", 5, 1, lower=True),
    _payload("10 KB", 10_000),
    _payload("500 KB", 500_000),
    _fan(1),
    _diamonds(1),
    _science("montage", "Montage, 310 steps", True),
    _science("epigenomics", "Epigenomics, 263 steps", False),
    _science("1000genome", "1000Genome, 260 steps", False),
    _fan(2),
    _diamonds(2),
    Workload("pending", "pending", "a pending step", "bytes", 10_000, 2_000, processes=0, lower=True),
    Workload("submit", "submit", "run() of 10,000 steps", "steps/s", 10_000, 10_000, processes=0, ours=True),
    Workload("settled", "settled", "a settled step", "bytes", 10_000, 2_000, lower=True, ours=True),
    _growth(1_000, 1_000),
    _growth(10_000, 10_000),
    _growth(100_000, 0),
    Workload("wide", "fan", "1 → 10,000 → 1", "steps/s", 10_000, 0, ours=True),
    Workload("blocked", "blocked", "1,000 blocked steps", "commands/s", 10, 3, lower=True, ours=True),
)  # fmt: skip

BY_KEY = {workload.key: workload for workload in WORKLOADS}
