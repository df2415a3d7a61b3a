"""Steps that call a language model: what a provider's refusal means is known here, once, for any provider.

See :func:`llm_actor`. No provider's package is needed, or imported.
"""

from __future__ import annotations

from ..pricing import Price, PriceList, Pricing, PublicPrices
from ..usage import Usage
from .actor import llm_actor

__all__ = ["Price", "PriceList", "Pricing", "PublicPrices", "Usage", "llm_actor"]
