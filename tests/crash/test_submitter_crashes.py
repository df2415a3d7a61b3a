"""The process that submits a workflow crashes at every command: nothing runs of it, or all of it (G5)."""

from __future__ import annotations

import pytest

from tests.support.forks import Zygote
from tests.support.world import default_broker

from .faults import Moment, Point
from .harness import Fault, Outcome, everywhere, failure, repeated
from .scenarios import SCENARIOS
from .submitting import SubmitterCrash

pytestmark = pytest.mark.timeout(300)


ways = [(fault, moment) for fault in Fault for moment in Moment]
cases = [(name, *way) for name in ("diamond", "eager diamond", "large") for way in ways]
cases += [("many roots", Fault.KILL, moment) for moment in Moment]

WANTED = {
    "diamond": "submit enqueue",
    "eager diamond": "submit enqueue",
    "large": "stage submit enqueue",
    "many roots": "submit enqueue spread",
}


@pytest.mark.parametrize(("name", "fault", "moment"), cases, ids=lambda value: getattr(value, "name", value))
def test_a_workflow_is_started_wholly_or_not_at_all(
    zygote: Zygote, url: str, name: str, fault: Fault, moment: Moment
) -> None:
    crash, scenario = SubmitterCrash(zygote, url, name, fault, moment), SCENARIOS[name]
    undisturbed = crash()
    assert not undisturbed.wrong, undisturbed.wrong

    def strike(point: Point) -> Outcome:
        return repeated(lambda: crash(point), prompt=fault is Fault.KILL and not scenario.heavy)

    outcomes = everywhere(strike, undisturbed.seen, skipped=scenario.skipped)
    wanted = WANTED[name]
    if default_broker(url) == "fast" and name != "eager diamond":
        wanted = wanted.replace(" enqueue", "")  # what starts a workflow sends its first steps as well
    assert not (text := failure(outcomes, wanted)), text
