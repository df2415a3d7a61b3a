"""Exceptions of many shapes, as HTTP clients raise them, and some that nobody should."""

from __future__ import annotations

import email.message
import urllib.error
from collections.abc import Callable, Mapping
from typing import Any

import httpx

Headers = Mapping[str, str]
Shape = Callable[[int, Headers], Exception]


class Bag(Exception):
    """An exception with whatever attributes."""

    def __init__(self, text: str = "no", **attributes: Any) -> None:
        super().__init__(text)
        self.__dict__.update(attributes)


class Falsy:
    """A response as that of ``requests``: false if it is one of an error."""

    def __init__(self, status: int, headers: Headers, text: str = "") -> None:
        self.status_code = status
        self.headers = headers
        self.text = text

    def __bool__(self) -> bool:
        return False


class Raising:
    """Whatever one asks of it, it raises."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("no text either")


def of_openai(status: int, headers: Headers) -> Exception:
    """Also of ``anthropic``. ``code`` is the provider's word, not HTTP's."""
    body = {"message": "no", "code": "rate_limit_exceeded"}
    return Bag(
        status_code=status, response=Falsy(200, headers), code="rate_limit_exceeded", status=None, body=body
    )


def of_httpx(status: int, headers: Headers) -> Exception:
    request = httpx.Request("POST", "https://provider.example/v1?key=secret")
    response = httpx.Response(
        status, headers=dict(headers), request=request, json={"error": {"message": "no"}}
    )
    try:
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        return error
    raise AssertionError(f"{status} is no error")


def of_requests(status: int, headers: Headers) -> Exception:
    return Bag(response=Falsy(status, headers, '{"error": {"message": "no"}}'), request=Raising())


def of_aiohttp(status: int, headers: Headers) -> Exception:
    return Bag(status=status, headers=headers)


def of_urllib(status: int, headers: Headers) -> Exception:
    message = email.message.Message()
    for name, value in headers.items():
        message[name] = value
    return urllib.error.HTTPError("https://provider.example", status, "no", message, None)


def of_urllib3(status: int, headers: Headers) -> Exception:
    return Bag(response=Bag(status=status, headers=list_of_bytes(headers)))


def in_text(status: int, headers: Headers) -> Exception:
    return Bag(status=str(status), headers=headers)


def as_a_cause(status: int, headers: Headers) -> Exception:
    error = RuntimeError("the agent gave up")
    error.__cause__ = of_openai(status, headers)
    return error


def as_a_context(status: int, headers: Headers) -> Exception:
    error = ValueError("no answer to parse")
    error.__context__ = KeyError("choices")
    error.__context__.__context__ = of_aiohttp(status, headers)
    return error


def list_of_bytes(headers: Headers) -> Mapping[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in headers.items()}


SHAPES: list[Shape] = [
    of_openai,
    of_httpx,
    of_requests,
    of_aiohttp,
    of_urllib,
    of_urllib3,
    in_text,
    as_a_cause,
    as_a_context,
]
