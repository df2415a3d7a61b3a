"""What is wrong with a connection by TLS, if it is that."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from typing import Any

from ..errors import ConfigurationError

#: The settings that name a file or a folder.
FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
#: What OpenSSL calls errors that don't go by themselves. A server that dies while it shakes hands causes others.
LASTING = ("ALERT", "CERT", "KEY", "PEM", "VERSION")


def check_files(settings: dict[str, Any]) -> None:
    """Make sure that all files can be read that a connection's settings name.

    Raises:
      ConfigurationError: If one can't, naming the setting.
    """
    for name in FILES:
        path = settings.get(name)
        if path and not os.access(path, os.R_OK):
            raise ConfigurationError(
                f"no connection to Redis can be made: {name}={str(path)!r} can't be read"
            )


def refusal(error: BaseException) -> ssl.SSLError | None:
    """The error behind one of redis-py's that says that the two sides don't agree on certificates or on TLS itself."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause
        if isinstance(cause, ssl.SSLError) and any(word in str(cause).upper() for word in LASTING):
            return cause
    return None


def is_broken_off(error: BaseException) -> bool:
    """Whether a server has hung up in the midst of TLS: it dies, or it doesn't like the client and won't say why."""
    return any(isinstance(cause, ssl.SSLEOFError) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
