"""How often in a row a step was refused stands in its message, as long as it matters."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from dramatiq import Broker, Message, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Shutdown

from dramatiq_baton import BatonMiddleware, Snooze, Workflow
from dramatiq_baton.llm import llm_actor
from dramatiq_baton.messages import StepMessage
from dramatiq_baton.store.store import Address
from tests.support.lab import Lab, Log, Sent
from tests.support.state_server import StateServer

from .shapes import of_openai

REFUSAL = of_openai(429, {"retry-after-ms": "1"})


@pytest.mark.parametrize(
    ("raised", "counts"),
    [
        ([REFUSAL, REFUSAL, REFUSAL], [None, 1, 2, 3]),
        ([REFUSAL, REFUSAL, ValueError("boom"), REFUSAL], [None, 1, 2, None, 1]),
        ([REFUSAL, Snooze(1), REFUSAL], [None, 1, None, 1]),
        ([ValueError("boom"), REFUSAL], [None, None, 1]),
    ],
    ids=["in a row", "a failure between", "a snooze between", "after a failure"],
)
def test_a_row_is_counted_and_ended_by_anything_else(
    lab: Lab, raised: list[Exception], counts: list[int | None]
) -> None:
    @llm_actor(broker=lab.broker, min_backoff=10, max_backoff=20, paced=False)
    def work() -> str:
        if (times := lab.note("started")) <= len(raised):
            raise raised[times - 1]
        return "done"

    flow = Workflow("flow")
    flow.add("a", work.message())
    run = lab.finish(flow, dispatch="ready")
    assert run.result("a") == "done"
    # A delayed message is sent twice: onto the delay queue, and from there onto its own.
    sent: dict[int, Any] = {
        message.options["baton"]["seq"]: message.options["baton"].get("refusals")
        for message in lab.sent.messages
    }
    assert [sent[seq] for seq in sorted(sent)][-len(raised) :] == counts[1:]


class RefusedBefore(Middleware):
    """Makes the first message of a step one of a step that was refused once."""

    done = False

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        if not self.done:
            message.options["baton"] = {**message.options["baton"], "refusals": 1}
            self.done = True


def test_a_message_that_the_gate_puts_back_keeps_the_count(
    split_lab: Lab, state_server: StateServer, log: Log
) -> None:
    lab = split_lab
    lab.broker.add_middleware(RefusedBefore(), before=Sent)

    @llm_actor(broker=lab.broker, max_refusals=1)
    def work() -> None:
        raise REFUSAL

    flow = Workflow("flow")
    flow.add("a", work.message())
    run = lab.run(flow)
    client = redis.Redis.from_url(state_server.url)
    client.config_set("min-replicas-to-write", 1)  # as a primary does that has lost its replicas
    with lab.working():
        log.wait("put a step back: Redis doesn't answer")
        client.config_set("min-replicas-to-write", 0)
        run.wait(timeout=30_000)
    client.close()
    step = run.status().steps["a"]
    assert step.reason.startswith("refused 2 times in a row, max_refusals is 1: ")
    assert step.attempt == 1


class Interrupting(Middleware):
    """Interrupts the first message before Baton sees it."""

    done = False

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        if not self.done:
            self.done = True
            raise Shutdown


def test_a_message_that_is_interrupted_before_the_gate_keeps_the_count(lab: Lab) -> None:
    lab.broker.add_middleware(RefusedBefore(), before=Sent)
    lab.broker.add_middleware(Interrupting(), before=BatonMiddleware)

    @llm_actor(broker=lab.broker, max_refusals=1)
    def work() -> None:
        raise REFUSAL

    flow = Workflow("flow")
    flow.add("a", work.message())
    step = lab.finish(flow).status().steps["a"]
    assert step.reason.startswith("refused 2 times in a row, max_refusals is 1: ")
    assert step.attempt == 1


def test_the_option_says_nothing_of_no_refusals() -> None:
    step = StepMessage("ns", Address("w", "a"), 1, ())
    assert "refusals" not in step.option
    assert StepMessage("ns", Address("w", "a"), 1, (), refusals=2).option["refusals"] == 2
