"""What the errors mean that redis-py raises, or that a server answers with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterCrossSlotError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..errors import BatonError, ConfigurationError, CorruptData, StoreError, StoreUnavailable
from ..names import in_braces, is_in_braces
from . import tls
from .talks import Argument

#: A server that answers like this may answer otherwise soon.
PASSING = (
    RedisConnectionError,
    RedisTimeoutError,
    AskError,  # and with it MovedError
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
#: So does one that answers with one of these words; redis-py has no classes for them.
PASSING_WORDS = ("NOREPLICAS", "MISCONF", "BUSY", "UNBLOCKED", "FAILOVER")
REFUSED = (AuthenticationError, AuthorizationError)
REFUSED_WORDS = ("NOAUTH", "WRONGPASS")
#: How servers say, outside of scripts and inside, that the user's ACL rules don't allow something.
FORBIDDEN_WORDS = ("NOPERM", "ACL failure in script", "The user executing the script can't")
#: What the server says of data of another kind. A script of ours that breaks off has found something that none of them
#: writes: a number where a list belongs, a list that is too short.
NOT_OURS = ("WRONGTYPE", "user_script")

#: Redis 6.2 wraps what a command in a script was refused with into an error of the script.
_WRAPPED = re.compile(r"Error running script .*@user_script: \d+: -?(.*)", re.DOTALL)
_CLASSES: dict[str, type[ResponseError]] = {"READONLY": ReadOnlyError, "OOM": OutOfMemoryError}


def unwrapped(error: ResponseError) -> ResponseError:
    """The error with which a command in a script was refused, if that is what a server of version 6.2 tells of."""
    wrapped = _WRAPPED.match(str(error))
    if wrapped is None:
        return error
    said = wrapped[1]
    word, _, rest = said.partition(" ")
    if word in _CLASSES:
        return _CLASSES[word](rest)
    return ResponseError(said) if said.startswith((*PASSING_WORDS, *FORBIDDEN_WORDS)) else error


def is_refused(error: Exception) -> bool:
    """Whether a server doesn't let this user in."""
    return isinstance(error, REFUSED) or str(error).startswith(REFUSED_WORDS)


def translated(
    error: Exception, *, address: str, namespace: str, command: Sequence[Argument] = ()
) -> BatonError:
    """What is raised for an error of redis-py, of a server, or of the system.

    Parameters:
      error: The error.
      address: The server's.
      namespace: The namespace that is asked about; empty if it is none of Baton's.
      command: What the server refused, if it was a command.
    """
    if is_refused(error):
        return ConfigurationError(
            f"Redis at {address} refuses the credentials: {error}; check user and password in the URL"
        )
    if (disagreement := tls.refusal(error)) is not None:
        return ConfigurationError(
            f"Redis at {address} can't be spoken to by TLS: {disagreement}; check ssl_ca_certs (who signed the "
            "server's certificate), and ssl_certfile and ssl_keyfile if it wants one of the client's"
        )
    if isinstance(error, NoPermissionError) or str(error).startswith(FORBIDDEN_WORDS):
        return ConfigurationError(
            f"Redis at {address} forbids this user {_what(command)}: {error}; give it the ACL rules that "
            "Baton's guide to Redis lists"
        )
    if isinstance(error, (AskError, ClusterCrossSlotError)) and not is_in_braces(namespace):
        return in_no_slot(f"Redis at {address}", namespace)
    if isinstance(error, AskError):
        return StoreUnavailable(
            f"Redis at {address} doesn't answer: the node that has the namespace {namespace!r}, or is to have it, "
            f"can't be asked at the moment: {error}"
        )
    if isinstance(error, (*PASSING, OSError)) or str(error).startswith(PASSING_WORDS):
        return StoreUnavailable(f"Redis at {address} doesn't answer: {error}")
    if any(words in str(error) for words in NOT_OURS):
        return CorruptData(
            f"{_key(command)!r} in Redis at {address}, or a key that belongs to it, holds what Baton "
            f"didn't write: {error}; if another program uses the same namespace, choose another one"
        )
    return StoreError(f"Redis at {address} refused {_what(command) or 'the connection'}: {error}")


def in_no_slot(what: str, namespace: str) -> ConfigurationError:
    """The error for a namespace that a cluster would spread over its nodes; ``what`` is the cluster."""
    return ConfigurationError(
        f"{what} is a cluster, on which the keys of a namespace must lie together; "
        f'put it into braces: namespace="{in_braces(namespace)}"'
    )


def _what(command: Sequence[Argument]) -> str:
    return f"a command about {_key(command)!r}" if command else ""


def _key(command: Sequence[Argument]) -> str:
    """The key that a command is about, or the first one of a script; empty if there is none."""
    if not command:
        return ""
    match str(command[0]):
        case "EVALSHA" | "EVAL":
            return str(command[3])
        case "XREAD":
            return str(command[-2])
    return str(command[1]) if len(command) > 1 else ""
