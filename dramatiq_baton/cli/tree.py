"""A workflow as a tree: each step stands below the dep that decides when it can start.

That is the deepest of its deps; the others are named behind it. Many steps of one actor at one place become one
line. A chain goes on at the same indentation: an arrow leads from the line above.
So the tree takes no more lines than there are steps, and its lines have a bounded indentation.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from ..states import StepState, StepStatus, WorkflowStatus
from .depths import depths_of
from .looks import LOOKS, TELLING
from .text import clean

#: A line, as parts with their styles.
Line = list[tuple[str, str]]

#: More steps than this of one actor at one place are one line.
MOST_ALIKE = 8
#: So many of the discarded ones among them have a line of their own.
MOST_FAILED = 5
#: So many further deps of a step are named.
MOST_DEPS = 3
#: So many levels are drawn; of deeper ones it is said how many more there are.
MOST_LEVELS = 12

_BRANCH, _LAST_BRANCH, _PAST, _NOTHING = "├─ ", "└─ ", "│  ", "   "
_NEXT = "↓ "


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Steps that share a line.

    Attributes:
      steps: The steps; one, or many of the same actor.
      parent: The group below which they stand.
    """

    steps: list[StepStatus]
    parent: _Group | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a group is drawn.

    Attributes:
      level: How many branches lead to it.
      lead: What stands before it, of the last levels only.
      rest: What stands before the lines below it, of the last levels only.
    """

    level: int = 0
    lead: str = ""
    rest: str = ""

    def branch(self, *, last: bool) -> _Place:
        """The place of one of several groups below this one."""
        drawn = self.rest[-(MOST_LEVELS - 1) * len(_BRANCH) :]
        lead = drawn + (_LAST_BRANCH if last else _BRANCH)
        return _Place(self.level + 1, lead, drawn + (_NOTHING if last else _PAST))

    def before(self, text: str) -> str:
        """*text*, with the number of the levels that it doesn't show."""
        hidden = self.level - MOST_LEVELS
        return f"…{hidden:,} {text}" if hidden > 0 else text


def draw(status: WorkflowStatus) -> Iterator[Line]:
    """The lines of the tree, from the steps that depend on nothing downwards, in linear time."""
    below = _below(status)
    groups: dict[str, _Group] = {}
    todo = _placed(_Place(), _grouped(below[None], None))
    while todo:
        group, place = todo.pop()
        for step in group.steps:
            groups[step.name] = group
        yield from _lines(groups, group, place)
        steps = [dependent for step in group.steps for dependent in below.get(step.name, ())]
        todo.extend(_placed(_Place(place.level, place.rest + _NEXT, place.rest), _grouped(steps, group)))


def _below(status: WorkflowStatus) -> dict[str | None, list[StepStatus]]:
    """The steps below each step; below ``None`` those that have no dep."""
    depths = depths_of({name: step.deps for name, step in status.steps.items()})
    below: dict[str | None, list[StepStatus]] = defaultdict(list)
    for name, step in status.steps.items():
        # Data from elsewhere may have cycles. There, no step of one depth may stand below another.
        deps = (dep for dep in step.deps if depths.get(dep, depths[name]) < depths[name])
        below[max(deps, key=depths.__getitem__, default=None)].append(step)
    return below


def _grouped(steps: list[StepStatus], parent: _Group | None) -> list[_Group]:
    count = Counter(step.actor for step in steps)
    groups: list[_Group] = []
    alike: dict[str, _Group] = {}
    for step in steps:
        if step.actor in alike:
            alike[step.actor].steps.append(step)
            continue
        groups.append(_Group([step], parent))
        if count[step.actor] > MOST_ALIKE:
            alike[step.actor] = groups[-1]
    return groups


def _placed(place: _Place, groups: list[_Group]) -> list[tuple[_Group, _Place]]:
    """Groups with their places, the one that is drawn first at the end."""
    if len(groups) == 1:
        return [(groups[0], place)]
    placed = [(group, place.branch(last=False)) for group in groups[:-1]]
    placed.extend((group, place.branch(last=True)) for group in groups[-1:])
    return placed[::-1]


def _lines(groups: dict[str, _Group], group: _Group, place: _Place) -> Iterator[Line]:
    lead = (place.before(place.lead), "dim")
    after = (_after(groups, group), "dim")
    if len(group.steps) == 1:
        yield [lead, *_step(group.steps[0]), after]
        return
    in_state: dict[StepState, list[StepStatus]] = defaultdict(list)
    for step in group.steps:
        in_state[step.state].append(step)
    yield [lead, *_sum(group, in_state), after]
    failed = in_state[StepState.DISCARDED]
    indented = (place.before(place.rest) + _NOTHING, "dim")
    yield from ([indented, *_step(step)] for step in failed[:MOST_FAILED])
    if len(failed) > MOST_FAILED:
        yield [indented, (f"… {len(failed) - MOST_FAILED:,} more discarded", "dim")]


def _sum(group: _Group, in_state: Mapping[StepState, list[StepStatus]]) -> Line:
    symbol, style = LOOKS[next(state for state in TELLING if in_state.get(state))]
    line = [(f"{symbol} ", style), (clean(group.steps[0].actor), ""), (f" × {len(group.steps):,} ", "bold")]
    for state, (symbol, style) in LOOKS.items():
        if steps := in_state.get(state):
            line.append((f"  {symbol} {len(steps):,}", style))
    cancelled = in_state.get(StepState.CANCELLED)
    if cancelled and not in_state.get(StepState.DISCARDED):
        line.append((f"  {clean(cancelled[0].reason)}", "dim"))  # the others' are much the same
    return line


def _step(step: StepStatus) -> Line:
    symbol, style = LOOKS[step.state]
    line = [(f"{symbol} ", style), (clean(step.name), "dim" if step.state is StepState.PENDING else "")]
    if step.reason and step.state in (StepState.DISCARDED, StepState.CANCELLED):
        line.append((f"  {clean(step.reason)}", "red" if step.state is StepState.DISCARDED else "dim"))
    return line


def _after(groups: dict[str, _Group], group: _Group) -> str:
    """The deps that the place of a group doesn't show."""
    parent = group.parent
    further: dict[str, None] = {}
    for step in group.steps:
        further.update((dep, None) for dep in step.deps if groups.get(dep) is not parent)
    texts = [clean(dep) for dep in islice(further, MOST_DEPS)]
    if len(further) > MOST_DEPS:
        texts.append(f"{len(further) - MOST_DEPS:,} more")
    if parent is not None and len(parent.steps) > 1 and len(group.steps) == 1:
        inside = [dep for dep in group.steps[0].deps if groups.get(dep) is parent]
        texts.insert(0, clean(inside[0]) if len(inside) == 1 else _of(len(inside), len(parent.steps)))
    return f"  (after: {', '.join(texts)})" if texts else ""


def _of(some: int, total: int) -> str:
    return f"all {total:,}" if some == total else f"{some:,} of {total:,}"
