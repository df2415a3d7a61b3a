"""A web page that shows a workflow while it runs: FastAPI, and the workflow's events as server-sent events.

``dramatiq fastapi_app`` runs the workers, ``uvicorn fastapi_app:app`` serves the page at http://127.0.0.1:8000.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import dramatiq
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from dramatiq_baton import (
    BatonMiddleware,
    Snooze,
    StoreUnavailable,
    Workflow,
    WorkflowNotFound,
    WorkflowRun,
    current_step,
    get_run_async,
    workflow_actor,
)
from dramatiq_baton.brokers import RedisBroker

broker = RedisBroker(url=os.environ.get("BATON_REDIS_URL", "redis://127.0.0.1:6379/0"))
broker.add_middleware(BatonMiddleware())
dramatiq.set_broker(broker)

#: How many seconds each step takes, so that there is something to be seen.
PAUSE = float(os.environ.get("EXAMPLE_PAUSE", "0.7"))


# What the workers do ----------------------------------------------------------------------------


@workflow_actor
def collect(topic: str) -> list[str]:
    time.sleep(PAUSE)
    return [f"what {who} say of {topic}" for who in ("books", "papers", "people")]


@workflow_actor
def read(sources: list[str], number: int) -> str | Snooze:
    time.sleep(PAUSE)
    step = current_step()
    if number == 2 and step is not None and step.attempt == 1:
        return Snooze(int(PAUSE * 1000))  # people have no time at once
    return sources[number].capitalize()


@workflow_actor
def write(parts: list[str]) -> str:
    time.sleep(PAUSE)
    return "; ".join(parts)


def brief(topic: str) -> Workflow:
    flow = Workflow("web-brief")
    sources = flow.add("collect", collect.message(topic))
    parts = [flow.add(f"read {number + 1}", read.message(sources, number)) for number in range(3)]
    flow.add("write", write.message(parts))
    return flow


# What the web server does -----------------------------------------------------------------------

app = FastAPI()


async def find(workflow_id: str) -> WorkflowRun:
    try:
        return await get_run_async(workflow_id)
    except WorkflowNotFound as error:
        raise HTTPException(404, str(error)) from None


Run = Annotated[WorkflowRun, Depends(find)]


@app.exception_handler(StoreUnavailable)
async def unavailable(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the workflows can't be reached, try again"}, 503, {"Retry-After": "5"})


@app.get("/")
async def page() -> FileResponse:
    return FileResponse(Path(__file__).with_name("fastapi_page.html"))


@app.post("/runs", status_code=201)
async def start(topic: str = "workflows") -> dict[str, str]:
    run = await brief(topic).run_async()
    return {"id": run.id}


@app.get("/runs/{workflow_id}")
async def show(run: Run) -> dict[str, Any]:
    status = await run.status_async()
    return {
        "state": status.state,
        "steps": {name: step.state for name, step in status.steps.items()},
        "results": await run.results_async(),
    }


@app.post("/runs/{workflow_id}/cancel")
async def cancel(run: Run) -> dict[str, int]:
    return {"cancelled": await run.cancel_async("by the page")}


@app.get("/runs/{workflow_id}/events", response_class=EventSourceResponse)
async def events(
    run: Run, last_event_id: Annotated[str, Header(pattern=r"^\d+(-\d+)?$")] = "0"
) -> AsyncIterator[ServerSentEvent]:
    """The story so far, then what happens. A browser that lost the connection says which event it has seen last."""
    async for event in run.events_async(last_event_id, follow=True):
        yield ServerSentEvent(id=event.id, data=event.as_dict())
    yield ServerSentEvent(event="end", data=run.id)  # else the browser would come back for more
