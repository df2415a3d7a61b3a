"""A client of the tests' provider whose exceptions have the shape of those of ``openai`` and ``anthropic``."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


class APIError(Exception):
    def __init__(self, message: str, body: object = None) -> None:
        super().__init__(message)
        self.body = body
        self.code = body.get("code") if isinstance(body, dict) else None


class APIConnectionError(APIError):
    """No response came."""


class APITimeoutError(APIConnectionError):
    """No response came in time."""


@dataclass
class Response:
    """What the exceptions keep of a response."""

    status_code: int
    headers: Any


class APIStatusError(APIError):
    """A response of 400 or above."""

    def __init__(self, message: str, response: Response, body: object) -> None:
        super().__init__(message, body)
        self.response = response
        self.status_code = response.status_code


def complete(url: str, prompt: str, timeout: float = 10) -> str:
    """Ask the provider. ``timeout`` is in seconds, as clients have it."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=timeout)
    try:
        connection.request("POST", address.path, request(prompt), {"authorization": "Bearer sk-secret-key"})
        answer = connection.getresponse()
        data = answer.read()
    except TimeoutError as error:
        raise APITimeoutError("Request timed out.") from error
    except (OSError, http.client.HTTPException) as error:
        raise APIConnectionError("Connection error.") from error
    finally:
        connection.close()
    body = json.loads(data)
    if answer.status >= 400:
        raise APIStatusError(
            f"Error code: {answer.status} - {body}", Response(answer.status, answer.headers), body["error"]
        )
    return content(body)


def request(prompt: str) -> bytes:
    """The body of a request."""
    return json.dumps({"model": "a-model", "messages": [{"role": "user", "content": prompt}]}).encode()


def content(body: Any) -> str:
    """The text of a completion."""
    text: str = body["choices"][0]["message"]["content"]
    return text
