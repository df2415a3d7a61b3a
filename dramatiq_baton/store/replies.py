"""What the scripts answer, in Python's terms."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Released:
    """A step whose message is to be sent now.

    Attributes:
      workflow_id: Its workflow.
      step: Its name.
      spec: What it was added as, packed.
      retries: The retry count that its message must carry.
      seq: The number of this sending.
    """

    workflow_id: str
    step: str
    spec: bytes
    retries: int
    seq: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What followed from a change.

    Attributes:
      word: What the script says of the change itself.
      unfinished: Whether some dependents are still to be told.
      released: The steps that became ready.
    """

    word: str
    unfinished: bool = False
    released: tuple[Released, ...] = ()


def spread_from(workflow_id: str, reply: Sequence[Any]) -> Spread:
    """Read a reply of the form ``{word, more, released...}``."""
    word = reply[0].decode()
    if len(reply) == 1:
        return Spread(word)
    return Spread(word, int(reply[1]) > 0, released_from(workflow_id, reply[2:]))


def released_from(workflow_id: str, flat: Sequence[Any]) -> tuple[Released, ...]:
    """Read released steps from the end of a reply: four values each."""
    return tuple(
        Released(workflow_id, flat[i].decode(), flat[i + 1], int(flat[i + 2]), int(flat[i + 3]))
        for i in range(0, len(flat), 4)
    )


class Gate(StrEnum):
    """What the gate may say to a message. The words are those of ``claim.lua``."""

    RUN = "run"
    CACHED = "cached"
    SNOOZED = "snoozed"
    CALLBACK = "callback"
    SETTLED = "settled"
    OUTDATED = "outdated"
    LEASED = "leased"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    NO_STEP = "no-step"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A dep's result as the gate found it.

    Attributes:
      data: The encoded result; ``None`` if the dep has none, because it failed and is ignored.
      pruned: Whether there was one that is gone.
    """

    data: bytes | None
    pruned: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The gate's answer.

    Attributes:
      word: The verdict.
      token: The lease's token (``run``, ``callback``).
      attempt: How often the step was started, this time included (``run``, ``callback``).
      workflow_name: The workflow's name (``run``, ``callback``).
      turn: When its turn to call a provider is, in seconds of ``time.monotonic()``; 0 for now (``run``).
      results: The results that were asked for, in that order (``run``).
      words: What the workflow and then its deps carry for observers, as JSON; empty if there are none (``run``).
      cached: The step's own result, encoded (``cached``).
      detail: Who holds the lease (``leased``), or the step's state (``settled``).
      seq: The number of the next sending (``snoozed``).
      delay: Milliseconds until it is due (``snoozed``).
      dep_discarded: Whether the dep was discarded rather than cancelled (``callback``).
      reason: Why the step was cancelled (``callback``).
      spread: What followed (``cached``, ``discarded``, ``cancelled``).
    """

    word: Gate
    token: int = 0
    attempt: int = 0
    workflow_name: str = ""
    turn: float = 0.0
    results: tuple[StoredResult, ...] = ()
    words: tuple[str, ...] = ()
    cached: bytes = b""
    detail: str = ""
    seq: int = 0
    delay: int = 0
    dep_discarded: bool = False
    reason: str = ""
    spread: Spread = Spread("")


@dataclass(frozen=True, slots=True)
class Advance:
    """What came of completing a step.

    Attributes:
      spread: What followed from that.
      claim: What the gate says of the next step, to be read with :func:`claim_from`; empty if it wasn't asked, or
        couldn't answer.
      message: The message that the thread runs next, if it was taken off its queue here; else empty.
    """

    spread: Spread
    claim: Sequence[Any]
    message: bytes


def advance_from(workflow_id: str, reply: Sequence[Any]) -> Advance:
    """Read the reply of ``advance.lua``."""
    said, claim, message = reply
    return Advance(spread_from(workflow_id, said), claim, message)


def claim_from(workflow_id: str, reply: Sequence[Any]) -> Claim:
    """Read the reply of ``claim.lua``."""
    word = Gate(reply[0].decode())
    match word:
        case Gate.RUN:
            results: Sequence[Any] = reply[5:]
            words: tuple[str, ...] = ()
            if results and results[-1][0] == b"words":
                *results, (_, *carried) = results
                words = tuple(map(text, carried))
            return Claim(
                word,
                token=int(reply[1]),
                attempt=int(reply[2]),
                workflow_name=reply[3].decode(),
                turn=time.monotonic() + reply[4] / 1000 if reply[4] else 0.0,
                results=tuple(map(stored_result_from, results)),
                words=words,
            )
        case Gate.CACHED:
            spread = Spread(word, int(reply[2]) > 0, released_from(workflow_id, reply[3:]))
            return Claim(word, cached=reply[1], spread=spread)
        case Gate.SNOOZED:
            return Claim(word, seq=int(reply[1]), delay=int(reply[2]))
        case Gate.CALLBACK:
            return Claim(
                word,
                token=int(reply[1]),
                attempt=int(reply[2]),
                workflow_name=text(reply[3]),
                dep_discarded=int(reply[4]) == 2,
                reason=text(reply[5]),
            )
        case Gate.DISCARDED | Gate.CANCELLED:
            return Claim(word, spread=spread_from(workflow_id, reply))
        case _:
            return Claim(word, detail=text(reply[1]) if len(reply) > 1 else "")


def stored_result_from(reply: Sequence[bytes]) -> StoredResult:
    """Read one result of the form ``{'value', data}``, ``{'none'}`` or ``{'pruned'}``."""
    if reply[0] == b"value":
        return StoredResult(reply[1])
    return StoredResult(None, pruned=reply[0] == b"pruned")


def newer_schema(workflow_id: str) -> ConfigurationError:
    """The error for data that a later release wrote."""
    return ConfigurationError(
        f"workflow {workflow_id!r} was written by a newer release of dramatiq-baton; "
        "upgrade this process to read it"
    )


def text(data: bytes) -> str:
    """Text from Redis; what isn't UTF-8 is replaced."""
    return data.decode("utf-8", "replace")
