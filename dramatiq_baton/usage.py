"""What calls to providers used and cost: each call, and their sums. This module knows no provider and no Redis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .errors import ConfigurationError
from .names import check_name

#: More tokens than any call has; what is above is a mistake.
MOST_TOKENS = 10**12


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call to a provider used, in tokens.

    Attributes:
      model: The model, as the provider calls it.
      input_tokens: All tokens of the prompt, those that were read from a cache or written to one among them.
      output_tokens: All tokens of the answer.
      cache_read_tokens: Those of the prompt that were read from the provider's cache.
      cache_write_tokens: Those of the prompt that were written to it.
      provider: The provider; ``None`` if the model's name says enough.

    Raises:
      ConfigurationError: If a number isn't a whole one, or the parts are more than the whole.
      InvalidName: If the model or the provider can't be a name.
    """

    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    provider: str | None = None

    def __post_init__(self) -> None:
        check_name(self.model, what="the model of a call")
        if self.provider is not None:
            check_name(self.provider, what="the provider of a call")
        for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"):
            _check_tokens(getattr(self, name), name)
        if self.cache_read_tokens + self.cache_write_tokens > self.input_tokens:
            raise ConfigurationError(
                f"input_tokens={self.input_tokens} must count the tokens of the cache too: "
                f"cache_read_tokens={self.cache_read_tokens}, cache_write_tokens={self.cache_write_tokens}"
            )


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a provider, as it was recorded.

    Attributes:
      step: The step that made it.
      attempt: In which of its executions.
      ts: When it was recorded, in milliseconds since 1970, by the worker's clock.
      usage: What it used.
      cost: What it cost in US dollars; ``None`` if its model has no known price.
    """

    step: str
    attempt: int
    ts: int
    usage: Usage
    cost: Decimal | None


@dataclass(slots=True)
class UsageSum:
    """What several calls used and cost.

    Attributes:
      calls: How many there were.
      input_tokens, output_tokens, cache_read_tokens, cache_write_tokens: As in :class:`Usage`.
      cost: What those with a price cost, in US dollars.
      unpriced: How many have none.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0

    def add(self, call: Call) -> None:
        """Count one more call."""
        self.calls += 1
        self.input_tokens += call.usage.input_tokens
        self.output_tokens += call.usage.output_tokens
        self.cache_read_tokens += call.usage.cache_read_tokens
        self.cache_write_tokens += call.usage.cache_write_tokens
        if call.cost is None:
            self.unpriced += 1
        else:
            self.cost += call.cost


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What the calls of a workflow used and cost, those of failed attempts included.

    Attributes:
      budget: What may be spent, in US dollars; ``None`` if there is no limit.
      total: All of them.
      by_model: By model, the dearest first.
      by_step: By step, the dearest first.
      unpriced: The calls whose models have no known price; ``total.cost`` doesn't know of them.
      calls: Each call, in the order in which they were recorded.
    """

    budget: Decimal | None
    total: UsageSum = field(default_factory=UsageSum)
    by_model: dict[str, UsageSum] = field(default_factory=dict)
    by_step: dict[str, UsageSum] = field(default_factory=dict)
    unpriced: tuple[Call, ...] = ()
    calls: tuple[Call, ...] = ()

    @classmethod
    def of(cls, calls: Iterable[Call], budget: Decimal | None) -> UsageReport:
        """Sum up some calls."""
        total, by_model, by_step = UsageSum(), dict[str, UsageSum](), dict[str, UsageSum]()
        ordered = tuple(sorted(calls, key=lambda call: call.ts))
        for call in ordered:
            total.add(call)
            by_model.setdefault(call.usage.model, UsageSum()).add(call)
            by_step.setdefault(call.step, UsageSum()).add(call)
        unpriced = tuple(call for call in ordered if call.cost is None)
        return cls(budget, total, _dearest_first(by_model), _dearest_first(by_step), unpriced, ordered)


def _dearest_first(sums: dict[str, UsageSum]) -> dict[str, UsageSum]:
    return dict(sorted(sums.items(), key=lambda item: (-item[1].cost, item[0])))


def _check_tokens(value: Any, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_TOKENS:
        raise ConfigurationError(f"{name} must be a whole number of tokens, not {value!r:.80}")
