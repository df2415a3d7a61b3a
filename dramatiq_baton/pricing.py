"""What calls to models cost. A model whose price isn't known is *unpriced*: nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Protocol, runtime_checkable

from .errors import ConfigurationError
from .logs import get_logger
from .money import to_dollars
from .usage import Usage

_MILLION = Decimal(1_000_000)

log = get_logger()


@runtime_checkable
class Pricing(Protocol):
    """Knows what calls cost. One's own is given to ``BatonMiddleware(pricing=)``."""

    def cost(self, usage: Usage) -> Decimal | None:
        """What a call cost, in US dollars; ``None`` if that isn't known."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars for a million tokens.

    Attributes:
      input: Of the prompt.
      output: Of the answer.
      cache_read: Of the prompt, read from the provider's cache; as ``input`` if not given.
      cache_write: Of the prompt, written to it; as ``input`` if not given.

    Raises:
      ConfigurationError: If one isn't an amount.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("input", "output", "cache_read", "cache_write"):
            value = getattr(self, name)
            if value is not None or name in ("input", "output"):
                object.__setattr__(self, name, to_dollars(value, name=f"the price {name}"))

    def cost(self, usage: Usage) -> Decimal:
        """What a call to that model cost."""
        cached = usage.cache_read_tokens + usage.cache_write_tokens
        total = (usage.input_tokens - cached) * self.input + usage.output_tokens * self.output
        total += usage.cache_read_tokens * (self.input if self.cache_read is None else self.cache_read)
        total += usage.cache_write_tokens * (self.input if self.cache_write is None else self.cache_write)
        return total / _MILLION


class PriceList:
    """A price list of one's own.

    Examples:

      >>> BatonMiddleware(pricing=PriceList({"our-model": Price(Decimal("0.50"), Decimal("1.50"))}))

    Parameters:
      prices: The prices by model.
      others: Whom to ask about models that aren't among them; nobody if not given.

    Raises:
      ConfigurationError: If something else than a :class:`Price` is among them.
    """

    def __init__(self, prices: Mapping[str, Price], *, others: Pricing | None = None) -> None:
        for model, price in prices.items():
            if not isinstance(price, Price):
                raise ConfigurationError(f"the price of model {model!r} must be a Price, not {price!r:.80}")
        self._prices = dict(prices)
        self._others = others

    def cost(self, usage: Usage) -> Decimal | None:
        """What a call cost, in US dollars; ``None`` if its model isn't in the list."""
        price = self._prices.get(usage.model)
        if price is not None:
            return price.cost(usage)
        return None if self._others is None else self._others.cost(usage)


class PublicPrices:
    """The public prices of many providers, from the data that the package ``genai-prices`` brings along.

    Nothing is fetched. Installed with the extra ``llm``; without it, every model is unpriced.
    """

    def cost(self, usage: Usage) -> Decimal | None:
        """What a call cost, in US dollars; ``None`` if its model, or its provider, isn't known."""
        package = _genai_prices()
        if package is None:
            return None
        used = package.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
        try:
            price = package.calc_price(used, model_ref=usage.model, provider_id=usage.provider)
        except LookupError:
            return None
        return Decimal(price.total_price)


@cache
def _genai_prices() -> Any:
    """The package: imported when a price is needed, as that takes half a second."""
    try:
        import genai_prices
    except ImportError:
        log.warning(
            "costs aren't known: pip install 'dramatiq-baton[llm]', or give BatonMiddleware a pricing="
        )
        return None
    return genai_prices


def cost_of(usage: Usage, pricing: Pricing) -> Decimal | None:
    """What a call cost, in US dollars; ``None`` if it isn't known, or ``pricing`` raises, which is logged."""
    try:
        cost = pricing.cost(usage)
        return None if cost is None else to_dollars(cost, name=f"the cost of a call to {usage.model!r}")
    except Exception as error:
        log.error("a call can't be priced", model=usage.model, error=f"{type(error).__name__}: {error}")
        return None
