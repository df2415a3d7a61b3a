"""The README's operations chapter is a real session: run again, it goes as it stands there."""

from __future__ import annotations

import re

from tests.readme.session import COMMANDS, office, transcript
from tests.support.processes import ROOT
from tests.support.transcripts import normal


def chapter() -> str:
    (block,) = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    return str(block)


def test_the_session_goes_as_the_chapter_says() -> None:
    with office() as found:
        told = transcript(found, [command.format(id=found.id) for command in COMMANDS])
    assert normal(told) == normal(chapter())


def test_the_workflow_of_the_chapter_is_one_in_its_own_lines() -> None:
    ids = set(re.findall(r"(?:show|graph|retry|watch) ([0-9a-f]{32})", chapter()))
    assert len(ids) == 1
    assert f"✗ nightly-report  {ids.pop()}" in chapter()
