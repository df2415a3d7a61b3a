"""US dollars, exactly: as ``Decimal`` to people, as whole trillionths of a dollar to Redis, which adds them up."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import ConfigurationError

#: Trillionths of a dollar in a dollar. The price of a single token has some eight decimals.
UNITS = 10**12
#: The largest sum: Redis adds 64-bit integers.
MOST = Decimal(9_000_000)

_PLACES = Decimal(1) / UNITS


def to_dollars(value: Any, *, name: str) -> Decimal:
    """Check an amount that a user gives.

    Parameters:
      value: A ``Decimal``, an ``int``, or either as text.
      name: What it is for, as the error should call it.

    Raises:
      ConfigurationError: If it is something else, negative, or more than nine million.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise ConfigurationError(
            f'{name} must be US dollars as a Decimal, such as Decimal("2.50"), not {type(value).__name__} {value!r:.80}'
        )
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ConfigurationError(f"{name} must be an amount of US dollars, not {value!r:.80}") from None
    if not amount.is_finite() or not 0 <= amount <= MOST:
        raise ConfigurationError(f"{name} must be between 0 and {MOST:,} US dollars, not {value}")
    return amount


def to_budget(value: Any, *, name: str = "the budget") -> Decimal | None:
    """The same for a budget, where ``None`` says nothing."""
    return None if value is None else to_dollars(value, name=name)


def to_units(dollars: Decimal) -> int:
    """Dollars in trillionths, rounded half to even."""
    return int(dollars.quantize(_PLACES) * UNITS)


def from_units(units: int) -> Decimal:
    """Trillionths in dollars, without needless zeros."""
    return _short(Decimal(units) / UNITS)


def shown(dollars: Decimal) -> str:
    """Dollars for people: to the cent from a dollar on, below that to a hundredth of a cent."""
    if dollars >= 1:
        return f"${dollars:,.2f}"
    if dollars and dollars < Decimal("0.0001"):
        return "<$0.0001"
    return f"${dollars:.4f}"


def _short(amount: Decimal) -> Decimal:
    short = amount.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
