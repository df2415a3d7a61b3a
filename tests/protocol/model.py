"""The rules of the protocol in plain Python: what each call must answer, and what then holds.

Times don't occur: a lease is live or has run out, and a test says when it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dramatiq_baton.graph import StepFlags, StepSpec

SETTLED = ("completed", "discarded", "cancelled")


def acceptable(spec: StepSpec, states: Mapping[str, str]) -> bool:
    """Whether a step's deps are such that it may run (G1)."""
    ends = [states[dep] for dep in spec.deps]
    failed = [end for end in ends if end != "completed"]
    if spec.quorum:
        return set(ends) <= set(SETTLED) and len(ends) - len(failed) >= spec.quorum
    return all(end in SETTLED and StepFlags[f"IGNORE_{end.upper()}"] & spec.flags for end in failed)


@dataclass
class Step:
    """A step as it must be. ``untold`` are the deps that it has not been told of."""

    flags: StepFlags
    deps: tuple[str, ...]
    untold: set[str]
    quorum: int = 0
    state: str = "pending"
    token: int = 0
    holder: str = ""
    lease: str = ""  # "live", "out", or none
    attempt: int = 0
    deaths: int = 0
    seq: int = 0
    callback: bool = False
    result: bytes | None = None
    delayed: bool = False  # whether it waits, the first time, once its deps have settled
    void: int = 0  # executions with a token up to this one were called off
    resets: int = 0

    @property
    def settled(self) -> bool:
        return self.state in SETTLED


