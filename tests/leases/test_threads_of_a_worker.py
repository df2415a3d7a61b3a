"""The threads that renew leases and that rescue: started after the fork, stopped at shutdown."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from dramatiq_baton import Workflow
from tests.support.lab import Lab, Log
from tests.support.monitor import monitoring
from tests.support.own import MakeLab
from tests.support.world import World

OURS = ["baton-leases", "baton-rescue"]


def _our_threads() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("baton"))


def _one_step(lab: Lab) -> Workflow:
    @lab.actor
    def work() -> None: ...

    flow = Workflow("flow")
    flow.add("a", work.message())
    return flow


def test_a_worker_has_one_thread_of_each_kind_until_it_stops(lab: Lab) -> None:
    flow = _one_step(lab)
    assert _our_threads() == []
    with lab.working():
        assert _our_threads() == OURS
        lab.run(flow).wait(timeout=30_000)
        assert _our_threads() == OURS
    assert _our_threads() == []


def test_a_process_that_only_submits_has_none(lab: Lab) -> None:
    lab.run(_one_step(lab))
    assert _our_threads() == []


def test_they_work_again_in_a_second_worker_of_the_same_process(make_lab: MakeLab) -> None:
    lab, told = make_lab(lease_ttl=300), threading.Event()

    @lab.actor
    def work() -> None:
        lab.note("began")
        assert told.wait(30)

    with lab.working():
        pass
    flow = Workflow("flow")
    flow.add("a", work.message())
    with lab.working(), monitoring(lab.world.url, lab.world.namespace) as monitor:
        assert _our_threads() == OURS
        run = lab.run(flow)
        lab.wait_note("began")
        monitor.wait(lambda seen: seen.runs("renew"))
        monitor.wait(lambda seen: seen.runs("sweep"))
        told.set()
        run.wait(timeout=30_000)
    assert _our_threads() == []


def test_what_runs_while_its_worker_stops_keeps_its_lease_to_the_end(make_lab: MakeLab, log: Log) -> None:
    lab, told = make_lab(lease_ttl=300), threading.Event()

    @lab.actor
    def work() -> str:
        lab.note("began")
        assert told.wait(30)
        return "done"

    flow = Workflow("flow")
    flow.add("a", work.message())
    with monitoring(lab.world.url, lab.world.namespace) as monitor:
        with lab.working() as worker:
            run = lab.run(flow)
            lab.wait_note("began")
            stopper = threading.Thread(target=worker.stop)
            stopper.start()
            log.wait("Shutting down...")
            monitor.so_far()
            monitor.until(lambda seen: seen.runs("renew"), times=6)
            told.set()
            stopper.join(30)
            assert not stopper.is_alive()
        assert run.result("a") == "done"
        assert lab.events_of(run, "a") == ["executing", "completed"]


def test_they_are_started_in_the_worker_process_and_not_in_its_parent(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["threads"]))
    with own_world.worker_running() as worker:
        run = own_world.run(flow)
        run.wait(timeout=30_000)
        threads = run.result("a")
        assert [name for name in threads if name.startswith("baton")] == OURS
        # Threads have no names that another process could read; a connection to Redis would show, though.
        (child,) = worker.children()
        assert _connections(child) >= 3  # at least one a thread
        assert _connections(worker.process.pid) == 0


def _connections(pid: int) -> int:
    """How many connections over TCP a process holds."""
    held = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            target = os.readlink(entry)
            if target.startswith("socket:["):
                held.add(target.removeprefix("socket:[").removesuffix("]"))
    established = "01"
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for line in lines if line[3] == established and line[9] in held)
