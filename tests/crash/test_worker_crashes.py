"""A worker crashes at every command, or loses touch there: nothing is lost, nothing runs twice without need."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator

import pytest
import redis

from dramatiq_baton import WorkflowRun
from dramatiq_baton.store.scripts import script
from tests.support.forks import Forked, Zygote
from tests.support.llm_provider import Provider

from .faults import Moment, Point
from .harness import Fault, Outcome, Stage, everywhere, failure, repeated
from .runs import Crash
from .scenarios import ALL_KINDS, ANSWER, CALLS, EAGER_DIAMOND, HANDED_BACK, PAID, WIDE, WRECK

pytestmark = pytest.mark.timeout(300)

ways = pytest.mark.parametrize(
    ("fault", "moment"),
    [(fault, moment) for fault in Fault for moment in Moment],
    ids=lambda value: value.name.lower(),
)
#: Commands that come whatever an actor is doing.
FROM_OTHER_THREADS = ("renew", "sweep", "fetch", "blpop")

deaths = pytest.mark.parametrize(
    ("fault", "moment"), [(Fault.KILL, moment) for moment in Moment], ids=lambda value: value.name.lower()
)


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that answers whatever it is asked."""
    provider = Provider()
    provider.rate = 1_000_000
    yield provider
    provider.close()


def at_every_command(crash: Crash, wanted: str, fast: str) -> list[Outcome]:
    """Run the workflow undisturbed, then with the fault at each of its commands. Returns what came of those runs.

    Parameters:
      wanted: The kinds of command that must have been among them.
      fast: The same with a broker on which one script does the work of several.
    """
    undisturbed = crash()
    assert not undisturbed.wrong, undisturbed.wrong

    def strike(point: Point) -> Outcome:
        return repeated(lambda: crash(point), prompt=crash.fault is Fault.KILL)

    outcomes = everywhere(strike, undisturbed.seen, skipped=crash.scenario.skipped)
    if crash.fast:
        wanted = fast
    if crash.moment is Moment.AFTER:
        wanted += " fetch"
    assert not (text := failure(outcomes, wanted)), text
    return outcomes


@ways
def test_a_workflow_outlives_a_worker_at_every_command(
    zygote: Zygote, url: str, fault: Fault, moment: Moment
) -> None:
    crash = Crash(zygote, url, ALL_KINDS, fault, moment)
    at_every_command(
        crash,
        "claim settle defer reject callback_done renew enqueue ack nack",
        fast="claim advance settle defer reject callback_done renew enqueue ack nack",
    )


@deaths
def test_steps_that_wait_in_their_queue_outlive_a_worker_at_every_command(
    zygote: Zygote, url: str, fault: Fault, moment: Moment
) -> None:
    crash = Crash(zygote, url, EAGER_DIAMOND, fault, moment)
    at_every_command(crash, "claim settle defer enqueue ack", fast="claim advance defer enqueue ack")


@deaths
def test_dependents_that_are_told_in_portions_outlive_a_worker_at_every_command(
    zygote: Zygote, url: str, fault: Fault, moment: Moment
) -> None:
    crash = Crash(zygote, url, WIDE, fault, moment)
    at_every_command(crash, "claim settle spread enqueue ack nack", fast="claim settle spread advance nack")


@ways
def test_a_worker_that_rescues_may_crash_at_every_command(
    zygote: Zygote, url: str, fault: Fault, moment: Moment
) -> None:
    def leave_a_wreck(stage: Stage, run: WorkflowRun) -> None:
        stage.start_worker(threads=2).wait()  # it kills itself

    crash = Crash(zygote, url, WRECK, fault, moment, before=leave_a_wreck, deaths=1)
    at_every_command(
        crash,
        "expire resend claim settle callback_done enqueue ack",
        fast="expire resend claim advance callback_done ack",
    )


@deaths
def test_a_worker_that_shuts_down_may_crash_at_every_command(
    zygote: Zygote, url: str, fault: Fault, moment: Moment
) -> None:
    def tell_it_to_stop(stage: Stage, run: WorkflowRun, worker: Forked) -> None:
        stage.wait_for_waiting("the stop")
        worker.signal(signal.SIGTERM)
        worker.wait()
        stage.world.actors.let_go("the stop")

    crash = Crash(zygote, url, HANDED_BACK, fault, moment, meanwhile=tell_it_to_stop)
    at_every_command(crash, "claim defer enqueue ack requeue", fast="claim defer enqueue ack requeue")


@ways
def test_calls_to_a_provider_are_not_made_again_whatever_crashes(
    zygote: Zygote, url: str, provider: Provider, fault: Fault, moment: Moment
) -> None:
    """The model has answered, the answer is stored, the worker dies: nobody asks again. Counted by the provider."""
    with redis.Redis.from_url(url) as client:
        client.script_load(script("once").text)  # so that each call's value is stored with one command
    crash = Crash(zygote, url, PAID, fault, moment, env={"BATON_TEST_PROVIDER": provider.url})
    wanted = "claim once defer enqueue ack"
    for outcome in at_every_command(crash, f"{wanted} settle", fast=f"{wanted} advance"):
        calls = Counter({key: provider.calls(f"{outcome.namespace} {key}") for key in (*CALLS, ANSWER)})
        assert outcome.point is not None
        seen = f"at {outcome.point}: {calls}"
        if outcome.point[0] in FROM_OTHER_THREADS and fault is Fault.KILL:  # perhaps in the middle of a call
            assert all(calls.values()), seen
            assert calls.total() <= len(calls) + 1, seen
        else:
            assert sorted(calls.elements()) == sorted([*calls, *_not_stored(outcome, fault, moment)]), seen


def _not_stored(outcome: Outcome, fault: Fault, moment: Moment) -> list[str]:
    """The call whose answer was lost with its worker: it was killed between the answer and the store."""
    assert outcome.point is not None
    if not outcome.struck or fault is not Fault.KILL or moment is not Moment.BEFORE:
        return []
    match outcome.point:
        case "once(paid)", number:
            return [CALLS[number - 1]]
        case (("settle(paid)" | "advance(paid)"), _):
            return [ANSWER]
        case _:
            return []
