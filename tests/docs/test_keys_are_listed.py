"""The key schema: every key that there is stands in it, and of the type that it says."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

import pytest
import redis

from dramatiq_baton import WorkflowState
from tests.support.brokers import hang_up
from tests.support.processes import ROOT, WorkerProcess

from .pages import DOCS, table_rows

PAGE = DOCS / "guides" / "keys.md"
HEADER = ROOT / "dramatiq_baton" / "store" / "lua" / "shared" / "keys.lua"
#: What stands in the names of keys for what differs.
DIFFERENT = {
    **dict.fromkeys(("NONCE", "QUEUE", "STATE", "WORKER"), r"[a-z0-9][\w-]*"),
    **dict.fromkeys(("LANE", "THREAD"), ".+"),
    "ID": r"[^{}]+",
}
_DIFFERENT = re.compile(rf"\b({'|'.join(DIFFERENT)})\b")


def schema() -> dict[str, str]:
    """The type of each key by its name."""
    rows = [
        row for heading in ("A workflow", "All workflows", "The broker") for row in table_rows(PAGE, heading)
    ]
    return {row[0].strip("`"): row[1] for row in rows if row[0] != "key"}


def pattern_of(name: str) -> str:
    return "".join(DIFFERENT.get(part) or re.escape(part) for part in _DIFFERENT.split(name))


def kind_of(key: str) -> str | None:
    """The type that the schema says a key has; ``None`` if it isn't there."""
    return next((kind for name, kind in schema().items() if re.fullmatch(pattern_of(name), key)), None)


@pytest.fixture
def keys(own_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """All keys that were there while :mod:`.everything` ran, and when it had finished, with their types."""
    found: dict[str, str] = {}

    def look() -> None:
        for key in client.scan_iter("*"):
            if (kind := client.type(key)) != "none":
                found[key] = {"zset": "sorted set"}.get(kind, kind)

    monkeypatch.setenv("BATON_REDIS_URL", own_url)
    program = importlib.import_module("tests.docs.everything")
    client = redis.Redis.from_url(own_url, decode_responses=True)
    worker = WorkerProcess("tests.docs.everything:broker", {"BATON_REDIS_URL": own_url})
    try:
        worker.wait_ready()
        run = program.everything().run(broker=program.broker)
        for _ in run.events(follow=True):
            look()
        assert run.status().state is WorkflowState.FAILED
        assert run.result("last") == 2
        look()
        yield found
    finally:
        worker.kill()
        client.close()
        hang_up(program.broker)


def test_each_key_that_a_workflow_leaves_is_listed(keys: dict[str, str]) -> None:
    assert {key: kind_of(key) for key in keys} == keys
    assert {"once", "usage", "results", "events", "ends"} <= {key.rpartition(":")[2] for key in keys}


def test_each_key_that_the_scripts_name_is_listed() -> None:
    told = HEADER.read_text("utf-8")
    suffixes = re.findall(r"^--   KEYS\[1\](:\w+)", told, re.MULTILINE)
    entries = re.findall(r"^--   KEYS\[2\](:\w+)", told, re.MULTILINE)
    assert len(suffixes) + len(entries) > 15
    names = [f"baton:workflow:{{ID}}{suffix}" for suffix in suffixes]
    names += [f"baton:index{entry}" for entry in entries]
    listed = schema()
    assert [name for name in names if not any(row.startswith(name) for row in listed)] == []


def test_each_field_of_a_workflow_is_listed() -> None:
    told = HEADER.read_text("utf-8").partition("a hash, the workflow itself:")[2].partition("--   and, in")[0]
    # Each line begins with names, up to two or more spaces or a colon behind which something is said of the last one.
    beginnings = re.findall(r"^-- {12}(\S.*?)(?: {2,}|$)", told, re.MULTILINE)
    fields = {name for line in beginnings for name in re.findall(r"\b[a-z_]+\b", line)}
    listed = " ".join(row[0] for row in table_rows(PAGE, "Fields of a workflow"))
    named = set(re.findall(r"`([a-z_]+)(?::STATE)?`", listed))
    assert {"name", "state", "open", "walk"} <= fields
    assert fields - named - {"state"} == set()
