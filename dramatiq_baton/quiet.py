"""Keeps Dramatiq's log free of warnings about what is normal in a workflow.

Dramatiq warns of each skipped message, and of each returned value that its ``Results`` doesn't store. Steps
are skipped while they wait, and their values are stored by Baton. Nobody has to act on either, and a warning
that means nothing hides those that do. Messages that aren't steps are warned of as ever.
"""

from __future__ import annotations

import logging

from .delivery import current_delivery

LOGGERS = ("dramatiq.worker.WorkerThread", "dramatiq.results.middleware.Results")


def install() -> None:
    """Filter Dramatiq's two loggers. Doing it again changes nothing."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_is_news)  # the logging module adds the same filter only once


def _is_news(record: logging.LogRecord) -> bool:
    delivery = current_delivery()
    if delivery is None:
        return True
    text = str(record.msg)
    skipped = delivery.skipped and text.startswith("Message %s was skipped")
    stored = text.startswith("Actor '") and "returned a value that is not None" in text
    return not (skipped or stored)
