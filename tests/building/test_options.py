"""Options of ``BatonMiddleware``, ``workflow_actor`` and the answers, checked when they are given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import redis
import redis.asyncio
from dramatiq.brokers.stub import StubBroker

from dramatiq_baton import (
    BatonError,
    BatonMiddleware,
    ConfigurationError,
    Snooze,
    workflow_actor,
)

TIMES = ["snooze_delay", "lease_ttl", "rescue_interval", "retention"]
NUMBERS = ["max_rescues", "max_result_size", "events_maxlen"]


@pytest.mark.parametrize("option", TIMES)
@pytest.mark.parametrize(
    "value", [0, -1, -(10**12), timedelta(seconds=-1), timedelta(0), None, "5000", 1.5, True, [1]], ids=repr
)
def test_a_time_that_is_none_is_refused_by_its_name(option: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=option):
        BatonMiddleware(**{option: value})


@pytest.mark.parametrize("option", NUMBERS)
@pytest.mark.parametrize("value", [0, -1, None, "3", 1.0, True, float("inf"), timedelta(1)], ids=repr)
def test_a_number_that_is_none_is_refused_by_its_name(option: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} must be a whole number of at least 1, not"):
        BatonMiddleware(**{option: value})


def test_a_snooze_delay_that_dramatiq_could_not_keep_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="snooze_delay must be at most"):
        BatonMiddleware(snooze_delay=timedelta(days=4))


def test_an_option_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="lease_time"):
        BatonMiddleware(lease_time=5)  # type: ignore[call-arg]


def test_times_may_be_milliseconds_or_timedeltas() -> None:
    BatonMiddleware(
        snooze_delay=timedelta(seconds=1),
        lease_ttl=timedelta(seconds=10),
        rescue_interval=timedelta(seconds=1),
        retention=timedelta(days=400),
    )
    BatonMiddleware(snooze_delay=1, lease_ttl=100, rescue_interval=50, retention=1000)


@pytest.mark.parametrize(
    "client",
    ["redis://127.0.0.1:6379/0", 6379, [], redis.Redis, redis.asyncio.Redis()],
    ids=["url", "number", "object", "class", "asyncio"],
)
def test_a_client_that_is_none_is_refused(client: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"client must be a redis\.Redis"):
        BatonMiddleware(client=client)


@pytest.mark.parametrize("url", [6379, b"redis://127.0.0.1", []], ids=["number", "bytes", "object"])
def test_a_url_that_is_no_text_is_refused(url: Any) -> None:
    with pytest.raises(ConfigurationError, match="url must be"):
        BatonMiddleware(url=url)


@pytest.mark.parametrize("option", ["on_dep_cancelled", "on_dep_discarded"])
@pytest.mark.parametrize("callback", ["name", 1, []], ids=repr)
def test_a_callback_that_cannot_be_called_is_refused(option: str, callback: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"{option} must be callable as \(reason, step\)"):
        workflow_actor(**{option: callback})


def test_an_option_of_an_actor_that_no_middleware_knows_is_refused_as_dramatiq_does() -> None:
    with pytest.raises(ValueError, match="nonsense"):

        @workflow_actor(broker=StubBroker(), nonsense=1)
        def actor() -> None: ...


@pytest.mark.parametrize(
    "delay", [-1, timedelta(seconds=-1), timedelta(days=8), "1", None, 1.5, True], ids=repr
)
def test_a_snooze_without_a_usable_delay_is_refused(delay: Any) -> None:
    with pytest.raises(ConfigurationError, match="Snooze's delay"):
        Snooze(delay)


def test_wrong_options_are_baton_errors_and_value_errors() -> None:
    assert issubclass(ConfigurationError, BatonError)
    assert issubclass(ConfigurationError, ValueError)
