"""Leases and what the rescue does, as calls of scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ..errors import UnknownStep
from . import reading
from .keys import SEPARATOR
from .replies import Spread, spread_from, text
from .scripts import script
from .store import Address, Store

T = TypeVar("T")

#: The longest pause between two sendings of a step that nobody claims, in milliseconds.
LONGEST_PAUSE = 10 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to execute one step."""

    address: Address
    token: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """A step that should have been claimed by now, or whose delay is over.

    Attributes:
      address: The step.
      queue: The queue in whose index it was found; empty for a snoozed or retryable step.
    """

    address: Address
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """What the rescue has to look at.

    Attributes:
      leases: Leases that ran out.
      overdue: Steps whose message seems to be lost.
      spreading: Ids of workflows in which something is to be done about many steps, or that are to start.
      foreign: Entries of the indexes that Baton didn't write.
      next: Milliseconds until there is more, as far as that is known; else ``None``.
    """

    leases: tuple[Lease, ...]
    overdue: tuple[Overdue, ...]
    spreading: tuple[str, ...]
    foreign: tuple[str, ...] = ()
    next: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Fate:
    """Why a lease was lost.

    Attributes:
      called_off: Its workflow was cancelled, or is gone: nothing counts any more that the execution brings.
      interrupt: The execution is to be interrupted.
    """

    called_off: bool
    interrupt: bool = False


def renew(store: Store, leases: Sequence[Lease]) -> list[Lease]:
    """Renew leases, all in one command.

    Returns:
      Those that were lost.
    """
    members = {
        SEPARATOR.join((lease.address.workflow_id, lease.address.step, str(lease.token))): lease
        for lease in leases
    }
    lost = script("renew")(store.connections, [f"{store.keys.index}:leases"], [store.lease_ttl, *members])
    return [members[text(member)] for member in lost]


def fate_of(store: Store, lease: Lease) -> Fate:
    """Look why a lease was lost.

    Raises:
      StoreUnavailable: If Redis doesn't answer.
    """
    try:
        record = reading.record(store, lease.address.workflow_id, lease.address.step)
    except UnknownStep:
        return Fate(called_off=True)
    return Fate(called_off=lease.token <= record.void, interrupt=record.interrupt)


def sweep(store: Store, *, who: str, alone_for: int, most: int) -> Due | None:
    """Ask what is overdue. See ``lua/sweep.lua``.

    Parameters:
      store: The store.
      who: The worker process that asks.
      alone_for: How long no other process gets an answer, in milliseconds.
      most: The most entries of each kind.

    Returns:
      What is due, or ``None`` if another process is at it.
    """
    reply = script("sweep")(store.connections, [store.keys.index], [who, alone_for, store.lease_ttl, most])
    if not reply:
        return None
    *members, soonest = reply
    leases, waiting, queued, spreading = ([text(member) for member in part] for part in members)
    expired, foreign = _read(leases, _lease)
    overdue, more = _read([*(SEPARATOR + member for member in waiting), *queued], _overdue)
    return Due(
        leases=tuple(expired),
        overdue=tuple(overdue),
        spreading=tuple(spreading),
        foreign=(*foreign, *more),
        next=None if soonest < 0 else soonest,
    )


def expire(store: Store, lease: Lease, *, max_rescues: int) -> Spread:
    """Give a step whose lease ran out back to its queue. See ``lua/expire.lua``."""
    workflow_id, step = lease.address.workflow_id, lease.address.step
    return spread_from(workflow_id, store.run("expire", workflow_id, step, lease.token, max_rescues))


def resend(store: Store, overdue: Overdue) -> Spread:
    """Have a step's message sent again. See ``lua/resend.lua``."""
    workflow_id, step = overdue.address.workflow_id, overdue.address.step
    found_in = "queued" if overdue.queue else "waiting"
    return spread_from(
        workflow_id, store.run("resend", workflow_id, step, found_in, overdue.queue, LONGEST_PAUSE)
    )


def _read(members: Sequence[str], read: Callable[[str], T]) -> tuple[list[T], list[str]]:
    """What members of an index say, and those that say nothing."""
    found, foreign = [], []
    for member in members:
        try:
            found.append(read(member))
        except ValueError:
            foreign.append(member)
    return found, foreign


def _lease(member: str) -> Lease:
    workflow_id, step, token = member.split(SEPARATOR)
    return Lease(Address(workflow_id, step), int(token))


def _overdue(member: str) -> Overdue:
    queue, workflow_id, step = member.split(SEPARATOR)
    return Overdue(Address(workflow_id, step), queue)
