"""Leases are renewed for as long as their steps run: all those of a process in one command."""

from __future__ import annotations

import threading

from dramatiq_baton import Workflow
from tests.support.by_hand import ByHand
from tests.support.lab import Lab, Log
from tests.support.monitor import Monitor, Seen, monitoring
from tests.support.own import MakeLab
from tests.support.world import World

LEASE_TTL = 1500
#: Leases that are renewed soon; should the machine stall, no rescue takes one away.
RENEWED_SOON = {"lease_ttl": 600, "rescue_interval": 600_000}


def renewals(monitor: Monitor, count: int) -> list[Seen]:
    """Wait for so many commands that renew leases."""
    return [monitor.wait(lambda seen: seen.runs("renew")) for _ in range(count)]


def leases_in(renewal: Seen) -> set[str]:
    """The steps whose leases a command renews."""
    return {word.split(r"\x1f")[1] for word in renewal.words if r"\x1f" in word}


def test_a_step_that_outlives_its_lease_several_times_keeps_it(own_world: World) -> None:
    flow = own_world.flow()
    flow.add("a", own_world.act(["after", "told", ["attempt"]]))
    env = {"BATON_TEST_LEASE_TTL": str(LEASE_TTL)}  # and the rescue looks every 200 ms
    with own_world.worker_running(env=env), monitoring(own_world.url, own_world.namespace) as monitor:
        run = own_world.run(flow)
        renewals(monitor, 7)  # one every third of lease_ttl
        own_world.actors.let_go("told")
        run.wait(timeout=30_000)
    completed = next(event for event in run.events() if event.event == "completed")
    assert completed.duration is not None
    assert completed.duration > 2 * LEASE_TTL
    assert run.result("a") == 1
    assert own_world.runs_of(run, "a") == 1
    assert own_world.events_of(run, "a") == ["executing", "completed"]


def _eight_steps(lab: Lab, told: threading.Event) -> Workflow:
    @lab.actor
    def work() -> None:
        lab.note("began")
        assert told.wait(30)

    flow = Workflow("flow")
    for i in range(8):
        flow.add(f"s{i}", work.message())
    return flow


def test_one_command_renews_all_leases_of_a_process(make_lab: MakeLab) -> None:
    lab, told = make_lab(**RENEWED_SOON), threading.Event()
    flow = _eight_steps(lab, told)
    with lab.working(threads=8), monitoring(lab.world.url, lab.world.namespace) as monitor:
        run = lab.run(flow)
        lab.wait_note("began", times=8)
        monitor.so_far()
        for renewal in renewals(monitor, 3):
            assert leases_in(renewal) == {f"s{i}" for i in range(8)}
        told.set()
        run.wait(timeout=30_000)


def test_renewing_many_leases_is_one_command(make_lab: MakeLab) -> None:
    lab, told = make_lab(lease_ttl=600_000), threading.Event()  # the thread doesn't renew meanwhile
    flow = _eight_steps(lab, told)
    with lab.working(threads=8), monitoring(lab.world.url, lab.world.namespace) as monitor:
        run = lab.run(flow)
        lab.wait_note("began", times=8)
        leases = lab.baton.runtime(lab.broker).leases
        leases.renew()  # the server may have to be sent the script first
        monitor.so_far()
        leases.renew()
        asked = [seen for seen in monitor.so_far() if seen.client != "lua" and seen.has(":index:leases")]
        assert len(asked) == 1
        told.set()
        run.wait(timeout=30_000)


def test_a_process_that_holds_no_leases_renews_none(make_lab: MakeLab) -> None:
    lab = make_lab(lease_ttl=100)  # so the thread wakes up every 33 ms

    @lab.actor
    def work() -> None: ...

    flow = Workflow("flow")
    flow.add("a", work.message())
    with lab.working(), monitoring(lab.world.url, lab.world.namespace) as monitor:
        lab.run(flow).wait(timeout=30_000)
        monitor.so_far()
        seen = monitor.until(lambda seen: seen.runs("sweep"), times=4)  # one every 200 ms
    assert not [one for one in seen if one.runs("renew")]


def test_a_lease_that_was_given_back_is_renewed_no_more(make_lab: MakeLab) -> None:
    lab, told = make_lab(**RENEWED_SOON), threading.Event()

    @lab.actor
    def quick() -> None: ...

    @lab.actor
    def slow() -> None:
        assert told.wait(30)

    flow = Workflow("flow")
    flow.add("quick", quick.message())
    flow.add("slow", slow.message())
    with lab.working(), monitoring(lab.world.url, lab.world.namespace) as monitor:
        run = lab.run(flow)
        assert next(
            event for event in run.events(follow=True) if (event.step, event.event) == ("quick", "completed")
        )
        monitor.so_far()
        assert [leases_in(renewal) for renewal in renewals(monitor, 2)][-1] == {"slow"}
        told.set()
        run.wait(timeout=30_000)


def test_a_lost_lease_is_told_of_once_and_renewed_no_more(make_lab: MakeLab, log: Log) -> None:
    lab, told = make_lab(**RENEWED_SOON), threading.Event()

    @lab.actor
    def work(name: str) -> str:
        lab.note(name)
        assert told.wait(30)
        return name

    flow = Workflow("flow")
    flow.add("kept", work.message("kept"))
    flow.add("lost", work.message("lost"))
    with lab.working(), monitoring(lab.world.url, lab.world.namespace) as monitor:
        run = lab.run(flow)
        lab.wait_note("kept")
        lab.wait_note("lost")
        lab.world.redis.zrem(f"{lab.world.namespace}:index:leases", f"{run.id}\x1flost\x1f1")
        told_of = (
            f"lost the lease of a step; only a first result of it counts workflow='{run.id}' step='lost'"
        )
        log.wait(told_of)
        assert [leases_in(renewal) for renewal in renewals(monitor, 5)][-2:] == [{"kept"}, {"kept"}]
        assert len(log.lines(told_of)) == 1
        told.set()
        run.wait(timeout=30_000)
    assert run.results() == {"kept": "kept", "lost": "lost"}


def test_the_token_grows_with_each_claim(lab: Lab) -> None:
    @lab.actor
    def work() -> None: ...

    flow = Workflow("flow")
    flow.add("a", work.message())
    run = lab.run(flow)
    hand = ByHand(lab.world)
    leases, tokens = f"{lab.world.namespace}:index:leases", []
    for _ in range(3):
        claim = hand.claim(run, "a")
        tokens.append(claim.token)
        assert lab.world.redis.zrange(leases, 0, -1) == [f"{run.id}\x1fa\x1f{claim.token}"]
        lab.world.redis.zadd(leases, {f"{run.id}\x1fa\x1f{claim.token}": 0})  # as if it had run out long ago
    assert tokens == [1, 2, 3]
    hand.close()
