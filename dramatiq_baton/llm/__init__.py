"""Steps that call a language model: what a provider's refusal means is known here, once, for any provider.

See :func:`llm_actor`, and :func:`multi_model` for several models at once. No provider's package is needed, or imported.
"""

from __future__ import annotations

from ..pricing import Price, PriceList, Pricing, PublicPrices
from ..usage import Usage
from .actor import llm_actor
from .multi_model import Answers, multi_model

__all__ = ["Answers", "Price", "PriceList", "Pricing", "PublicPrices", "Usage", "llm_actor", "multi_model"]
