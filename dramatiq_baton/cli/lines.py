"""Events as lines for pipes: one event a line, for `grep` and `awk`, or for a JSON reader."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..events import Event
from .text import clean, clock

# "workflow_finished" and "completed": the two columns that follow a name stay aligned.
_EVENT_WIDTH = 17


def line(event: Event) -> str:
    """The event as one line: time, workflow id, name, step, event, then ``key=value`` pairs.

    Fields are separated by spaces; a value that holds spaces, quotes or ``=`` stands in double quotes, and
    ``-`` stands for an empty one. Delay and duration are in milliseconds, so that they can be compared.

    Example:
      ``12:00:01.123 7f3a research-brief fetch completed attempt=1 duration=430ms``
    """
    head = (
        clock(event.ts),
        _word(event.workflow_id),
        _word(event.workflow_name),
        _word(event.step),
        f"{event.event.value:{_EVENT_WIDTH}}",
        *_details(event),
    )
    return " ".join(head).rstrip()


def json_line(event: Event) -> str:
    """The event as one line of JSON, in pure ASCII: every field of :meth:`Event.as_dict`."""
    return json.dumps(event.as_dict(), separators=(",", ":"))


def _details(event: Event) -> Iterator[str]:
    if event.step:
        yield f"attempt={event.attempt}"
    if event.cached:
        yield "cached=1"
    if event.outcome:
        yield f"outcome={_word(event.outcome)}"
    if event.delay is not None:
        yield f"delay={event.delay}ms"
    if event.duration is not None:
        yield f"duration={event.duration}ms"
    if event.reason and event.reason != event.error:
        yield f"reason={_word(event.reason)}"
    if event.error:
        yield f"error={_word(event.error)}"
    if event.failed_steps:
        yield f"failed_steps={','.join(map(_word, event.failed_steps))}"


def _word(text: str) -> str:
    if not text:
        return "-"
    text = clean(text)
    if text == "-" or any(char.isspace() or char in '"=,' for char in text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return text
