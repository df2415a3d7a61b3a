"""What is wrong with a connection by TLS, if it is that."""

from __future__ import annotations

import os
import ssl
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


def refusal(error: BaseException | None) -> ssl.SSLError | None:
    """The error behind one of redis-py's that says that the two sides don't agree on certificates or on TLS itself."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        if isinstance(error, ssl.SSLError) and any(word in str(error).upper() for word in LASTING):
            return error
        error = error.__cause__ or error.__context__
    return None
