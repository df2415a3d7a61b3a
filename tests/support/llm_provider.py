"""A provider of language models to test against: chat completions over HTTP on loopback, as scripted."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Carries out one call.
Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One call; its prompt says which script is followed."""

    provider: Provider

    def do_POST(self) -> None:
        self.asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.provider.reply_to(self.asked["messages"][-1]["content"])(self)

    def send(self, status: int, body: object, headers: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def answer(text: str) -> Reply:
    """A completion of the model that was asked. A word counts as a token."""

    def send(handler: Handler) -> None:
        prompt = sum(len(message["content"].split()) for message in handler.asked["messages"])
        used = {"prompt_tokens": prompt, "completion_tokens": len(text.split())}
        message = {"role": "assistant", "content": text}
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": handler.asked["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {**used, "total_tokens": sum(used.values())},
        }
        handler.send(200, body, {})

    return send


def error(status: int, message: str = "no", **headers: str) -> Reply:
    """An error, with headers; ``retry_after="1"`` is ``retry-after: 1``."""
    body = {"error": {"message": message, "type": "a_type", "code": "a_code"}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.send(status, body, named)


def hang_up(handler: Handler) -> None:
    """No answer at all: the connection is closed."""
    handler.close_connection = True


def stream_cut(handler: Handler) -> None:
    """An answer that ends in the middle."""
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'data: {"choices": [{"delta": {"content": "Once upon a"}}]}\n\n')
    handler.close_connection = True


def stall(handler: Handler) -> None:
    """No answer for longer than any client waits."""
    handler.provider.closing.wait()
    handler.close_connection = True


class Server(ThreadingHTTPServer):
    """Has room for many who come at the same time: who finds none comes again after a second."""

    request_queue_size = 128
    daemon_threads = True


class Provider:
    """The server. It follows the script of a prompt: the n-th reply for the n-th call, the last for all later ones.

    A prompt without a script is answered as often as ``rate`` allows in any second, and else refused.

    Attributes:
      rate: See above.
      words: What it says to such a prompt.
      names_a_time: Whether such a refusal says when to come again.
      asked: When such prompts came, in seconds of ``time.monotonic()``, and whether they were answered.
    """

    def __init__(self) -> None:
        self.closing = threading.Event()
        self.rate = 0
        self.words: Callable[[str], str] = lambda prompt: f"{prompt}!"
        self.names_a_time = True
        self.asked: list[tuple[float, bool]] = []
        self._scripts: dict[str, tuple[Reply, ...]] = {}
        self._calls: Counter[str] = Counter()
        self._answered: deque[float] = deque()
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), type("Own", (Handler,), {"provider": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1/chat/completions"

    def script(self, prompt: str, *replies: Reply) -> None:
        self._scripts[prompt] = replies

    def calls(self, prompt: str) -> int:
        """How often a prompt was sent."""
        with self._lock:
            return self._calls[prompt]

    def reply_to(self, prompt: str) -> Reply:
        with self._lock:
            self._calls[prompt] += 1
            if replies := self._scripts.get(prompt):
                return replies[min(self._calls[prompt], len(replies)) - 1]
            now = time.monotonic()
            while self._answered and self._answered[0] <= now - 1:
                self._answered.popleft()
            answered = len(self._answered) < self.rate
            self.asked.append((now, answered))
            if not answered:
                named = {"retry_after": "1"} if self.names_a_time else {}
                return error(429, "Rate limit reached", **named)
            self._answered.append(now)
            return answer(self.words(prompt))

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
