"""Plain actors on a broker with or without Baton, as ``BATON_TEST_WITH`` lists: ``results``, ``baton``."""

from __future__ import annotations

import os
from typing import Any

import dramatiq
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, CurrentMessage, SkipMessage
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from dramatiq_baton import BatonMiddleware

URL, NAMESPACE = os.environ["BATON_TEST_URL"], os.environ["BATON_TEST_NAMESPACE"]
WITH = os.environ["BATON_TEST_WITH"].split()


class Picky(dramatiq.Middleware):
    """Skips the messages that say so."""

    def before_process_message(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        if message.kwargs.get("skip"):
            raise SkipMessage("skipped by a middleware")


broker = RedisBroker(url=URL, namespace=f"{NAMESPACE}:broker")
for middleware in (AsyncIO(), CurrentMessage(), Picky()):
    broker.add_middleware(middleware)
backend = RedisBackend(url=URL, namespace=f"{NAMESPACE}:results")
if "results" in WITH:
    broker.add_middleware(Results(backend=backend, store_results=True))
if "baton" in WITH:
    state_url = os.environ["BATON_TEST_STATE_URL"]
    # So rarely does the rescue look that it doesn't: what is asked is asked for messages.
    broker.add_middleware(BatonMiddleware(url=state_url, namespace=NAMESPACE, rescue_interval=3_600_000))
dramatiq.set_broker(broker)

QUEUE = f"{NAMESPACE}-q"
SOON: dict[str, Any] = {"queue_name": QUEUE, "min_backoff": 5, "max_backoff": 10}


@dramatiq.actor(**SOON)
def answer(value: Any, *, skip: bool = False) -> Any:
    return value


@dramatiq.actor(max_retries=2, **SOON)
def fail(text: str) -> None:
    raise ValueError(text)


@dramatiq.actor(max_retries=1, throws=KeyError, **SOON)
def fail_as_expected(text: str) -> None:
    raise KeyError(text)


@dramatiq.actor(max_retries=1, **SOON)
def busy() -> None:
    raise dramatiq.RateLimitExceeded("too fast")


@dramatiq.actor(max_retries=0, max_age=1, **SOON)
def old() -> None: ...


@dramatiq.actor(max_retries=0, **SOON)
async def think(value: Any) -> Any:
    return value


@dramatiq.actor(max_retries=0, **SOON)
def which() -> str:
    """The options that its message came with."""
    message = CurrentMessage.get_current_message()
    assert message is not None
    return ",".join(sorted(message.options))


def send_some() -> list[dramatiq.Message[Any]]:
    """One message of each kind, and one for nobody."""
    nobody = dramatiq.Message(QUEUE, "nobody", (), {}, {})
    return [
        answer.send(None),
        answer.send({"a": [1]}),
        answer.send(1, skip=True),
        answer.send_with_options(args=("later",), delay=20),
        fail.send("boom"),
        fail_as_expected.send("boom"),
        busy.send(),
        old.send(),
        think.send("thought"),
        which.send(),
        broker.enqueue(nobody),
    ]
