"""Shutdown: a worker that is told to stop hands back the steps that it has fetched and will not start.

Dramatiq does so itself, but only when what is running has ended, which may take minutes; until then its
consumers even fetch more. Here steps go back to their queues at once, for other workers to run.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from dramatiq import Broker, Worker
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import iter_queue

from .decisions import describe
from .logs import get_logger
from .messages import is_for_step

log = get_logger()


def hand_back(broker: Broker, worker: Worker) -> None:
    """Fetch no more, and put fetched steps back. Other messages stay where Dramatiq keeps them.

    Only with a ``RedisBroker``: RabbitMQ can't give back single messages, and does so by itself when the worker's
    connection closes.
    """
    if not isinstance(broker, RedisBroker):
        return
    for queue, consumer in worker.consumers.items():
        if not queue.endswith(".DQ"):  # those of delayed messages go on, and with them the worker's heartbeat
            consumer.prefetch = 0
            if consumer.consumer is not None:
                consumer.consumer.prefetch = 0  # type: ignore[attr-defined]
    steps: dict[str, list[MessageProxy]] = defaultdict(list)
    others: list[Any] = []
    for item in iter_queue(worker.work_queue):  # type: ignore[no-untyped-call]
        if is_for_step(item.message):
            steps[item.message.queue_name].append(item.message)
        else:
            others.append(item)
    for item in others:
        worker.work_queue.put(item)
    for queue, messages in steps.items():
        try:
            worker.consumers[queue].requeue_messages(messages)
        except Exception as error:  # whatever a broker raises; the rescue sends them again
            log.warning("steps were not handed back; the rescue will", queue=queue, error=describe(error))
