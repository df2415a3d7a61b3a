"""Verdicts: points, and why a source got or lost them."""

from __future__ import annotations

import sys

import pytest

from dramatiq_baton.demo.corpus import Licence
from dramatiq_baton.demo.judging import judge
from tests.demo.samples import make_source


def test_best_source_has_every_point() -> None:
    verdict = judge(make_source())
    assert (verdict["name"], verdict["score"], verdict["doubts"]) == ("kettle", 100, [])
    assert verdict["strengths"] == [
        "clear licence (MIT), text included",
        "thorough description (1,000 words of prose)",
        "calls itself production/stable",
        f"declares Python up to 3.{sys.version_info.minor}",
        "links to documentation, source code and issues or changes",
        "requires Python >=3.11",
        "needs no other packages",
    ]


def test_source_that_says_nothing_has_few_points() -> None:
    nothing = make_source(
        licence=Licence(name="", text=""), urls={}, requires_python="", classifiers=[], words=1,
        requires=[f"package{i}" for i in range(20)],
    )  # fmt: skip
    verdict = judge(nothing)
    assert (verdict["score"], verdict["strengths"]) == (17, [])
    assert verdict["doubts"] == [
        "states no licence",
        "hardly any description (1 word of prose)",
        "gives no development status",
        "names no Python versions in its classifiers",
        "no link to documentation, source code or issues or changes",
        "does not state which Python it needs",
        "needs 20 other packages",
    ]


@pytest.mark.parametrize(
    ("changes", "lost", "doubt"),
    [
        ({"licence": Licence(name="MIT", text="")}, 8, "its text is not installed"),
        ({"licence": Licence(name="", text="Granted")}, 12, "does not name"),
        ({"words": 499}, 7, None),
        ({"words": 149}, 14, "short description"),
        ({"words": 59}, 21, "hardly any description"),
        ({"requires": ["a", "b"]}, 2, None),
        ({"requires": ["a", "b", "c", "d", "e; python_version < '3'"]}, 5, "4 other packages, 1 more"),
        ({"requires": ["a; sys_platform == 'win32'"]}, 0, None),
        ({"requires_python": ""}, 8, "which Python"),
        ({"urls": {"Homepage": "https://github.com/x/kettle"}}, 8, "no link to documentation or issues"),
    ],
)
def test_every_fault_costs_points(changes: dict[str, object], lost: int, doubt: str | None) -> None:
    verdict = judge(make_source(**changes))
    assert verdict["score"] == 100 - lost
    assert [doubt in found for found in verdict["doubts"]] == [True] if doubt else not verdict["doubts"]


@pytest.mark.parametrize(
    ("status", "behind", "lost"),
    [
        ("4 - Beta", 0, 3),
        ("2 - Pre-Alpha", 0, 8),
        ("7 - Inactive", 0, 10),
        ("6 - Mature", 1, 5),
        ("6 - Mature", 4, 12),
        ("6 - Mature", -1, 0),
    ],
)
def test_classifiers_tell_age(status: str, behind: int, lost: int) -> None:
    minor = sys.version_info.minor - behind
    source = make_source(
        classifiers=[
            f"Development Status :: {status}",
            "Programming Language :: Python :: 3.2",
            f"Programming Language :: Python :: 3.{minor}",
            "Programming Language :: Python :: 3 :: Only",
        ]
    )
    assert judge(source)["score"] == 100 - lost
