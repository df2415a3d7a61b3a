"""Which steps share a provider's limit. Deciding only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..decisions import short


def lane_of(actor: str, kwargs: Mapping[str, Any], *, provider: str | None) -> str:
    """The lane of a step.

    Parameters:
      actor: Its actor's name.
      kwargs: The keyword arguments of its message. A ``model`` has a limit of its own.
      provider: What the actor's declaration calls the provider, if it does; then nothing else counts.
    """
    if provider is not None:
        return provider
    model = kwargs.get("model")
    return short(f"{actor}:{model}" if isinstance(model, str) else actor)
