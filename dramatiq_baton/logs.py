"""One logger for the package: structlog in front, the standard library's ``logging`` behind.

Dramatiq logs through ``logging``; so do we, under ``dramatiq_baton``, so that one configuration governs
both. structlog gives each line its key-value pairs.
"""

from __future__ import annotations

import logging
from typing import cast

import structlog


def get_logger() -> structlog.stdlib.BoundLogger:
    """The package's logger."""
    wrapped = structlog.wrap_logger(
        logging.getLogger("dramatiq_baton"),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.stdlib.PositionalArgumentsFormatter(),
            _as_text,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return cast(structlog.stdlib.BoundLogger, wrapped)


def _as_text(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> tuple[tuple[str, str], dict[str, object]]:
    trace = event.pop("exception", None)
    text = " ".join([str(event.pop("event")), *(f"{name}={value!r}" for name, value in event.items())])
    # As an argument: a % in a user's name is not a format.
    return ("%s", text if trace is None else f"{text}\n{trace}"), {}
