"""Steps that call a language model: what a provider's refusal means is known here, once, for any provider.

See :func:`llm_actor`, and :func:`multi_model` for several models at once. No provider's package is needed, or imported.
"""

from __future__ import annotations

from .actor import llm_actor
from .multi_model import Answers, multi_model

__all__ = ["Answers", "llm_actor", "multi_model"]
