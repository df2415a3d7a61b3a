"""A provider's words, fit to be kept: on one line, and without what might be a credential.

Providers repeat the key that they refuse, and HTTP clients the URL, which may hold one.
"""

from __future__ import annotations

import re

from ..decisions import describe, short
from .responses import message_of

HIDDEN = "***"

_URL = re.compile(
    r"(?P<scheme>\bhttps?://)(?:[^\s/@'\"]*@)?(?P<place>[^\s?#'\"]*)(?:[?#][^\s'\"]*)?", re.IGNORECASE
)
_CREDENTIALS = (
    re.compile(r"(?P<name>\b(?:bearer|basic)\s+)[^\s'\",;]+", re.IGNORECASE),
    re.compile(
        r"(?P<name>\b(?:[\w-]*api[_-]?key|[\w-]*token|authorization|password|secret)['\"]?\s*[=:]\s*['\"]?)"
        r"(?!bearer\b|basic\b)[^\s'\",;&]+",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<name>)\b(?:sk|pk|rk|gsk|xai|hf|key)[-_][\w*-]{6,}|\bAIza[\w-]{10,}"),
)


def words_of(error: BaseException) -> str:
    """What a provider said: the message in its response, else the exception's own."""
    return kept(" ".join(message_of(error).split()) or describe(error))


def description_of(error: BaseException) -> str:
    """An exception as ``Type: message``."""
    return kept(describe(error))


def kept(text: str) -> str:
    """Text without credentials, no longer than what is stored."""
    text = _URL.sub(r"\g<scheme>\g<place>", text)
    for credential in _CREDENTIALS:
        text = credential.sub(lambda found: (found["name"] or "") + HIDDEN, text)
    return short(text)
