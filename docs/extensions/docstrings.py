"""Reads docstrings in the style that Dramatiq's are written in, and makes Sphinx's fields of their sections.

Napoleon reads nearly the same, but takes the first words of ``Returns:`` for a type, and loses the types of attributes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx

_ENTRY = re.compile(r"(?P<names>[*\w.]+(?:, [*\w.]+)*): *(?P<text>.*)")
#: What can't be looked up: type variables.
_VARIABLE = re.compile(r"\b[A-Z]\b")
#: Made by Baton alone, so how isn't said.
NOT_FOR_USERS = {
    *(
        "Answers",
        "Call",
        "Event",
        "Execution",
        "FinishedWorkflow",
        "Step",
        "StepChange",
        "StepRef",
        "StepRescue",
    ),
    *("StepStatus", "Submission", "UsageReport", "UsageSum", "WorkflowEnd", "WorkflowRun", "WorkflowStart"),
    "WorkflowStatus",
}


def rewrite(lines: list[str], obj: Any) -> Iterator[str]:
    """The lines of a docstring, with its sections as fields."""
    writers = {
        "Parameters:": _fields("param"),
        "Raises:": _fields("raises"),
        "Returns:": _returns,
        "Attributes:": _attributes,
        "Examples:": lambda section, _obj: iter(section),
    }
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if line not in writers:
            yield line
            continue
        section = []
        while position < len(lines) and (not lines[position].strip() or lines[position].startswith(" ")):
            section.append(lines[position])
            position += 1
        yield ""
        yield from writers[line](inspect.cleandoc("\n".join(["", *section])).splitlines(), obj)
        yield ""


def _entries(section: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The entries of a section: each name, and its text."""
    for start in [at for at, line in enumerate(section) if line and not line.startswith(" ")]:
        entry = _ENTRY.fullmatch(section[start])
        if entry is None:
            raise ValueError(f"not an entry of a docstring's section: {section[start]!r}")
        more = []
        for line in section[start + 1 :]:
            if line and not line.startswith(" "):
                break
            more.append(line.strip())
        for name in entry["names"].split(", "):
            yield name, [entry["text"], *more]


def _fields(field: str) -> Any:
    def write(section: list[str], _obj: Any) -> Iterator[str]:
        for name, text in _entries(section):
            yield f":{field} {name.replace('*', chr(92) + '*')}: {' '.join(text).rstrip()}"

    return write


def _returns(section: list[str], _obj: Any) -> Iterator[str]:
    yield f":returns: {' '.join(line.strip() for line in section).rstrip()}"


def _attributes(section: list[str], obj: Any) -> Iterator[str]:
    annotations = inspect.get_annotations(obj) if inspect.isclass(obj) else {}
    for name, text in _entries(section):
        yield f".. attribute:: {name}"
        annotation = annotations.get(name, "")
        if annotation and not _VARIABLE.search(annotation):
            yield f"   :type: {annotation}"
        yield ""
        yield from (f"   {line}" for line in text)
        yield ""


def process(_app: Sphinx, _what: str, _name: str, obj: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = rewrite(list(lines), obj)


def signature(_app: Sphinx, what: str, name: str, *_: Any) -> tuple[str, None] | None:
    return ("", None) if what == "class" and name.rpartition(".")[2] in NOT_FOR_USERS else None


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