@dataclass
class Model:
    """A workflow as it must be. Its methods answer with the words of the scripts."""

    steps: dict[str, Step]
    max_rescues: int
    events: list[tuple[str, str]] = field(default_factory=lambda: [("", "workflow_started")])
    ended: bool = False

    def __post_init__(self) -> None:
        for name, step in self.steps.items():
            if not step.deps:
                self._make_ready(name)

    def claim(self, name: str, holder: str, seq: int, before: tuple[str, ...]) -> str:
        step = self.steps[name]
        if step.result is not None:
            self.events.append((name, "cached"))
            return "cached"
        if step.settled and not step.callback:
            return "settled"
        if seq < step.seq:
            return "outdated"
        known = step.holder == holder or step.holder in before
        if step.lease == "live" and not known:
            return "leased"
        if step.callback:
            self._take(step, holder)
            return "callback"
        if step.state == "executing" and step.lease == "out" and not known and self._bury(name):
            return "discarded"
        if step.untold:
            step.state, step.seq = "snoozed", step.seq + 1
            self.events.append((name, "snoozed"))
            return "snoozed"
        self._take(step, holder)
        if step.state != "executing" or not known:
            step.state, step.attempt = "executing", step.attempt + 1
            self.events.append((name, "executing"))
        return "run"

    def settle(self, name: str, token: int, outcome: str, result: bytes) -> str:
        step = self.steps[name]
        if step.settled:
            return "settled"
        if token <= step.void:
            return "lost"
        if outcome != "completed" and not self._holds(step, token):
            return "lost"
        step.result = result if outcome == "completed" else None
        self._settle(name, outcome)
        return "ok"

    def defer(self, name: str, token: int, state: str) -> int | None:
        step = self.steps[name]
        if not self._holds(step, token):
            again = step.token == token and step.state == state and step.holder == "deferred"
            return step.seq if again else None
        step.state, step.seq, step.holder, step.lease = state, step.seq + 1, "deferred", ""
        self.events.append((name, "snoozed" if state == "queued" else state))
        return step.seq

    def reject(self, name: str, seq: int) -> str:
        step = self.steps[name]
        if seq < step.seq or step.lease == "live":
            return "ignored"
        if step.callback:
            self.end_callback(name)
            return "ok"
        if step.settled or step.untold:
            return "ignored"
        self._settle(name, "discarded")
        return "ok"

    def expire(self, name: str, token: int) -> str:
        step = self.steps[name]
        if step.token != token or not (step.state == "executing" or step.callback):
            return "stale"
        if step.lease == "live":
            return "renewed"
        step.holder, step.lease = "", ""
        if step.callback:
            return "queued"
        if self._bury(name):
            return "discarded"
        step.state, step.seq = "queued", step.seq + 1
        self.events.append((name, "snoozed"))
        return "queued"

    def resend(self, name: str, found_in: str) -> str:
        step = self.steps[name]
        queued, waiting = step.state == "queued" or step.callback, step.state in ("snoozed", "retryable")
        if found_in == "waiting" and step.holder == "delayed":
            step.state, step.holder = "queued", ""
        return "ok" if (queued if found_in == "queued" else waiting) else "stale"

    def callback_done(self, name: str, token: int) -> None:
        if self.steps[name].callback and self.steps[name].token == token:
            self.end_callback(name)

    def end_callback(self, name: str) -> None:
        step = self.steps[name]
        step.callback, step.holder, step.lease = False, "", ""
        self._finish()

    def cancel(self, order: list[str]) -> int:
        """Cancel the workflow. ``order`` is that in which the steps happened to be come to."""
        if self.ended:
            return 0
        left = {name for name, step in self.steps.items() if not step.settled}
        assert set(order) == left
        for name in order:
            step = self.steps[name]
            if step.state == "executing":
                step.void = step.token
            self._end(name, "cancelled")
        self._finish()
        return len(left)

    def retry(self, order: list[str]) -> int:
        """Retry the finished workflow. ``order`` is that in which delayed steps happened to be come to."""
        again = [step for step in self.steps.values() if step.state in ("discarded", "cancelled")]
        if not again:
            return 0
        self.ended = False
        self.events.append(("", "workflow_started"))
        for step in again:
            step.state, step.seq, step.deaths, step.resets = "pending", step.seq + 1, 0, step.resets + 1
            step.untold = {dep for dep in step.deps if self.steps[dep].state != "completed"}
        ready = {name for name, step in self.steps.items() if step.state == "pending" and not step.untold}
        assert set(order) <= ready
        for name in [*order, *(ready - set(order))]:
            self._make_ready(name)
        return len(again)

    @property
    def finished(self) -> bool:
        return all(step.settled and not step.callback for step in self.steps.values())

    def _holds(self, step: Step, token: int) -> bool:
        return step.state == "executing" and step.token == token

    def _take(self, step: Step, holder: str) -> None:
        step.token += step.holder != holder
        step.holder, step.lease = holder, "live"

    def _bury(self, name: str) -> bool:
        self.steps[name].deaths += 1
        if self.steps[name].deaths < self.max_rescues:
            return False
        self._settle(name, "discarded")
        return True

    def _settle(self, name: str, outcome: str) -> None:
        work = [self._end(name, outcome)]
        while work:
            told_of = work.pop()
            for other in [key for key, step in self.steps.items() if told_of in step.deps]:
                if not self.steps[other].settled and self._tell(other, told_of):
                    work.append(self._end(other, "cancelled"))
        self._finish()

    def _end(self, name: str, outcome: str) -> str:
        step = self.steps[name]
        step.state, step.holder, step.lease = outcome, "", ""
        self.events.append((name, outcome))
        return name

    def _tell(self, name: str, dep: str) -> bool:
        """Tell a step of a dep that has settled. Returns whether that cancels it."""
        step, how = self.steps[name], self.steps[dep].state
        step.untold.discard(dep)
        if how != "completed" and not self._can_spare(step, how):
            step.callback = bool(step.flags & StepFlags[f"ON_DEP_{how.upper()}"])
            return True
        if not step.untold:
            self._make_ready(name)
        return False

    def _can_spare(self, step: Step, how: str) -> bool:
        if not step.quorum:
            return bool(step.flags & StepFlags[f"IGNORE_{how.upper()}"])
        told = set(step.deps) - step.untold
        failed = {dep for dep in told if self.steps[dep].state != "completed"}
        return len(step.deps) - len(failed) >= step.quorum

    def _make_ready(self, name: str) -> None:
        step = self.steps[name]
        if step.delayed and not step.attempt:
            step.state, step.seq, step.holder = "snoozed", step.seq + 1, "delayed"
            self.events.append((name, "snoozed"))
        elif step.state == "pending":
            step.state = "queued"

    def _finish(self) -> None:
        if self.finished and not self.ended:
            self.ended = True
            self.events.append(("", "workflow_finished"))
