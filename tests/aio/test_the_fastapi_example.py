"""``examples/fastapi_app.py`` as a reader would run it: a web server, a worker, and a client that reads the stream."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.support.processes import ROOT, WorkerProcess
from tests.support.servers import bundled_server

EXAMPLES = ROOT / "examples"


@contextmanager
def serving(redis_url: str) -> Iterator[httpx.Client]:
    """The example's web server, and a client of it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--port", "0"],
        cwd=EXAMPLES,
        env=environment(redis_url),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    try:
        said = ""
        while not (found := re.search(r"running on (http://\S+)", said)):
            line = server.stderr.readline()
            assert line, said
            said += line
        with httpx.Client(base_url=found[1], timeout=30) as client:
            yield client
    finally:
        server.terminate()
        server.communicate(timeout=30)


def environment(redis_url: str) -> dict[str, str]:
    return {**os.environ, "BATON_REDIS_URL": redis_url, "EXAMPLE_PAUSE": "0.01"}


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    server = bundled_server()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.terminate()


@pytest.fixture(scope="module")
def client(redis_url: str) -> Iterator[httpx.Client]:
    with serving(redis_url) as client:
        yield client


class Stream:
    """What a browser's ``EventSource`` makes of a stream."""

    def __init__(self, response: httpx.Response) -> None:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        self._lines = response.iter_lines()

    def __iter__(self) -> Iterator[tuple[str, str, Any]]:
        """Iterate over messages: their kind, their id, their data."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                yield fields.get("event", "message"), fields.get("id", ""), json.loads(fields["data"])
                fields = {}


def start(client: httpx.Client) -> str:
    answer = client.post("/runs", params={"topic": "tea"})
    assert answer.status_code == 201
    return str(answer.json()["id"])


def story(
    client: httpx.Client, run: str, headers: dict[str, str] | None = None
) -> list[tuple[str, str, Any]]:
    with client.stream("GET", f"/runs/{run}/events", headers=headers) as response:
        return list(Stream(response))


def test_a_browser_sees_a_workflow_run_and_goes_on_where_it_was(client: httpx.Client, redis_url: str) -> None:
    worker = WorkerProcess("fastapi_app", environment(redis_url), path=EXAMPLES)
    try:
        run = start(client)
        messages = story(client, run)
    finally:
        worker.kill()
    *told, end = messages
    assert end == ("end", "", run)
    assert (told[0][2]["event"], told[-1][2]["event"]) == ("workflow_started", "workflow_finished")
    assert told[-1][2]["outcome"] == "completed"
    assert [data["event"] for _, _, data in told if data["step"] == "read 3"] == [
        "executing", "snoozed", "executing", "completed"
    ]  # fmt: skip
    assert client.get(f"/runs/{run}").json()["results"]["write"] == (
        "What books say of tea; What papers say of tea; What people say of tea"
    )
    for at, (_, event_id, _) in enumerate(told):
        assert story(client, run, {"Last-Event-ID": event_id}) == messages[at + 1 :]


def test_events_come_while_the_workflow_runs(client: httpx.Client) -> None:
    """There is no worker, so the workflow stands still until the page cancels it."""
    run = start(client)
    with client.stream("GET", f"/runs/{run}/events") as response:
        messages = iter(Stream(response))
        assert next(messages)[2]["event"] == "workflow_started"
        assert client.get(f"/runs/{run}").json()["state"] == "executing"
        assert client.post(f"/runs/{run}/cancel").json() == {"cancelled": 5}
        rest = [data for _, _, data in messages]
    assert [data["event"] for data in rest[:-2]] == ["cancelled"] * 5
    assert (rest[-2]["event"], rest[-2]["outcome"], rest[-1]) == ("workflow_finished", "cancelled", run)


def test_the_page_reads_the_stream(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "new EventSource(`runs/${id}/events`)" in page.text


@pytest.mark.parametrize("path", ["", "/events"])
def test_an_unknown_workflow_is_not_found(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/runs/unknown{path}")
    assert answer.status_code == 404
    assert "there is no workflow 'unknown'" in answer.json()["detail"]


def test_without_redis_it_asks_to_try_again() -> None:
    with serving("redis://127.0.0.1:1/0") as client:
        answer = client.post("/runs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
