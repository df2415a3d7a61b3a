"""What a provider's own response says that it used.

Read are the responses of ``openai`` (chat completions and responses) and whatever speaks its protocol, of ``anthropic``
and of ``google-genai``: objects, or the dicts that their JSON is. No provider's package is needed, or imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import ConfigurationError
from .usage import Usage


def usage_of(response: Any, *, provider: str | None = None) -> Usage:
    """What a response says that its call used.

    Parameters:
      response: The response.
      provider: The provider, if the model's name doesn't say enough.

    Raises:
      ConfigurationError: If it doesn't say, naming what was looked for.
    """
    used = _first(response, "usage", "usage_metadata", "usageMetadata")
    model = _first(response, "model", "model_version", "modelVersion")
    if used is None or not isinstance(model, str):
        missing = "usage" if used is None else "model"
        raise ConfigurationError(
            f"a {type(response).__name__} tells of no {missing}, so its usage can't be recorded; "
            "give record_usage() model=, input_tokens= and output_tokens= instead"
        )
    cache_read, cache_write = _cached(used)
    input_tokens = _number(used, "prompt_tokens", "input_tokens", "prompt_token_count", "promptTokenCount")
    if _first(used, "cache_read_input_tokens", "cache_creation_input_tokens") is not None:
        input_tokens += (
            cache_read + cache_write
        )  # Anthropic alone doesn't count these among the tokens of the prompt
    output_tokens = _number(
        used, "completion_tokens", "output_tokens", "candidates_token_count", "candidatesTokenCount"
    )
    output_tokens += _number(used, "thoughts_token_count", "thoughtsTokenCount")  # Google counts these apart
    return Usage(model, input_tokens, output_tokens, cache_read, cache_write, provider)


def _cached(used: Any) -> tuple[int, int]:
    """How many tokens of the prompt came from a cache, and went into one."""
    details = _first(used, "prompt_tokens_details", "input_tokens_details")
    read = _number(details, "cached_tokens") or _number(
        used, "cache_read_input_tokens", "cached_content_token_count", "cachedContentTokenCount"
    )
    return read, _number(used, "cache_creation_input_tokens")


def _number(thing: Any, *names: str) -> int:
    value = _first(thing, *names)
    return value if isinstance(value, int) else 0


def _first(thing: Any, *names: str) -> Any:
    """The first of some attributes, or keys, that is there and isn't ``None``."""
    for name in names:
        value = thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
        if value is not None:
            return value
    return None
