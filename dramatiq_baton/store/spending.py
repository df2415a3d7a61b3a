"""What the calls of a workflow's steps used and cost, and what it may spend."""

from __future__ import annotations

from decimal import Decimal

import msgpack

from ..errors import CorruptData
from ..money import from_units, to_units
from ..usage import Call, Usage, UsageReport
from . import reading
from .replies import newer_schema
from .store import Store
from .talks import Ask, Spoken, Talk


def note(store: Store, workflow_id: str, name: str, call: Call) -> bool:
    """Note a call. See ``lua/usage.lua``.

    Parameters:
      store: The store.
      workflow_id: The workflow.
      name: Names the call: noting it twice changes nothing.
      call: The call.

    Returns:
      Whether the workflow is known.

    Raises:
      ConfigurationError: If a newer release wrote the workflow.
      StoreUnavailable: If Redis doesn't answer.
    """
    cost = "" if call.cost is None else to_units(call.cost)
    tokens = call.usage.input_tokens, call.usage.output_tokens
    reply = store.run("usage", workflow_id, name, _packed(call), cost, *tokens)
    if reply[0] == b"newer":
        raise newer_schema(workflow_id)
    return bool(reply[0] != b"unknown")


@Spoken
def report(store: Store, workflow_id: str) -> Talk[UsageReport]:
    """Read what the calls of a workflow used and cost.

    Raises:
      WorkflowNotFound: If there is none with that id.
    """
    yield from reading.summary.talk(store, workflow_id)
    workflow = store.keys.workflow(workflow_id)
    budget = yield Ask("HGET", workflow, "budget")
    calls = yield from reading.whole_hash(f"{workflow}:usage")
    try:
        limit = None if budget is None else from_units(int(budget))
    except ValueError as error:
        raise reading.damaged(store, workflow_id, error) from error
    return UsageReport.of([_unpacked(workflow_id, packed) for packed in calls.values()], limit)


def _packed(call: Call) -> bytes:
    usage = call.usage
    cost = None if call.cost is None else to_units(call.cost)
    packed: bytes = msgpack.packb(
        [
            *(call.step, call.attempt, call.ts, cost, usage.model, usage.provider),
            *(usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens),
        ]
    )
    return packed


def _unpacked(workflow_id: str, packed: bytes) -> Call:
    try:
        step, attempt, ts, cost, model, provider, *tokens = msgpack.unpackb(packed)
        prompt, answer, cache_read, cache_write = tokens
        usage = Usage(model, prompt, answer, cache_read, cache_write, provider)
        return Call(step, attempt, ts, usage, None if cost is None else from_units(cost))
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise CorruptData(
            f"a call of workflow {workflow_id!r} can't be read ({type(error).__name__}: {error}); "
            "another program may write to Baton's keys: give it another namespace"
        ) from error


def budget_units(budget: Decimal | None) -> int | str:
    """A budget as scripts take it: trillionths of a dollar; empty for none."""
    return "" if budget is None else to_units(budget)
