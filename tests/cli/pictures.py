"""Boards and overviews to look at, and what a terminal shows of them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console

from dramatiq_baton.cli.board import Board
from dramatiq_baton.cli.overview import Overview
from dramatiq_baton.cli.picture import Picture
from dramatiq_baton.events import Event
from dramatiq_baton.states import StepState, StepStatus, WorkflowState, WorkflowStatus
from tests.cli import flows
from tests.cli.flows import T0

HOSTILE = [
    "\x1b[31mred\x1b[2J",
    "[bold]markup[/bold]",
    "nul\x00nul",
    "two\nlines\r",
    "\u202egnp.exe",
    "🚀 emoji 👨‍👩‍👧‍👦 ❤️",
    "x" * 200,
    "日" * 200,
    "\x9b31m\x07\x08",
    "a\u0301" * 100,
    "\ud800 alone",
    ":rocket: [link=http://x]y[/link]",
]

Spec = Sequence[tuple[str, str, Sequence[str]]]


def event(step: str, kind: str, ts: int = 0, attempt: int = 1, **fields: object) -> Event:
    whose = {"workflow_id": "01J8Z3RT6K", "name": "research-brief"}
    return flows.event(step, kind, ts, attempt, **whose | fields)


def status(steps: Spec, *, id: str = "01J8Z3RT6K", name: str = "research-brief") -> WorkflowStatus:
    rows = {
        step: StepStatus(
            step, StepState.PENDING if deps else StepState.QUEUED, actor, "default", deps=tuple(deps)
        )
        for step, actor, deps in steps
    }
    counts = {StepState.PENDING: len(rows)}
    return WorkflowStatus(id, name, WorkflowState.EXECUTING, len(rows), counts, rows, T0, None, T0)


def brief() -> Board:
    """Six steps in as many states as fit."""
    board = Board(
        status(
            [
                ("fetch", "fetch", []),
                ("summary", "summarize", ["fetch"]),
                ("keywords", "extract", ["fetch"]),
                ("entities", "extract", ["fetch"]),
                ("picture", "draw", ["fetch"]),
                ("brief", "compile", ["summary", "keywords", "entities", "picture"]),
            ]
        )
    )
    for told in (
        event("fetch", "executing", 30),
        event("fetch", "completed", 460, duration=430),
        event("summary", "executing", 480),
        event("keywords", "executing", 490),
        event("entities", "executing", 500),
        event("summary", "completed", 1900, duration=1420),
        event("entities", "retryable", 800, duration=300, delay=4000, error="TimeoutError: no answer"),
        event("picture", "discarded", 1700, attempt=3, duration=1100, error="ValueError: refused"),
    ):
        board.apply(told)
    return board


def layers(size: int, actors: Sequence[str] = ("fetch", "parse", "store")) -> Board:
    """A board of *size* steps of a few actors, each after one of the actor before."""
    width = -(-size // len(actors))
    steps = []
    for n in range(size):
        layer, row = divmod(n, width)
        steps.append(
            (f"{actors[layer]}-{row}", actors[layer], [f"{actors[layer - 1]}-{row}"] if layer else [])
        )
    return Board(status(steps))


def rendered(picture: Picture, width: int = 80, height: int = 24, *, ansi: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        height=height,
        force_terminal=ansi,
        color_system="truecolor" if ansi else None,
        legacy_windows=False,
        _environ={},
    )
    console.print(picture, end="")
    return file.getvalue()


def lines(picture: Picture, width: int = 80, height: int = 24) -> list[str]:
    return rendered(picture, width, height).splitlines()


def row(picture: Picture, name: str, width: int = 80) -> str:
    (found,) = [line for line in lines(picture, width, 60) if line[6:].startswith(f"{name} ")]
    return found


def hostile_board(times: int = 1) -> Board:
    names = [f"{name}{n}" if n else name for n in range(times) for name in HOSTILE]
    board = Board(
        status(
            [(name, name, names[:1] if name != names[0] else []) for name in names],
            id="\x1b]0;x",
            name=HOSTILE[0],
        )
    )
    for number, name in enumerate(names):
        kinds = ("executing", "discarded", "retryable", "snoozed", "completed", "cancelled")
        board.apply(
            event(name, kinds[number % 6], 5, workflow_id="\x1b]0;x", reason=name, delay=5, error=name)
        )
    return board


def hostile_overview() -> Overview:
    overview = Overview()
    for name in HOSTILE:
        overview.apply(event(name, "executing", 1, workflow_id=name, name=name))
    return overview
