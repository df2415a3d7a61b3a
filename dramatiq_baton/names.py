"""What may be used as a workflow's id or name, a step's name, or a namespace."""

from __future__ import annotations

import unicodedata
from typing import TypeGuard

from .errors import InvalidName

MAX_LENGTH = 200


def check_name(value: object, *, what: str) -> str:
    """Return ``value`` if it may name a workflow or a step.

    Any text of 1 to 200 characters without control characters will do.

    Parameters:
      value: The name.
      what: What it names, as the error should call it.

    Raises:
      InvalidName: If it can't be used, saying why.
    """
    if not isinstance(value, str):
        raise InvalidName(f"{what} must be a str, not {type(value).__name__} {value!r:.80}")
    if not value:
        raise InvalidName(f"{what} must not be empty")
    if len(value) > MAX_LENGTH:
        raise InvalidName(f"{what} has {len(value)} characters, at most {MAX_LENGTH} are allowed")
    if value.isascii() and value.isprintable():
        return value
    for position, character in enumerate(value):
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise InvalidName(f"{what} {value!r} has the control character {character!r} at {position}")
    return value


def is_name(value: object) -> bool:
    """Whether ``value`` may name a workflow or a step."""
    try:
        check_name(value, what="")
    except InvalidName:
        return False
    return True


def check_key_part(value: object, *, what: str) -> str:
    """Return ``value`` if it may be a part of a Redis key: as above, and without braces.

    Braces mark the part of a key that decides on which node of a cluster it lies.

    Raises:
      InvalidName: If it can't be used, saying why.
    """
    name = check_name(value, what=what)
    if "{" in name or "}" in name:
        raise InvalidName(f"{what} {name!r} must not contain braces")
    return name


def check_namespace(value: object) -> str:
    """Return ``value`` if it may be a namespace: a part of a key, or one in braces, such as ``{baton}``.

    All keys of a namespace in braces lie on the same node of a cluster.

    Raises:
      InvalidName: If it can't be used, saying why.
    """
    if is_in_braces(value):
        check_key_part(value[1:-1], what="namespace")
        return value
    name = check_name(value, what="namespace")
    if "{" in name or "}" in name:
        raise InvalidName(
            f"namespace {name!r} must not contain braces, unless they stand around the whole of it: {{baton}}"
        )
    return name


def is_in_braces(namespace: object) -> TypeGuard[str]:
    """Whether a namespace stands in braces."""
    return isinstance(namespace, str) and namespace.startswith("{") and namespace.endswith("}")


def in_braces(namespace: str) -> str:
    """The namespace in braces that is meant by one without."""
    return f"{{{namespace}}}"
