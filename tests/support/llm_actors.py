"""LLM actors, one a kind of client, with waits that suit a test. :mod:`.llm_worker` is the module that workers run."""

from __future__ import annotations

import urllib.request
from types import SimpleNamespace
from typing import Any

import dramatiq
import httpx

from dramatiq_baton import current_step
from dramatiq_baton.llm import llm_actor

from . import llm_client

#: In milliseconds.
MIN_BACKOFF = 40
MAX_BACKOFF = 320


def declare(broker: dramatiq.Broker) -> Any:
    """Declare the actors on a broker."""
    options: Any = {
        "broker": broker,
        "min_backoff": MIN_BACKOFF,
        "max_backoff": MAX_BACKOFF,
        "max_retries": 2,
        "paced": False,
    }

    @llm_actor(**options)
    def ask(url: str, prompt: str, timeout: float = 10) -> list[Any]:
        """Returns which execution this is, too: what was snoozed or retried counts."""
        text = llm_client.complete(url, prompt, timeout)
        step = current_step()
        return [text, step.attempt if step is not None else 0]

    @llm_actor(**options, max_refusals=3)
    def ask_impatiently(url: str, prompt: str) -> str:
        return llm_client.complete(url, prompt)

    @llm_actor(**options)
    def ask_with_urllib(url: str, prompt: str) -> str:
        with urllib.request.urlopen(url, llm_client.request(prompt), timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    @llm_actor(**options)
    def ask_with_httpx(url: str, prompt: str) -> str:
        answer = httpx.post(f"{url}?key=secret-key", content=llm_client.request(prompt), trust_env=False)
        answer.raise_for_status()
        return llm_client.content(answer.json())

    @llm_actor(**options)
    async def ask_async(url: str, prompt: str) -> str:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(url, content=llm_client.request(prompt))
        answer.raise_for_status()
        return llm_client.content(answer.json())

    @llm_actor(broker=broker, max_retries=2)
    def ask_in_turn(url: str, prompt: str) -> str:
        return llm_client.complete(url, prompt)

    @llm_actor(**options)
    def ask_with_openai(url: str, prompt: str) -> str:
        from openai import OpenAI  # here: it takes a second to import

        base = url.removesuffix("/chat/completions")
        with OpenAI(base_url=base, api_key="sk-secret-key", max_retries=0, timeout=10) as client:
            answer = client.chat.completions.create(
                model="a-model", messages=[{"role": "user", "content": prompt}]
            )
        if (step := current_step()) is not None:
            step.record_usage(answer)
        return answer.choices[0].message.content or ""

    return SimpleNamespace(**{name: value for name, value in locals().items() if name.startswith("ask")})
