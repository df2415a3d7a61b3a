"""The options of ``BatonMiddleware``, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from .durations import MAX_MESSAGE_DELAY, Duration, to_ms
from .errors import ConfigurationError
from .names import check_namespace


@dataclass(frozen=True, slots=True)
class Options:
    """How a middleware behaves. Times are in milliseconds; see :class:`.BatonMiddleware`."""

    namespace: str
    snooze_delay: int
    lease_ttl: int
    rescue_interval: int
    max_rescues: int
    retention: int
    max_result_size: int
    events_maxlen: int


def checked(
    *,
    namespace: str,
    snooze_delay: Duration,
    lease_ttl: Duration,
    rescue_interval: Duration,
    max_rescues: int,
    retention: Duration,
    max_result_size: int,
    events_maxlen: int,
) -> Options:
    """Check options as users give them.

    Raises:
      ConfigurationError: If one can't be used, naming it and its value.
      InvalidName: If the namespace can't be used.
    """
    options = Options(
        namespace=check_namespace(namespace),
        snooze_delay=to_ms(snooze_delay, name="snooze_delay", least=1),
        lease_ttl=to_ms(lease_ttl, name="lease_ttl", least=100),
        rescue_interval=to_ms(rescue_interval, name="rescue_interval", least=50),
        max_rescues=whole_number(max_rescues, name="max_rescues", least=1),
        retention=to_ms(retention, name="retention", least=1000),
        max_result_size=whole_number(max_result_size, name="max_result_size", least=1),
        events_maxlen=whole_number(events_maxlen, name="events_maxlen", least=1),
    )
    if options.snooze_delay > MAX_MESSAGE_DELAY // 2:
        raise ConfigurationError(
            f"snooze_delay must be at most {timedelta(milliseconds=MAX_MESSAGE_DELAY // 2)}, "
            f"not {options.snooze_delay} ms"
        )
    return options


def whole_number(value: int, *, name: str, least: int) -> int:
    """Return ``value`` if it is a whole number of at least ``least``.

    Raises:
      ConfigurationError: If it isn't, naming it.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigurationError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return value
