"""What the events of a workflow must tell, whatever crashed: the guarantees, read off its stream.

Events are written in the scripts that make the changes, so their order in the stream is the order of the
changes. No clock of a test is involved.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dramatiq_baton import Event, StepState, WorkflowStatus

SETTLING = ("completed", "discarded", "cancelled")


def is_settling(event: Event) -> bool:
    """Whether a step settled with this event. A stored result that was used again tells of nothing new."""
    return event.event in SETTLING and not event.cached


def violations(
    status: WorkflowStatus, events: Sequence[Event], *, lease_ttl: int, runs: int = 1
) -> list[str]:
    """Everything in a finished workflow's story that breaks a guarantee.

    Parameters:
      status: How it ended.
      events: All its events.
      lease_ttl: How long a lease is valid, in milliseconds.
      runs: How many times it ran: 1, and 1 more for each retry.
    """
    wrong = [*_frame(status, events, runs), *_counts(status)]
    settled: dict[str, Event] = {}
    running: dict[str, Event] = {}
    attempts = dict.fromkeys(status.steps, 0)
    for event in events:
        name = event.step
        if event.event == "workflow_started":  # in a later run, what didn't complete begins again
            settled = {step: last for step, last in settled.items() if last.event == "completed"}
        if event.event == "workflow_finished":
            wrong += [f"{step}: never settled" for step in status.steps if step not in settled]  # G4
        if not name or event.cached:
            continue
        if name in settled:
            wrong.append(f"{name}: {event.event} after it was {settled[name].event}")  # G2
            continue
        if event.event == "executing":
            wrong += _executing(status, event, settled, running.get(name), lease_ttl)
            attempts[name] += 1
            running[name] = event
        else:
            running.pop(name, None)
        if event.attempt != attempts[name]:
            wrong.append(f"{name}: {event.event} says attempt {event.attempt}, it is number {attempts[name]}")
        if is_settling(event):
            settled[name] = event
    for name, last in settled.items():
        if last.event != status.steps[name].state:
            wrong.append(f"{name}: is {status.steps[name].state}, its event said {last.event}")
    return wrong


def _frame(status: WorkflowStatus, events: Sequence[Event], runs: int) -> list[str]:
    """What is wrong with the beginnings and ends of its runs."""
    started, finished = "workflow_started", "workflow_finished"
    kinds = [str(event.event) for event in events if not event.cached]
    wrong = [
        f"{kind} {kinds.count(kind)} times" for kind in (started, finished) if kinds.count(kind) != runs
    ]  # G6
    if any((this == finished) != (next_ == started) for this, next_ in pairwise([finished, *kinds, started])):
        wrong.append(f"a run begins or ends out of place: {kinds}")
    outcomes = [event.outcome for event in events if event.event == finished]
    if outcomes[-1:] != [str(status.state)]:
        wrong.append(f"it is {status.state}, its events say {outcomes}")
    if "completed" in outcomes[:-1]:
        wrong.append(f"it ran again though it had completed: {outcomes}")
    return wrong


def _counts(status: WorkflowStatus) -> list[str]:
    counts: dict[StepState, int] = {}
    for step in status.steps.values():
        counts[step.state] = counts.get(step.state, 0) + 1
    if counts != status.counts or sum(counts.values()) != status.total:
        return [f"the counts are {status.counts} of {status.total}, the steps {counts}"]
    return []


def _executing(
    status: WorkflowStatus, event: Event, settled: dict[str, Event], before: Event | None, lease_ttl: int
) -> list[str]:
    wrong = [
        f"{event.step}: started before its dep {dep} had settled"  # G1
        for dep in status.steps[event.step].deps
        if dep not in settled
    ]
    if before is not None and event.ts - before.ts < lease_ttl:  # G3
        wrong.append(
            f"{event.step}: started again {event.ts - before.ts} ms after its last start, which had a lease"
        )
    return wrong


def deaths(events: Sequence[Event]) -> int:
    """How many times a lease ran out and its step was given to another."""
    given_back = sum("died" in event.reason and event.event in ("snoozed", "discarded") for event in events)
    taken_over = 0
    running: set[str] = set()
    for event in events:
        if event.event == "executing":
            taken_over += event.step in running
            running.add(event.step)
        elif event.step and not event.cached:
            running.discard(event.step)
    return given_back + taken_over
