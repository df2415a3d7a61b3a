"""Runs of a scenario with a fault at one of its commands: where they take place, and what is looked at."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from pathlib import Path

import redis

from dramatiq_baton import Event, WorkflowRun, WorkflowTimeout
from tests.support import story
from tests.support.forks import Forked, Zygote
from tests.support.world import World

from .faults import FaultAt, Point
from .scenarios import Scenario

LEASE_TTL, RESCUE_INTERVAL = 1_000, 100
#: When a run is given up: ten times what is promised, in ms.
PATIENCE = 10 * (LEASE_TTL + 2 * RESCUE_INTERVAL)
#: How often a run is repeated that was only too slow, or in which a living worker lost a lease: on a machine
#: that stalls both may happen. What the product does wrong happens every time.
REPEATS = 5
#: How long nothing may happen after a crash, in ms: what is promised, and what it takes to start a process.
LONGEST_WAIT = LEASE_TTL + 2 * RESCUE_INTERVAL + 500
#: A time in which nothing happens for that long is one in which everything waits for a lease.
WAIT = LEASE_TTL * 8 // 10

_building = threading.Lock()


class Fault(Enum):
    """What happens at a command."""

    KILL = "the process is killed"
    CUT = "its connections are cut"


@dataclass
class Outcome:
    """What came of one run.

    Attributes:
      point: Where the fault was to strike.
      struck: Whether there was such a command.
      seen: All commands that could be struck at, up to then.
      namespace: The namespace of the run's world.
      waits: How long nothing happened after the fault, each time, in ms by the server's clock.
      wrong: What broke a guarantee.
      doubtful: What a machine that stalls may do as well.
    """

    point: Point | None = None
    struck: bool = False
    seen: list[Point] = field(default_factory=list)
    namespace: str = ""
    waits: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)


@contextmanager
def world_of(url: str, kind: Callable[..., World] = World, **env: str) -> Iterator[World]:
    """A world for one run; several may be built by several threads."""
    with _building:
        world = kind(
            url,
            BATON_TEST_LEASE_TTL=str(LEASE_TTL),
            BATON_TEST_RESCUE_INTERVAL=str(RESCUE_INTERVAL),
            BATON_TEST_MAX_RESCUES="5",
            **env,
        )
    try:
        yield world
    finally:
        world.close()


class Stage:
    """Where one run takes place.

    Parameters:
      zygote: Parent of the worker processes.
      world: The run's own world.
    """

    def __init__(self, zygote: Zygote, world: World) -> None:
        self._zygote = zygote
        self.world = world
        self.processes: list[Forked] = []
        self._waiting: list[threading.Thread] = []
        self._logs = tempfile.TemporaryDirectory(prefix="baton-logs-")
        self._news = f"{world.namespace}:probe:struck"
        self._patient = redis.Redis.from_url(world.url, decode_responses=True, socket_timeout=None)

    def start_worker(
        self, *, behind: FaultAt | None = None, fault: Fault = Fault.CUT, threads: int = 1, **env: str
    ) -> Forked:
        """Start a worker, perhaps behind a proxy, and wait until it takes messages (or was struck)."""
        worker = self._start("work", behind, fault, env, str(threads))
        signs = [f"{self.world.namespace}:ready:{worker.pid}"]
        if behind is not None:
            signs.append(f"{self._news}:list")
        ready = self._patient.blpop(signs, timeout=60)
        assert ready, f"a worker doesn't start; its log:\n{worker.log}"
        return worker

    def start_program(self, function: str, *args: str, behind: FaultAt, fault: Fault) -> Forked:
        """Start a process that calls a function, named as ``module:function``, behind a proxy."""
        return self._start("submit", behind, fault, {}, function, *args)

    def _start(
        self, role: str, behind: FaultAt | None, fault: Fault, env: dict[str, str], *args: str
    ) -> Forked:
        env = {**self.world.env, **env}
        if behind is not None:
            env |= behind.env
        log = Path(self._logs.name, f"{len(self.processes)}.log")
        with log.open("ab") as file:
            process = self._zygote.fork(role, env, *args, stdout=file.fileno(), stderr=file.fileno(), log=log)
        self.processes.append(process)
        if behind is not None:
            behind.tell = self.tell
            if fault is Fault.KILL:
                behind.strike = lambda: process.send_signal(signal.SIGKILL)
        return process

    def wait_until(self, run: WorkflowRun, *, event: str, step: str = "", times: int = 1) -> None:
        """Wait until an event of the workflow is there so many times, or the fault has happened."""
        positions = {f"{self.world.namespace}:workflow:{{{run.id}}}:events": "0", self._news: "0"}
        while True:
            news = self._patient.xread(positions, block=30_000)
            assert news, f"nothing happens any more; logs:\n{self.logs()}"
            for stream, entries in dict(news).items():
                if stream == self._news:
                    return
                positions[stream] = entries[-1][0]
                for _, fields in entries:
                    times -= fields.get("event") == event and fields.get("step") == step
                    if not times:
                        return

    def wait_until_finished(self, run: WorkflowRun) -> None:
        """Wait until the workflow has finished, or the fault has happened; wherever its state is."""

        def wait() -> None:
            with suppress(WorkflowTimeout):
                run.wait(timeout=PATIENCE)
            self._patient.rpush(f"{self._news}:list", 1)

        waiting = threading.Thread(target=wait)
        waiting.start()
        self._waiting.append(waiting)
        assert self._patient.blpop([f"{self._news}:list"], timeout=60), self.logs()

    def wait_for_waiting(self, name: str) -> None:
        """Wait until an actor waits for ``name``, or the fault has happened."""
        waiting = f"{self.world.namespace}:gate:{name}:waiting"
        assert self._patient.blpop([waiting, f"{self._news}:list"], timeout=30), self.logs()

    def tell(self) -> None:
        self._patient.rpush(f"{self._news}:list", 1, 1)
        self._patient.xadd(self._news, {"struck": 1})

    def struck_at(self) -> int | None:
        """When the fault happened, in ms since 1970 by the server's clock."""
        entries = self._patient.xrange(self._news)
        return int(entries[0][0].partition("-")[0]) if entries else None

    def waits(self, events: Sequence[Event]) -> list[int]:
        """How long nothing happened after the fault, each time, in ms."""
        struck_at = self.struck_at()
        if struck_at is None:
            return []
        news = [event.ts for event in events if event.ts > struck_at and "deps" not in event.reason]
        return [after - before for before, after in pairwise([struck_at, *news])]

    def finish(self, run: WorkflowRun, outcome: Outcome) -> bool:
        """Wait until the workflow has finished. Returns whether it has, within what a slow machine may take."""
        try:
            run.wait(timeout=PATIENCE)
        except WorkflowTimeout:
            outcome.wrong.append(f"not finished after {PATIENCE} ms: {run.status().steps}")
            return False
        return True

    def redeliver(self) -> None:
        """Have the broker deliver again all that dead workers had taken, as it would after a minute."""
        self.start_worker(BATON_TEST_HEARTBEAT="1")
        self.world.broker.join(self.world.actors.QUEUE, interval=20, timeout=30_000)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        for waiting in self._waiting:
            waiting.join()
        self._logs.cleanup()
        self._patient.close()

    def logs(self) -> str:
        return "\n--\n".join(process.log for process in self.processes)


