"""``Usage``: what it takes, and what several calls come to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dramatiq_baton import Call, ConfigurationError, InvalidName, Usage, UsageReport


def call(model: str, cost: str | None, *, step: str = "a", ts: int = 1, tokens: int = 10) -> Call:
    return Call(step, 1, ts, Usage(model, tokens, 1), None if cost is None else Decimal(cost))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"input_tokens": -1}, "input_tokens must be a whole number of tokens, not -1"),
        ({"output_tokens": 1.0}, "output_tokens must be a whole number of tokens, not 1.0"),
        ({"cache_read_tokens": True}, "cache_read_tokens must be a whole number of tokens, not True"),
        ({"cache_write_tokens": 10**13}, "cache_write_tokens must be a whole number of tokens"),
        (
            {"cache_read_tokens": 6, "cache_write_tokens": 5},
            "input_tokens=10 must count the tokens of the cache too",
        ),
    ],
)
def test_numbers_that_cannot_be_are_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Usage(**{"model": "m", "input_tokens": 10, "output_tokens": 1, **wrong})


@pytest.mark.parametrize("wrong", [{"model": ""}, {"model": None}, {"provider": "x\n"}])
def test_names_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidName, match=r"the (model|provider) of a call"):
        Usage(**{"model": "m", "input_tokens": 10, "output_tokens": 1, **wrong})


def test_calls_are_summed_up_by_model_and_by_step_the_dearest_first() -> None:
    report = UsageReport.of(
        [
            call("cheap", "0.1", step="b", ts=3),
            call("dear", "2.25", step="a", ts=1),
            call("cheap", "0.2", step="a", ts=2),
        ],
        None,
    )
    assert list(report.by_model) == ["dear", "cheap"]
    assert report.by_model["cheap"].cost == Decimal("0.3")
    assert report.by_model["cheap"].calls == 2
    assert {step: used.cost for step, used in report.by_step.items()} == {
        "a": Decimal("2.45"),
        "b": Decimal("0.1"),
    }
    assert report.total.input_tokens == 30
    assert report.total.output_tokens == 3
    assert [one.ts for one in report.calls] == [1, 2, 3]


def test_an_unpriced_call_is_listed_and_counts_nothing() -> None:
    unknown = call("unknown", None)
    report = UsageReport.of([call("known", "0.1"), unknown], None)
    assert report.unpriced == (unknown,)
    assert report.total.cost == Decimal("0.1")
    assert (report.total.unpriced, report.total.calls) == (1, 2)
