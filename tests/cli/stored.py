"""Real workflows that have run, for the commands that look at them."""

from __future__ import annotations

from dramatiq_baton import WorkflowRun
from tests.support.world import World

HOSTILE = '[bold]x[/bold] <b>&amp; \\N "{a|b}" 🚀'
EVIL = "evil \x1b[31mred\x07 \n[blink]reason"


def target(world: World) -> tuple[str, ...]:
    return ("--url", world.url, "--namespace", world.namespace)


def failed(world: World, name: str = "brief") -> WorkflowRun:
    """One step completed, one discarded with an evil reason, one cancelled."""
    flow = world.flow(name)
    first = flow.add("fetch", world.act(["value", {"pages": [1, None]}]))
    second = flow.add(HOSTILE, world.act(["discard", EVIL]), deps=first)
    flow.add("last", world.actors.act.message([["inputs"]], second))
    return world.finish(flow)


def completed(world: World, name: str = "brief") -> WorkflowRun:
    flow = world.flow(name)
    flow.add("only", world.act(["value", 1]))
    return world.finish(flow)
