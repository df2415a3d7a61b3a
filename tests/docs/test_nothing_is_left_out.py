"""What users can meet stands on the pages: each name of the API, error, command, and line in a log."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator

import pytest

from dramatiq_baton import errors
from dramatiq_baton.cli.app import cli
from tests.support.processes import ROOT

from .pages import DOCS, table_rows

PACKAGE = ROOT / "dramatiq_baton"
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")


def documented() -> set[str]:
    """The names that the API's pages document."""
    text = "".join(page.read_text("utf-8") for page in (DOCS / "api").glob("*.rst"))
    names = set(re.findall(r"^\.\. auto(?:class|function|exception):: (\w+)", text, re.MULTILINE))
    if ".. automodule:: dramatiq_baton.errors\n   :members:" in text:
        names |= set(vars(errors))
    return names


@pytest.mark.parametrize("package", ["", ".llm", ".testing", ".brokers", ".instrumentation"])
def test_each_exported_name_is_documented(package: str) -> None:
    assert set(importlib.import_module(f"dramatiq_baton{package}").__all__) - documented() == set()


def test_each_error_says_what_it_means() -> None:
    found = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert len(found) > 15
    assert [each.__name__ for each in found if not each.__doc__] == []


def test_each_command_is_shown_in_a_guide() -> None:
    told = "".join(page.read_text("utf-8") for page in (DOCS / "guides").glob("*.md"))
    assert [name for name in cli.commands if f"dramatiq-baton {name}" not in told] == []


def logged() -> Iterator[tuple[str, str]]:
    """The level and the text of each line that the package can log."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(ast.Attribute(ast.Name("log"), level), arguments) if level in LEVELS:
                    said = arguments[0] if arguments else None
                    assert isinstance(said, ast.Constant), f"{path}:{node.lineno} can't be looked up"
                    yield level, str(said.value)


def test_each_line_of_the_log_is_listed_with_its_level() -> None:
    rows = table_rows(DOCS / "guides" / "production.md", "What is logged")
    listed = {(row[0], row[1].strip("`")) for row in rows if row[0] != "level"}
    assert listed == set(logged())
