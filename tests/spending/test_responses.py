"""``record_usage(response)``: the responses of providers, as their own packages and their JSON have them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from dramatiq_baton import ConfigurationError, Usage
from dramatiq_baton.usage_of_responses import usage_of

CHAT = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [],
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 60},
    },
}
RESPONSES = {
    "model": "gpt-4o-mini",
    "usage": {"input_tokens": 100, "output_tokens": 20, "input_tokens_details": {"cached_tokens": 60}},
}
ANTHROPIC = {
    "model": "claude-sonnet-4-5",
    "usage": {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 7,
    },
}
GOOGLE = {
    "modelVersion": "gemini-2.5-flash",
    "usageMetadata": {
        "promptTokenCount": 100,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 60,
    },
}


def as_objects(value: Any) -> Any:
    if isinstance(value, dict):
        return SimpleNamespace(**{name: as_objects(item) for name, item in value.items()})
    return value


FOUND = [
    (CHAT, Usage("gpt-4o-mini", 100, 20, 60)),
    (RESPONSES, Usage("gpt-4o-mini", 100, 20, 60)),
    (ANTHROPIC, Usage("claude-sonnet-4-5", 167, 20, 60, 7)),
    (GOOGLE, Usage("gemini-2.5-flash", 100, 25, 60)),
]


@pytest.mark.parametrize("kind", [dict, as_objects], ids=["json", "object"])
@pytest.mark.parametrize(("response", "usage"), FOUND, ids=["chat", "responses", "anthropic", "google"])
def test_a_response_says_what_it_used(response: Any, usage: Usage, kind: Any) -> None:
    assert usage_of(kind(response)) == usage


def test_a_response_of_openais_own_package_does() -> None:
    assert usage_of(ChatCompletion.model_validate(CHAT)) == FOUND[0][1]


def test_the_provider_may_be_named() -> None:
    assert usage_of(CHAT, provider="azure").provider == "azure"


@pytest.mark.parametrize(
    ("response", "missing"), [({}, "usage"), (None, "usage"), ("text", "usage"), ({"usage": {}}, "model")]
)
def test_a_response_that_does_not_say_is_refused(response: Any, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"tells of no {missing}.*give record_usage\(\) model="):
        usage_of(response)
