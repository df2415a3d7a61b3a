"""The README's pieces of code: they take names for known that every reader has in mind, so those are given here.

Its example, its test and its session are run as a whole in ``tests/readme``.
"""

from __future__ import annotations

import pytest

from .pages import README, blocks
from .reading import Reader

KNOWN = """
from types import SimpleNamespace

from brief import *
from dramatiq_baton.testing import run_workflow

flow = Workflow("review")
page = flow.add("fetch", fetch.message("https://example.com"))


@workflow_actor
def publish(text: str) -> str:
    return f"published: {text}"


def ask_model(prompt):
    return f"a draft on {prompt}"


async def ask_model_async(draft):
    return f"{draft}, reviewed"


def create(model, messages):
    message = SimpleNamespace(content=f"{model} on {messages[0]['content']}")
    usage = SimpleNamespace(prompt_tokens=1_000_000, completion_tokens=0)
    return SimpleNamespace(model=model, usage=usage, choices=[SimpleNamespace(message=message)])


client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
"""

#: What is done with what the pieces define.
USE = """
flow = Workflow("use")
flow.add("review", reviewed.message("batons"))
flow.add("answer", answer.message("batons"))
finished = run_workflow(flow)
print(finished.result("review"))
print(finished.result("answer"))
print(finished.usage.total.cost)
print(list(votes.by_model))
"""


@pytest.fixture
def reader(reader: Reader) -> Reader:
    (example,) = (block for block in blocks(README) if block.file == "brief.py")
    reader.write(example)
    reader.do("dramatiq brief")
    reader.run(KNOWN, file="what is known")
    return reader


def test_they_run_and_what_they_define_does_what_it_is_said_to_do(reader: Reader) -> None:
    pieces = [block for block in blocks(README) if block.language == "python" and not block.file]
    assert len(pieces) >= 4
    *_, last = [reader.run(piece.text, file="README.md", line=piece.line) for piece in pieces]
    assert last.splitlines()[-1] == "Baton passes results on (computes, passes, results, twice)"
    assert reader.run(USE, file="what follows").splitlines() == [
        "a draft on batons, reviewed",
        "gpt-4o-mini on batons",
        "0.15",
        "['gpt-5', 'claude', 'llama']",
    ]
