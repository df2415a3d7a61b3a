"""What an exception tells of an HTTP response, wherever the many HTTP clients put it.

Read are ``status_code``, ``status`` and ``code``, ``headers``, ``body`` and ``response``, as the exceptions of
``openai``, ``anthropic``, ``httpx``, ``requests``, ``aiohttp`` and ``urllib`` have them. Nothing of that is relied
on: an attribute may be missing, be something else, or raise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: How many exceptions of a chain are looked at.
LONGEST_CHAIN = 8
#: How much of a response's text is looked at for the provider's words, in characters.
MOST_TEXT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """What is known of a response.

    Attributes:
      error: The exception that tells of it.
      status: Its status; ``None`` if there is none.
      headers: Its headers; their names in lower case.
    """

    error: BaseException
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that led to it, as a traceback shows them; the first few."""
    following: BaseException | None = error
    for _ in range(LONGEST_CHAIN):
        if following is None:
            return
        yield following
        cause, context = following.__cause__, following.__context__
        following = cause if cause is not None or following.__suppress_context__ else context


def response_of(error: BaseException) -> Response:
    """What an exception tells of a response. It knows nothing but itself if it tells of none."""
    within = attribute(error, "response")
    status = _status(error, "status_code", "status", "code")
    if status is None:
        status = _status(within, "status_code", "status")
    headers = {**_headers(attribute(error, "headers")), **_headers(attribute(within, "headers"))}
    return Response(error, status, headers)


def message_of(error: BaseException) -> str:
    """The provider's own message in the body of its response; empty if there is none to be found."""
    body = attribute(error, "body")
    if not isinstance(body, Mapping):
        text = attribute(attribute(error, "response"), "text")
        try:
            body = json.loads(text[:MOST_TEXT]) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            body = None
    if isinstance(body, Mapping) and "error" in body:  # {"error": {"message": ...}}
        body = body["error"]
    message = body.get("message") if isinstance(body, Mapping) else body
    return message if isinstance(message, str) else ""


def attribute(thing: Any, name: str) -> Any:
    """An attribute; ``None`` if there is none, or it can't be had."""
    try:
        return getattr(thing, name, None)
    except Exception:  # a property may raise anything
        return None


def _status(thing: Any, *names: str) -> int | None:
    for name in names:
        value = attribute(thing, name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
            value = int(value)
        if isinstance(value, int) and 100 <= value <= 599:
            return int(value)
    return None


def _headers(headers: Any) -> dict[str, str]:
    try:
        return {_text(name).lower(): _text(value) for name, value in headers.items()}
    except Exception:  # none, or of a kind that nobody has thought of
        return {}


def _text(value: Any) -> str:
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip()
