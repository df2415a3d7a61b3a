"""The server on which workflows live while they are tested: one a process, started when it is first needed."""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import ExitStack

from ..embedded import embedded_server

_lock = threading.Lock()
_url = ""


def server_url() -> str:
    """The server's URL. It ends with the process.

    Raises:
      ConfigurationError: If the extra ``embedded`` isn't installed, or the server doesn't start.
    """
    global _url
    with _lock:
        if not _url:
            stack = ExitStack()
            _url = stack.enter_context(embedded_server())
            atexit.register(_stop, stack, os.getpid())
        return _url


def _stop(stack: ExitStack, pid: int) -> None:
    if os.getpid() == pid:  # a fork that exits leaves the server to its parent
        stack.close()
