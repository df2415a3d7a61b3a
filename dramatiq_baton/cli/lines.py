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
        word(event.workflow_id),
        word(event.workflow_name),
        word(event.step),
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
        yield f"outcome={word(event.outcome)}"
    if event.delay is not None:
        yield f"delay={event.delay}ms"
    if event.duration is not None:
        yield f"duration={event.duration}ms"
    for name in ("calls", "input_tokens", "output_tokens", "unpriced"):
        if (number := getattr(event, name)) is not None:
            yield f"{name}={number}"
    if event.cost is not None:
        yield f"cost=${event.cost}"
    if event.reason and event.reason != event.error:
        yield f"reason={word(event.reason)}"
    if event.error:
        yield f"error={word(event.error)}"
    if event.failed_steps:
        yield f"failed_steps={','.join(map(word, event.failed_steps))}"


def word(text: str) -> str:
    """User's text as one word of a line: in quotes if it holds spaces; ``-`` if it is empty."""
    if not text:
        return "-"
    text = clean(text)
    if text == "-" or any(char.isspace() or char in '"=,' for char in text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return text
