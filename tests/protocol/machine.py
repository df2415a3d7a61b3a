"""How the state machines of this folder are run."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def play(machine: type[RuleBasedStateMachine], *, examples: int, steps: int) -> None:
    """Run so many examples of so many steps, the same ones each time."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate],  # add Phase.shrink to look into a failure: it takes a minute
            suppress_health_check=list(HealthCheck),
        ),
    )
