"""What calls cost: to the last digit by a price list, nothing by a guess."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatiq_baton import BatonMiddleware, ConfigurationError, Usage, Workflow
from dramatiq_baton.llm import Price, PriceList, PublicPrices
from dramatiq_baton.money import from_units, shown, to_units
from dramatiq_baton.pricing import cost_of
from tests.support.lab import Log

PRICE = Price(Decimal("2.50"), Decimal("10"), Decimal("1.25"), Decimal("3.75"))


def test_a_price_list_charges_each_kind_of_token_its_own_price() -> None:
    usage = Usage("m", 1000, 10, cache_read_tokens=600, cache_write_tokens=100)
    expected = Decimal(300 * 250 + 600 * 125 + 100 * 375 + 10 * 1000) / 100_000_000
    assert PriceList({"m": PRICE}).cost(usage) == expected == Decimal("0.001975")


def test_tokens_of_a_cache_without_a_price_of_its_own_cost_what_others_do() -> None:
    usage = Usage("m", 1000, 0, cache_read_tokens=600, cache_write_tokens=400)
    assert PriceList({"m": Price(Decimal(2), Decimal(3))}).cost(usage) == Decimal("0.002")


def test_a_model_that_is_not_in_the_list_is_unpriced_unless_another_list_has_it() -> None:
    usage = Usage("other", 1_000_000, 0)
    assert PriceList({"m": PRICE}).cost(usage) is None
    assert PriceList({"m": PRICE}, others=PriceList({"other": PRICE})).cost(usage) == Decimal("2.50")


@pytest.mark.parametrize("model", ["gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash"])
def test_public_prices_are_those_of_genai_prices(model: str) -> None:
    usage = Usage(model, 12_345, 678, cache_read_tokens=1000)
    used = genai_prices.Usage(input_tokens=12_345, output_tokens=678, cache_read_tokens=1000)
    assert PublicPrices().cost(usage) == genai_prices.calc_price(used, model_ref=model).total_price > 0


@pytest.mark.parametrize(
    "usage", [Usage("no-such-model", 1, 1), Usage("gpt-4o-mini", 1, 1, provider="no-such-one")]
)
def test_what_is_not_publicly_known_is_unpriced(usage: Usage) -> None:
    assert PublicPrices().cost(usage) is None


class Broken:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def cost(self, usage: Usage) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("answer", [KeyError("m"), 0.1, Decimal("NaN"), Decimal(-1), "free"], ids=repr)
def test_a_pricing_that_fails_leaves_the_call_unpriced_and_is_logged(answer: Any, log: Log) -> None:
    assert cost_of(Usage("m", 1, 1), Broken(answer)) is None
    assert log.lines("a call can't be priced model='m'")


@pytest.mark.parametrize(
    "amount", [1.5, True, None, "x", Decimal("NaN"), Decimal(-1), Decimal(10_000_000)], ids=repr
)
def test_what_is_no_amount_is_no_price_and_no_budget(amount: Any) -> None:
    with pytest.raises(ConfigurationError, match="the price input"):
        Price(amount, Decimal(1))
    if amount is not None:
        with pytest.raises(ConfigurationError, match="the budget"):
            Workflow("flow", budget=amount)


def test_what_knows_no_costs_is_no_pricing() -> None:
    with pytest.raises(ConfigurationError, match=r"pricing must have a method cost\(usage\)"):
        BatonMiddleware(pricing={"m": 1})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="the price of model 'm' must be a Price"):
        PriceList({"m": 1})  # type: ignore[dict-item]


@given(st.decimals(min_value=0, max_value=9_000_000, places=12))
def test_an_amount_is_the_same_when_it_comes_back(amount: Decimal) -> None:
    assert from_units(to_units(amount)) == amount
    assert "E" not in str(from_units(to_units(Decimal(int(amount)))))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.0000"),
        ("0.00001", "<$0.0001"),
        ("0.01234", "$0.0123"),
        ("1", "$1.00"),
        ("1234.567", "$1,234.57"),
    ],
)
def test_amounts_for_people_are_short(amount: str, text: str) -> None:
    assert shown(Decimal(amount)) == text
