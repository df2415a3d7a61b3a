"""A step as a Dramatiq message: an ordinary one, whose ``baton`` option says which step it is for."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dramatiq import Message
from dramatiq.broker import MessageProxy

from .errors import CorruptData
from .graph import Json, Path, StepSpec
from .store.store import Address

#: The message option that makes a message a step's.
OPTION = "baton"

#: The number of a sending that no gate lets pass.
OUTDATED = -1

AnyMessage = Message[Any] | MessageProxy


@dataclass(frozen=True, slots=True)
class StepMessage:
    """What a message's ``baton`` option says.

    Attributes:
      namespace: Whose workflow it is.
      address: The step.
      seq: The number of this sending; messages of earlier ones are outdated.
      refs: Where in the arguments which dep's result belongs.
      before: The deliveries that put the message back because the gate didn't answer them.
      refusals: How often in a row a provider has refused the step; see :mod:`.llm`.
      quorum: How many of its deps must complete for it to run; 0 if its flags alone say which.
    """

    namespace: str
    address: Address
    seq: int
    refs: tuple[tuple[Path, str], ...]
    before: tuple[str, ...] = ()
    refusals: int = 0
    quorum: int = 0

    @property
    def place(self) -> dict[str, str]:
        """Where it belongs, for the log."""
        return {"workflow": self.address.workflow_id, "step": self.address.step}

    @property
    def option(self) -> dict[str, Any]:
        """The option's value, fit for JSON."""
        option: dict[str, Any] = {
            "ns": self.namespace,
            "workflow": self.address.workflow_id,
            "step": self.address.step,
            "seq": self.seq,
        }
        if self.refs:
            option["refs"] = [[list(path), dep] for path, dep in self.refs]
        if self.before:
            option["before"] = list(self.before)
        if self.refusals:
            option["refusals"] = self.refusals
        if self.quorum:
            option["quorum"] = self.quorum
        return option


def is_for_step(message: AnyMessage) -> bool:
    """Whether a message is a step's."""
    return OPTION in message.options


def is_delayed(message: AnyMessage) -> bool:
    """Whether a message lies on a delay queue, from where Dramatiq moves it on without processing it."""
    return "eta" in message.options


def read(message: AnyMessage) -> StepMessage:
    """Read a step's message.

    Raises:
      CorruptData: If its ``baton`` option isn't one that Baton wrote.
    """
    option = message.options[OPTION]
    try:
        return StepMessage(
            namespace=str(option["ns"]),
            address=Address(str(option["workflow"]), str(option["step"])),
            seq=int(option["seq"]),
            refs=tuple((tuple(path), str(dep)) for path, dep in option.get("refs", ())),
            before=tuple(str(name) for name in option.get("before", ())),
            refusals=int(option.get("refusals", 0)),
            quorum=int(option.get("quorum", 0)),
        )
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise CorruptData(
            f"message {message.message_id} has a broken {OPTION!r} option: {option!r:.200}"
        ) from error


def for_step(spec: StepSpec, step: StepMessage, *, retries: int) -> Message[Any]:
    """Build the message of a step that is ready.

    It is dated now: ``AgeLimit`` counts from when a step could start, not from when it was submitted.
    """
    content = spec.content.decoded() if isinstance(spec.content, Json) else spec.content
    options = {**content.options, OPTION: step.option}
    if retries:
        options["retries"] = retries
    return Message(
        queue_name=spec.queue,
        actor_name=spec.actor,
        args=tuple(content.args),
        kwargs=content.kwargs,
        options=options,
        message_id=spec.message_id,
        message_timestamp=_now(),
    )


def resent(
    message: AnyMessage,
    step: StepMessage,
    *,
    seq: int,
    delay: int,
    retries: int,
    before: tuple[str, ...],
    refusals: int,
) -> Message[Any]:
    """Build the message with which a step comes back in ``delay`` ms: the same, as sending number ``seq``.

    It is dated then: ``AgeLimit`` must not count the time for which the step was told to wait. Its retry
    count is as given: Dramatiq may have counted an exception that never was the actor's.
    """
    again = replace(step, seq=seq, before=before, refusals=refusals)
    options: dict[str, Any] = {OPTION: again.option}
    if "retries" in message.options:
        options["retries"] = retries
    return message.copy(message_timestamp=_now() + delay, options=options)


def fill(
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    refs: Sequence[tuple[Path, str]],
    results: Mapping[str, Any],
    *,
    leave_out: bool = False,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Put results into a message's arguments.

    The message itself is left as it is where a result is put in: Dramatiq may have to send it again.

    Parameters:
      args: The message's.
      kwargs: The message's.
      refs: Where which dep's result belongs.
      results: Those of the deps that have one. In the place of another there is ``None``.
      leave_out: Whether a dict has no key for such a dep instead.

    Raises:
      CorruptData: If a path leads nowhere.
    """
    if not refs:
        return tuple(args), dict(kwargs)
    filled: dict[str, Any] = {"args": _unshared(list(args)), "kwargs": _unshared(dict(kwargs))}
    for path, dep in refs:
        container: Any = filled
        try:
            for key in path[:-1]:
                container = container[_arrived(container, key)]
            last = _arrived(container, path[-1])
            if leave_out and dep not in results and isinstance(container, dict):
                del container[last]
            else:
                container[last] = results.get(dep)
        except (LookupError, TypeError) as error:
            raise CorruptData(f"the message has no place {list(path)} for the result of {dep!r}") from error
    return tuple(filled["args"]), filled["kwargs"]


def _arrived(container: Any, key: str | int) -> str | int:
    """A key as it arrives: in JSON, a dict's keys become text."""
    if isinstance(container, dict) and key not in container:
        key = next(iter(json.loads(json.dumps({key: None}))))
        container[key]
    return key


def _unshared(value: Any) -> Any:
    if isinstance(value, list):
        return [_unshared(item) for item in value]
    if isinstance(value, dict):
        return {key: _unshared(item) for key, item in value.items()}
    return value


def _now() -> int:
    return int(time.time() * 1000)
