"""``BatonMiddleware``: where Dramatiq meets Baton. Each hook calls something with a name."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import redis
from dramatiq import Broker, Message, Middleware, Worker
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Interrupt, MiddlewareError, SkipMessage
from dramatiq.worker import WorkerThread

from . import delivery as deliveries
from . import gate, messages, options, quiet, recording
from .actors import skipping, step_function
from .advancing import Lane, give_back
from .decisions import Fail
from .delivery import Delivery
from .durations import Duration
from .errors import BatonError, ConfigurationError, CorruptData, StoreUnavailable
from .fastpath import FastPath, fast_path
from .handback import hand_back
from .leases import Leases
from .logs import get_logger
from .names import is_in_braces
from .observing import Observer, Observers
from .pricing import Pricing, PublicPrices
from .rescue import Rescue
from .runtime import Runtime
from .store.refusals import in_no_slot
from .store.routes import Client
from .store.store import Store

#: The environment variable that names the Redis server if nothing else does.
URL_VARIABLE = "BATON_REDIS_URL"

log = get_logger()


class CannotStart(ConfigurationError, MiddlewareError):
    """A worker can't start: Dramatiq lets only a ``MiddlewareError`` out of a hook."""


class BatonMiddleware(Middleware):
    """Lets a broker's actors be steps of workflows.

    It works wherever it stands in the broker's list of middleware.

    Examples:

      >>> broker = RedisBroker(url="redis://127.0.0.1:6379/0")
      >>> broker.add_middleware(BatonMiddleware())

    Parameters:
      client: A redis-py client that says where workflows are kept: a ``Redis``, also one that a ``Sentinel`` made, or a
        ``RedisCluster``.
      url: Where they are kept, if no client is given. If there is neither, the broker's own client
        serves (``RedisBroker``), else the environment variable ``BATON_REDIS_URL``.
      namespace: The first part of all keys in Redis. Workers and submitters must agree on it. On a cluster it must
        stand in braces, ``{baton}``: all its keys then lie on one node.
      snooze_delay: How long a step waits that can't run yet, or is over a rate limit; jittered by half.
      lease_ttl: How long a worker may be out of touch before its steps are given to others.
      rescue_interval: How often lost work is looked for.
      max_rescues: After how many deaths of its workers a step is discarded.
      retention: How long a finished workflow's data is kept.
      max_result_size: The size of the largest result that is stored, in bytes.
      events_maxlen: About how many events the stream of all workflows keeps.
      pricing: Knows what calls to providers cost; the public prices of ``genai-prices`` if not given.
      observers: Told of what happens, for metrics and traces; see :mod:`dramatiq_baton.instrumentation`. Without any,
        nothing is asked or sent for them.

    All times are milliseconds, or a ``timedelta``.

    Raises:
      ConfigurationError: If an option can't be used, naming it and its value.
    """

    def __init__(
        self,
        *,
        client: Client | None = None,
        url: str | None = None,
        namespace: str = "baton",
        snooze_delay: Duration = 5_000,
        lease_ttl: Duration = 15_000,
        rescue_interval: Duration = 2_000,
        max_rescues: int = 3,
        retention: Duration = timedelta(days=7),
        max_result_size: int = 1024 * 1024,
        events_maxlen: int = 100_000,
        pricing: Pricing | None = None,
        observers: Iterable[Observer] = (),
    ) -> None:
        if client is not None and not isinstance(client, redis.Redis | redis.RedisCluster):
            raise ConfigurationError(
                f"client must be a redis.Redis or a redis.RedisCluster, not {type(client).__name__}; "
                "an address is given as url="
            )
        if url is not None and not isinstance(url, str):
            raise ConfigurationError(f"url must be a str, not {type(url).__name__}")
        if pricing is not None and not isinstance(pricing, Pricing):
            raise ConfigurationError(
                f"pricing must have a method cost(usage), as PriceList has, not {pricing!r:.80}"
            )
        self._client = client
        self._url = url
        self._observers = Observers(observers)
        self._pricing = PublicPrices() if pricing is None else pricing
        self._options = options.checked(
            namespace=namespace,
            snooze_delay=snooze_delay,
            lease_ttl=lease_ttl,
            rescue_interval=rescue_interval,
            max_rescues=max_rescues,
            retention=retention,
            max_result_size=max_result_size,
            events_maxlen=events_maxlen,
        )
        if isinstance(client, redis.RedisCluster) and not is_in_braces(namespace):
            raise in_no_slot("what client= leads to", namespace)
        self._runtime: Runtime | None = None
        self._path: FastPath | None = None
        self._rescue: Rescue | None = None
        self._lock = threading.Lock()

    def runtime(self, broker: Broker) -> Runtime:
        """The middleware's parts, made on first use: after the fork, in the process that needs them.

        Raises:
          ConfigurationError: If nothing says where Redis is, or it can't be used.
          StoreUnavailable: If it doesn't answer.
        """
        with self._lock:
            runtime = self._runtime
            if runtime is None or runtime.pid != os.getpid():
                store = Store(
                    self._redis(broker),
                    namespace=self._options.namespace,
                    lease_ttl=self._options.lease_ttl,
                    events_maxlen=self._options.events_maxlen,
                )
                if self._observers:
                    store.watcher, store.carries = self._observers.tell, self._observers.carry
                runtime = self._runtime = Runtime(
                    broker, store, self._options, Leases(store), self._pricing, self._observers
                )
                path = self._path = fast_path(broker, store.connections, self)
                if path is not None:
                    store.sends_to = path.sends_to
            return runtime

    def _redis(self, broker: Broker) -> Client:
        if self._client is not None:
            return self._client
        url = self._url
        if url is None:
            client = getattr(broker, "client", None)
            if isinstance(client, redis.Redis):
                return client
            url = os.environ.get(URL_VARIABLE)
        if not url:
            raise ConfigurationError(
                f"BatonMiddleware doesn't know where Redis is: give it client= or url=, or set {URL_VARIABLE}"
            )
        return client_from(url)

    # A worker's life ----------------------------------------------------------------------------

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        quiet.install()
        try:
            runtime = self.runtime(broker)
            runtime.store.check_server()
        except StoreUnavailable as error:
            log.warning("Redis doesn't answer; no step runs until it does", error=str(error))
        except BatonError as error:
            raise CannotStart(str(error)) from None
        runtime.observers.starting()
        if self._path is not None:
            runtime.lane = Lane.into(worker, self._path)

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        runtime = self.runtime(broker)
        runtime.leases.start()
        self._rescue = Rescue(
            runtime.store,
            broker,
            who=runtime.worker,
            interval=self._options.rescue_interval,
            max_rescues=self._options.max_rescues,
        )
        self._rescue.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        if (lane := self.runtime(broker).lane) is not None:
            lane.turns.close()
        hand_back(broker, worker)
        if self._rescue is not None:
            self._rescue.stop()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        runtime = self.runtime(broker)
        runtime.lane = None
        runtime.leases.stop()  # only now: what was still running had to keep its lease
        runtime.store.connections.close()

    def before_worker_thread_shutdown(self, broker: Broker, thread: WorkerThread) -> None:
        if (lane := self.runtime(broker).lane) is not None:
            give_back(lane)

    # A message's life ---------------------------------------------------------------------------

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        if not messages.is_for_step(message):
            deliveries.end()
            return
        if step_function(broker.get_actor(message.actor_name)) is None:
            # Nothing would keep its function from running, with placeholders in place of results.
            message.fail()
            raise SkipMessage(f"actor {message.actor_name!r} isn't a workflow actor here")
        delivery = None
        try:
            delivery = self._delivery(broker, message)
            deliveries.begin(delivery)
            gate.ask(delivery)
        except Interrupt:
            # It was meant for the actor, which doesn't run now. The last hook, where none can come, asks again.
            if delivery is None:
                raise
            deliveries.begin(delivery)
            delivery.ready = False
            raise skipping(delivery) from None
        except Exception as error:  # Dramatiq would swallow it and run the actor
            log.exception("dropped a step's message; the rescue will see to it", message=message.message_id)
            raise SkipMessage("the gate could not be asked") from error

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        delivery = deliveries.current_delivery()
        if delivery is None or not messages.is_for_step(message):
            return
        step, action = delivery.step, delivery.action
        if step is None or not isinstance(action, Fail) or messages.read(message).address != step.address:
            return
        # Dramatiq's Retries sends a retry. It is written down before it can arrive anywhere.
        if not delivery.recorded:
            retries = int(message.options.get("retries", 0))
            recording.record_retry(delivery, step, action.error, delay=delay or 0, retries=retries)
        seq = messages.OUTDATED if delivery.retry_seq is None else delivery.retry_seq
        message.options[messages.OPTION] = replace(step, seq=seq, refusals=0).option

    def before_ack(self, broker: Broker, message: MessageProxy) -> None:
        self._conclude(broker, message, rejected=False)

    def before_nack(self, broker: Broker, message: MessageProxy) -> None:
        self._conclude(broker, message, rejected=True)

    def _conclude(self, broker: Broker, message: MessageProxy, *, rejected: bool) -> None:
        if not messages.is_for_step(message) or messages.is_delayed(message):
            return
        delivery = deliveries.delivery_of(message)
        if delivery is None:  # Dramatiq refused it before the gate could see it
            delivery = self._delivery(broker, message)
            deliveries.begin(delivery)
            if delivery.ahead is None:
                recording.refuse(delivery)
            else:
                delivery.claim = delivery.ahead
        recording.conclude(delivery, rejected=rejected)
        deliveries.end()

    def _delivery(self, broker: Broker, message: MessageProxy) -> Delivery:
        runtime = self.runtime(broker)
        retries = message.options.get("retries", 0)
        if (ahead := deliveries.ahead_of(message)) is not None:
            return Delivery(runtime, message, ahead.step, ahead.holder, retries, ahead.claim)
        step = None
        try:
            step = messages.read(message)
        except CorruptData as error:
            log.error("dropped a message", error=str(error))
        return Delivery(runtime, message, step, runtime.next_holder(), retries)


def client_from(url: str) -> redis.Redis:
    """A client for ``url``.

    Raises:
      ConfigurationError: If it isn't a URL of a Redis server.
    """
    try:
        return redis.Redis.from_url(url)
    except ValueError as error:
        # Only redis-py's own words: urllib's may quote what it takes for the port, a part of the password.
        own_words = str(error).startswith(("Redis URL", "Invalid value for"))
        reason = str(error) if own_words else "its user, password, host and port can't be told apart"
        raise ConfigurationError(
            f"the Redis URL can't be used: {reason}; it looks like redis://user:password@host:6379/0, "
            "special characters of the password as %XX"
        ) from None
