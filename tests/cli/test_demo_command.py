"""``dramatiq-baton demo``: it needs nothing, shows what it promises, and leaves nothing running."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.terminal import Terminal, piped

pytestmark = pytest.mark.timeout(180)


def processes_with(variable: str) -> list[str]:
    """The commands of all processes that have a variable in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if variable.encode() in (folder / "environ").read_bytes() and int(folder.name) != os.getpid():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except (OSError, PermissionError):
            continue
    return found


def test_it_prints_the_brief_and_all_that_happened_on_the_way(tmp_path: Path) -> None:
    ended = piped("demo", "--sources", "3", "--pace", "20", MARK=str(tmp_path), timeout=120, anew=True)
    assert ended.returncode == 0, ended.stderr
    events, _, brief = ended.stdout.partition("# What these Python packages are for")
    assert "retryable" in events
    assert "snoozed" in events
    assert "discarded" in events
    assert "completed" in events
    assert "3 sources were read" in brief
    assert "a-package-that-is-not-there" in brief
    assert processes_with(f"MARK={tmp_path}") == []


def test_ctrl_c_stops_all_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", str(tmp_path))
    terminal = Terminal("demo", "--pace", "30000", anew=True)
    terminal.wait_for("executing")
    assert len(processes_with(f"MARK={tmp_path}")) >= 4  # it, the server, dramatiq and its workers
    terminal.interrupt()
    assert terminal.ended(60) == 130
    assert processes_with(f"MARK={tmp_path}") == []