def check(stage: Stage, scenario: Scenario, run: WorkflowRun, outcome: Outcome, *, deaths: int) -> None:
    """Look for all that is wrong in a finished workflow.

    Parameters:
      deaths: How many workers died in it; more deaths than that are those of workers only thought dead.
    """
    world, status, events = stage.world, run.status(), list(run.events())
    outcome.wrong += story.violations(status, events, lease_ttl=LEASE_TTL, runs=scenario.rounds)
    if status.state != scenario.outcome:
        outcome.wrong.append(f"the workflow is {status.state}, not {scenario.outcome}")
    notes = [note.split("|") for note in world.notes(run)]
    runs = Counter(step for step, what, _ in notes if what == "run")
    starts = Counter(event.step for event in events if event.event == "executing")
    outcome.wrong += [f"{step} ran without a start" for step in runs if runs[step] > starts[step]]
    calls = Counter(step for step, what, _ in notes if what.startswith("on_dep"))
    if set(calls) != set(scenario.callbacks) or any(number > 1 + deaths for number in calls.values()):
        outcome.wrong.append(f"callbacks of {scenario.callbacks} were run: {calls}")
    outcome.wrong += world.left_behind()
    given_up = story.deaths(events)
    if given_up > deaths:
        outcome.doubtful.append(f"{given_up} leases were given up, {deaths} workers died")
    found = scenario.violations({s.name: s.state for s in status.steps.values()}, run.results(), runs)
    (outcome.wrong if given_up <= deaths else outcome.doubtful).extend(found)
    outcome.waits = stage.waits(events)


def everywhere(
    one: Callable[[Point], Outcome], points: list[Point], *, skipped: frozenset[str], lanes: int = 8
) -> list[Outcome]:
    """Run ``one`` for all points, also for those that are seen only meanwhile; some at a time."""
    left, known = deque(point for point in points if point[0] not in skipped), set(points)
    outcomes: list[Outcome] = []

    def lane() -> None:
        while left:
            outcome = one(left.popleft())
            outcomes.append(outcome)
            if outcome.wrong:
                left.clear()
                return
            new = [point for point in outcome.seen if point not in known and point[0] not in skipped]
            known.update(new)
            left.extend(new)

    with ThreadPoolExecutor(lanes) as pool:
        for future in [pool.submit(lane) for _ in range(lanes)]:
            future.result()
    return outcomes


def repeated(one: Callable[[], Outcome], *, prompt: bool) -> Outcome:
    """Run ``one``, and again if there was doubt. Always doubtful is wrong.

    Parameters:
      prompt: Whether it must have been over as soon as is promised: all that is lost is found when a lease has
        run out, so that everything waits for that once, and not one thing after the other. A loaded machine
        may be slower than promised, but not each time.
    """
    doubts = []
    for _ in range(REPEATS):
        outcome = one()
        waits = [wait for wait in outcome.waits if wait > WAIT]
        if prompt and sum(waits) > LONGEST_WAIT:
            outcome.doubtful.append(f"nothing happened for {waits} ms, at most {LONGEST_WAIT} ms is promised")
        if outcome.wrong or not outcome.doubtful:
            return outcome
        doubts.append(outcome.doubtful)
    outcome.wrong.append(f"each time: {doubts}")
    return outcome


def failure(outcomes: list[Outcome], wanted: str) -> str:
    """What to say of a failure; empty if there is none.

    Parameters:
      outcomes: All runs.
      wanted: The kinds of command that must have been among those struck.
    """
    lines = []
    for outcome in [outcome for outcome in outcomes if outcome.wrong][:3]:
        lines += [f"at {outcome.point}:", *(f"  {text}" for text in outcome.wrong)]
        lines += [f"  commands: {outcome.seen}", *outcome.logs]
    struck = {outcome.point[0].partition("(")[0] for outcome in outcomes if outcome.struck and outcome.point}
    if not lines and (missing := set(wanted.split()) - struck):
        lines.append(f"never struck: {missing}; struck were {struck}")
    return "\n".join(lines)
